"""Late never overwrites new."""

import json
from datetime import datetime, timedelta

import pytest

from tests.bodies import declined, event
from tests.building import House
from tests.lane.owed import JOHN, arrives, open_attempt, owe
from tests.steered import Klaviyo
from vrio_klaviyo.klaviyo.requests import Profile
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import ProfileLink
from vrio_klaviyo.store.deliveries import RETRY, Delivery
from vrio_klaviyo.store.leases import LEASE_S


@pytest.mark.requirement("003-D")
def test_late_news_never_overwrites_newer_news(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    newer, older = declined(1, at="2026-08-30 11:00:00"), declined(2, at="2026-08-30 10:00:00")
    older["webhook_data"]["transaction"]["customer"]["first_name"] = "Jonathan"
    older["webhook_data"]["transaction"]["order"]["tracking1"] = "old letter"
    newer["webhook_data"]["transaction"]["order"]["tracking1"] = "new letter"
    owe(house, newer)
    house.send(connection)
    owe(house, older)
    house.send(connection)

    profile = klaviyo.profile(JOHN)
    assert profile["first_name"] == "John"
    assert profile["properties"]["tracking1"] == "new letter"
    assert len(klaviyo.events()) == 2
    with house.db.read() as session:
        link = session.get_one(ProfileLink, (connection.id, house.customers()[0].id))
    assert link.accepted_as_of == datetime.fromisoformat("2026-08-30T11:00:00+00:00")


def test_a_date_of_the_far_future_does_not_silence_what_comes_after_it(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house, declined(1) | {"webhook_event_date": "2206-08-30 11:00:00"})
    house.send(connection)
    renamed = declined(2, at="2026-08-30 12:00:00")
    renamed["webhook_data"]["transaction"]["customer"]["first_name"] = "Jon"
    house.clock.advance(minutes=5)
    owe(house, renamed)
    house.send(connection)

    assert klaviyo.profile(JOHN)["first_name"] == "Jon"
    assert house.customers()[0].first_name == "Jon"


@pytest.mark.parametrize("killed", [False, True])
def test_what_may_have_arrived_is_not_overwritten_by_older_news(
    house: House, connection: Connection, klaviyo: Klaviyo, killed: bool
) -> None:
    for number, name, age in ((1, "Jon", 0), (2, "Johnny", 1)):
        request = event(f"{number}", profile=Profile(email=JOHN, first_name=name))
        house.owe(connection, number, as_of=house.clock() - timedelta(hours=age), request=request)
    if killed:
        open_attempt(house, connection)
        logged = house.attempts(house.deliveries()[0])[0]
        arrives(house, connection, logged)
        with house.db.write() as session:
            session.get_one(Delivery, logged.delivery_id).lane_order = RETRY
        house.clock.advance(seconds=LEASE_S + 1)
    else:
        klaviyo.fault("reset", processed=True)
    house.send(connection)

    assert [json.loads(request["body"])["data"]["attributes"]["unique_id"] for request in klaviyo.requests()][:2] == [
        "1",
        "2",
    ]
    assert klaviyo.profile(JOHN)["first_name"] == "Jon"
