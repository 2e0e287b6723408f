"""A phone number that Klaviyo refuses costs itself, and not the event."""

import json
from typing import Any

import pytest
from sqlalchemy import update

from tests.bodies import declined
from tests.building import House
from tests.lane.owed import BAD_PHONE, JOHN, PHONE, owe, told
from tests.steered import Klaviyo
from vrio_klaviyo.deciding import PHONE_IGNORED, PHONE_REMOVED
from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import Delivery


def phones_in(attempt: Attempt) -> list[Any]:
    """The number in both of its places."""
    profile = json.loads(attempt.request_body)["data"]["attributes"]["profile"]["data"]["attributes"]
    return [profile.get("phone_number"), profile["properties"].get("$phone_number")]


@pytest.mark.requirement("003-59")
def test_a_refused_phone_is_taken_out_at_once(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house, declined(phone=BAD_PHONE))
    house.send(connection)

    delivery = house.delivery()
    first, second = house.attempts()
    assert [told(first), told(second)] == [("first", 400), ("phone_removed", 202)]
    assert (phones_in(first), phones_in(second)) == (["+15550000101"] * 2, [None, None])
    assert (delivery.status, delivery.tries) == ("accepted", 2)
    assert PHONE_REMOVED in delivery.notes
    assert (first.number, second.number) == (1, 2)
    (event,) = klaviyo.events()
    assert event["unique_id"] == "1001"
    assert "phone_number" not in klaviyo.profile(JOHN)


@pytest.mark.requirement("003-59")
def test_a_refused_phone_is_remembered_until_it_changes(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house, declined(1, phone=BAD_PHONE))
    house.send(connection)
    owe(house, declined(2, phone=BAD_PHONE, at="2026-08-30 11:01:00"))
    house.send(connection)
    owe(house, declined(3, at="2026-08-30 11:02:00"))
    house.send(connection)

    assert [len(house.attempts(delivery)) for delivery in house.deliveries()] == [2, 1, 1]
    assert phones_in(house.attempts(house.deliveries()[1])[0]) == [None, None]
    assert klaviyo.profile(JOHN)["phone_number"] == PHONE


@pytest.mark.requirement("003-59")
def test_a_refused_phone_is_taken_out_also_when_nobody_can_remember_it(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house, declined(phone=BAD_PHONE))
    with house.db.write() as session:
        session.execute(update(Delivery).values(customer_id=None))
    house.send(connection)

    assert [told(attempt) for attempt in house.attempts()] == [("first", 400), ("phone_removed", 202)]
    assert house.delivery().status == "accepted"


def test_two_customers_with_bad_phones_each_get_their_own_second_try(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(
        house,
        declined(1, customer=1, email="a@acme.test", phone=BAD_PHONE),
        declined(2, customer=2, email="b@acme.test", phone="(555) 000-0102"),
        declined(3, customer=3, email="c@acme.test"),
    )
    house.send(connection)

    assert [len(house.attempts(delivery)) for delivery in house.deliveries()] == [2, 2, 1]
    assert len(klaviyo.events()) == 3


def test_a_phone_that_another_profile_has_is_taken_out(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("status", status=409)
    owe(house)
    house.send(connection)

    assert [told(attempt) for attempt in house.attempts()] == [("first", 409), ("phone_removed", 202)]
    assert house.delivery().status == "accepted"


def test_a_conflict_without_a_phone_fails(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("status", status=409, times=None)
    owe(house)
    house.send(connection)

    assert [told(attempt) for attempt in house.attempts()] == [("first", 409), ("phone_removed", 409)]
    assert (house.delivery().status, house.delivery().reason) == ("failed", "409 duplicate_profile /data")


def test_a_phone_that_klaviyo_ignores_is_noted(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("partial_failure")
    owe(house, declined(1))
    house.send(connection)
    owe(house, declined(2, at="2026-08-30 11:01:00"))
    house.send(connection)

    first, second = house.deliveries()
    assert (first.status, second.status) == ("accepted", "accepted")
    assert PHONE_IGNORED in first.notes
    assert PHONE_IGNORED not in second.notes
    assert [phones_in(house.attempts(delivery)[0])[0] for delivery in (first, second)] == [PHONE, None]
