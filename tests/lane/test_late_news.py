"""Late never overwrites new."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.bodies import SALE, declined, event, sample
from tests.building import House
from tests.lane.owed import JOHN, arrives, open_attempt, owe
from tests.steered import Klaviyo
from vrio_klaviyo.klaviyo.requests import Profile
from vrio_klaviyo.sending_again import send_again
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


def told_of(number: int, first_name: str) -> dict[str, Any]:
    """Webhooks of one second."""
    body = declined(number, phone="", at="2026-08-30 11:00:00")
    body["webhook_data"]["transaction"]["customer"]["first_name"] = first_name
    return body


def test_what_is_tried_again_does_not_overwrite_what_was_told_after_it_in_the_same_second(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    klaviyo.fault("status", status=503)
    owe(house, told_of(1, "Jon"))
    house.send(connection)
    owe(house, told_of(2, "John"))
    house.send(connection)
    house.clock.advance(seconds=7)
    house.send(connection)

    assert [delivery.status for delivery in house.deliveries()] == ["accepted", "accepted"]
    assert klaviyo.profile(JOHN)["first_name"] == "John"


def test_what_came_late_is_not_overwritten_by_what_was_known_before_it(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    """What comes late is built of all that is known, so that it is as new as the newest before it, and tells more."""

    def sale(number: int, at: str, total: str) -> dict[str, Any]:
        body = sample(SALE) | {"webhook_event_id": 8000 + number, "webhook_event_date": at}
        transaction = body["webhook_data"]["transaction"]
        transaction |= {"id": f"{3000 + number}", "date_complete": at, "date_modified": at, "transaction_total": total}
        transaction["customer"] |= {"id": "301", "email": JOHN, "phone": "", "date_modified": at}
        return body

    klaviyo.fault("status", status=503, match={"unique_id": "3001"})
    owe(house, sale(1, "2026-08-30 11:00:00", "10.00"))
    house.send(connection)
    owe(house, sale(2, "2026-08-30 10:30:00", "20.00"))
    house.send(connection)
    assert klaviyo.profile(JOHN)["properties"]["CLV"] == "30.00"
    house.clock.advance(seconds=7)
    house.send(connection)

    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}
    assert klaviyo.profile(JOHN)["properties"]["CLV"] == "30.00"


def test_what_is_sent_again_does_not_overwrite_what_was_told_after_it_in_the_same_second(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house, told_of(1, "Jon"))
    house.send(connection)
    owe(house, told_of(2, "John"))
    house.send(connection)
    with house.db.write() as session:
        send_again(session, house.deliveries()[0].id, house.clock())
    house.send(connection)

    assert len(klaviyo.requests()) == 3
    assert klaviyo.profile(JOHN)["first_name"] == "John"
