"""With which body a delivery goes out once more, and that it never undoes what came later."""

import json
from datetime import timedelta

import pytest

from tests.bodies import declined
from tests.building import House
from tests.sending_again.once_more import again, failed, owe
from tests.steered import Klaviyo
from vrio_klaviyo.sending_again import HISTORY_AFTER
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import LIVE

JOHN = "john@acme.test"


def test_the_same_body_goes_out_byte_for_byte(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    before = failed(house, connection, klaviyo)
    # Settings that a body made today would follow.
    house.change(connection, typed=True)
    again(house)
    house.send(connection)

    after = house.delivery()
    first, second = house.attempts()
    assert (after.id, after.status, after.unique_id) == (before.id, "accepted", before.unique_id)
    assert second.request_body == first.request_body
    assert [request["body"] for request in klaviyo.requests()] == [first.request_body.decode()] * 2
    assert (first.trigger, second.trigger, second.number) == ("first", "manual", 2)
    assert after.asked == ""


def test_built_again_the_body_follows_todays_settings(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    before = failed(house, connection, klaviyo)
    house.change(connection, typed=True)
    again(house, rebuild=True)
    house.send(connection)

    first, second = house.attempts()
    assert second.request_body != first.request_body
    was, now = (json.loads(attempt.request_body)["data"]["attributes"] for attempt in (first, second))
    assert (was["unique_id"], was["time"]) == (now["unique_id"], now["time"])
    assert (house.delivery().status, house.delivery().dedup_key) == ("accepted", before.dedup_key)


def test_built_again_it_keeps_the_address_that_was_promised(house: House, connection: Connection) -> None:
    owe(house, declined(1, email="old@acme.test"), declined(2, email="new@acme.test", at="2026-08-30 11:30:00"))
    house.send(connection)
    first, _ = house.deliveries()
    again(house, first, rebuild=True)
    house.send(connection)

    body = json.loads(house.attempts(first)[-1].request_body)
    assert body["data"]["attributes"]["profile"]["data"]["attributes"]["email"] == "old@acme.test"


def test_the_same_id_is_counted_once(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house)
    house.send(connection)
    again(house)
    house.send(connection)

    assert [event["unique_id"] for event in klaviyo.events()] == ["1001"]
    assert house.delivery().status == "accepted"
    assert len(house.attempts()) == 2


@pytest.mark.parametrize("rebuild", [False, True])
@pytest.mark.parametrize(("age", "backfill"), [(HISTORY_AFTER - timedelta(hours=1), None), (HISTORY_AFTER, True)])
def test_what_is_history_starts_no_flow(
    house: House, connection: Connection, klaviyo: Klaviyo, age: timedelta, backfill: bool | None, rebuild: bool
) -> None:
    """It happened an hour before it came."""
    failed(house, connection, klaviyo)
    house.clock.advance(seconds=age.total_seconds())
    again(house, rebuild=rebuild)
    house.send(connection)

    (event,) = klaviyo.events()
    assert event["backfill"] is backfill
    first, second = house.attempts()
    assert (second.request_body == first.request_body) is (backfill is None)
    assert house.delivery().lane_order == LIVE


@pytest.mark.parametrize("rebuild", [False, True])
def test_late_never_overwrites_new(house: House, connection: Connection, klaviyo: Klaviyo, rebuild: bool) -> None:
    klaviyo.fault("status", status=400)
    owe(house, declined(1, phone="", at="2026-08-30 11:00:00"))
    house.send(connection)
    newer = declined(2, phone="", at="2026-08-30 11:30:00")
    newer["webhook_data"]["transaction"]["customer"]["fname"] = "Jonathan"
    newer["webhook_data"]["transaction"]["customer"]["first_name"] = "Jonathan"
    owe(house, newer)
    house.send(connection)
    before = klaviyo.profile(JOHN)
    again(house, house.deliveries()[0], rebuild=rebuild)
    house.send(connection)

    assert [delivery.status for delivery in house.deliveries()] == ["accepted", "accepted"]
    assert klaviyo.profile(JOHN) | {"updated": ""} == before | {"updated": ""}
    body = json.loads(house.attempts(house.deliveries()[0])[-1].request_body)
    profile = body["data"]["attributes"]["profile"]["data"]["attributes"]
    assert profile == {"email": JOHN, "properties": {}}


def test_a_refused_phone_is_taken_out_of_the_same_body_too(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    klaviyo.fault("status", status=422)
    owe(house, declined(phone="(555) 000-0101"))
    house.send(connection)
    assert house.delivery().status == "failed"
    again(house)
    house.send(connection)

    assert house.delivery().status == "accepted"
    assert [attempt.trigger for attempt in house.attempts()] == ["first", "manual", "phone_removed"]
