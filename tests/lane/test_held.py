"""What may not go out now is held, or skipped, and stops nobody else."""

import pytest

from sandbox.klaviyo import OTHER_ACCOUNT_KEY, REVOKED_KEY
from tests.bodies import declined
from tests.building import House
from tests.lane.owed import owe, told
from tests.steered import Klaviyo
from vrio_klaviyo.store import holding
from vrio_klaviyo.store.connections import Connection, KeyStatus
from vrio_klaviyo.store.resending import MANUAL


@pytest.mark.requirement("003-70")
def test_a_refused_key_stops_its_connection_and_nobody_else(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    revoked = house.connect("Revoked", REVOKED_KEY, beside=connection)
    owe(house, *[declined(number, customer=number, email=f"j{number}@acme.test") for number in (1, 2, 3)])
    house.send(connection, senders=1)

    assert {delivery.status for delivery in house.deliveries(connection)} == {"accepted"}
    held = house.deliveries(revoked)
    assert {(delivery.status, delivery.reason, delivery.tries) for delivery in held} == {("held", "key_rejected", 0)}
    assert [len(house.attempts(delivery)) for delivery in held] == [1, 0, 0]
    refused = house.connection(revoked)
    assert (refused.key_status, refused.status, refused.checked_at) == ("rejected", "key_rejected", house.clock())
    assert refused.key_reason.startswith("401 ")
    assert house.connection(connection).key_status == KeyStatus.UNCHECKED
    assert len([request for request in klaviyo.requests() if request["key"] == "revoked"]) == 1


def test_what_comes_for_a_refused_key_is_held_without_asking(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    house.change(connection, key_status=KeyStatus.REJECTED)
    owe(house)
    house.send(connection)

    assert klaviyo.requests() == []
    assert (house.delivery().status, house.delivery().reason) == ("held", "key_rejected")


def test_what_was_held_for_its_key_goes_out_when_the_key_is_good(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    klaviyo.fault("status", status=401)
    owe(house)
    house.send(connection)
    house.change(connection, key_status=KeyStatus.ACCEPTED)
    house.clock.advance(days=10)
    with house.db.write() as session:
        assert holding.resume_held(session, [connection.id], ["key_rejected"], house.clock()) == 1
    house.send(connection)

    assert house.delivery().status == "accepted"
    assert [told(attempt)[1] for attempt in house.attempts()] == [401, 202]


def test_a_page_of_the_proxy_says_nothing_of_the_key(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("html", status=403)
    owe(house)
    house.send(connection)

    assert house.delivery().status == "retrying"
    assert house.connection(connection).key_status == KeyStatus.UNCHECKED


def test_a_key_that_cannot_be_opened_holds_its_connection(house: House, connection: Connection) -> None:
    house.change(connection, key_sealed=b"not ours")
    owe(house)
    house.send(connection)

    assert (house.delivery().status, house.delivery().reason) == ("held", "key_rejected")
    (attempt,) = house.attempts()
    assert attempt.error is not None
    assert "ENCRYPTION_KEYS" in attempt.error


@pytest.mark.parametrize("status", [404, 405, 410, 415])
def test_a_refused_endpoint_holds_the_whole_lane_and_nothing_fails(
    house: House, connection: Connection, klaviyo: Klaviyo, status: int
) -> None:
    beside, other = house.connect("Beside", beside=connection), house.connect("Other", OTHER_ACCOUNT_KEY)
    klaviyo.fault("status", status=status)
    owe(house, declined(1, customer=1, email="a@acme.test"), declined(2, customer=2, email="b@acme.test"))
    house.send(connection, senders=1)

    held = house.deliveries(connection) + house.deliveries(beside)
    assert {(one.status, one.reason, one.tries) for one in held} == {("held", "endpoint_refused", 0)}
    assert sorted(len(house.attempts(delivery)) for delivery in held) == [0, 0, 0, 1]
    assert {delivery.status for delivery in house.deliveries(other)} == {"queued"}
    assert len(klaviyo.requests()) == 1


@pytest.mark.requirement("003-13")
def test_what_is_queued_when_the_connection_is_paused_is_held(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house)
    house.change(connection, active=False)
    house.send(connection)

    assert klaviyo.requests() == []
    assert (house.delivery().status, house.delivery().reason) == ("held", "connection_paused")
    assert house.bells == []


@pytest.mark.requirement("003-10")
def test_what_is_queued_when_push_events_is_switched_off_is_skipped(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    klaviyo.fault("status", status=500)
    owe(house, declined(1), declined(2))
    house.send(connection)
    house.change(connection, push_events=False)
    owe(house, declined(3))
    house.clock.advance(seconds=10)
    house.send(connection)

    assert [(one.status, one.reason) for one in house.deliveries()] == [
        ("skipped", "push_events_off"),
        ("accepted", ""),
        ("skipped", "push_events_off"),
    ]
    assert len(klaviyo.requests()) == 2


def test_a_switch_of_one_connection_leaves_its_neighbour_alone(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    paused = house.connect("Paused", beside=connection)
    owe(house)
    house.change(paused, active=False)
    house.send(connection)

    assert [delivery.status for delivery in house.deliveries(connection)] == ["accepted"]
    assert [delivery.status for delivery in house.deliveries(paused)] == ["held"]


def test_not_even_what_a_person_asked_for_goes_through_an_archived_connection(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    asked = house.owe(connection)
    house.change(asked, asked=MANUAL)
    house.change(connection, active=False, archived_at=house.clock())
    house.send(connection)

    assert klaviyo.requests() == []
    assert (house.delivery().status, house.delivery().reason) == ("held", "connection_paused")
