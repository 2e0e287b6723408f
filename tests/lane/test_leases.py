"""One worker at a time works on a lane; who loses it, or is told to stop, changes nothing more."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from tests.bodies import declined
from tests.building import House
from tests.lane.owed import BAD_PHONE, key_of, lease_of, owe, together
from tests.steered import Klaviyo
from vrio_klaviyo.store import leases
from vrio_klaviyo.store.connections import Connection, KeyStatus
from vrio_klaviyo.store.customers import ProfileLink
from vrio_klaviyo.store.leases import Lease


def test_a_lane_that_somebody_else_works_on_is_left_alone(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house)
    taken = leases.acquire(house.db, f"lane/{connection.account_id}", "worker/2", house.clock())
    house.send(connection)

    assert klaviyo.requests() == []
    assert house.attempts() == []
    assert (lease_of(house, connection).owner, lease_of(house, connection).fence) == ("worker/2", taken and taken.fence)


def take_over(house: House, connection: Connection) -> Callable[[], None]:
    """Somebody else gets the lane, because its lease ended long ago."""

    def act() -> None:
        leases.acquire(house.db, f"lane/{connection.account_id}", "worker/2", house.clock() + timedelta(minutes=10))

    return act


def test_who_loses_the_lease_while_klaviyo_is_asked_writes_nothing(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house, declined(1, phone=BAD_PHONE), declined(2, customer=302, email="b@acme.test"))
    klaviyo.while_asked(take_over(house, connection))
    house.send(connection, senders=1)

    for delivery in house.deliveries():
        (attempt,) = house.attempts(delivery)
        assert (attempt.response_status, attempt.duration_ms, attempt.error) == (None, None, None)
        assert (delivery.status, delivery.tries, delivery.next_trigger) == ("queued", 0, "first")
    with house.db.read() as session:
        assert session.query(ProfileLink).count() == 0
    assert (lease_of(house, connection).owner, lease_of(house, connection).fence) == ("worker/2", 2)

    # Who has it now finds the traces, and sends again.
    leases.release(house.db, Lease(f"lane/{connection.account_id}", 2))
    house.send(connection)
    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}
    assert sorted(event["unique_id"] for event in klaviyo.events()) == ["1001", "1002"]


def test_who_loses_the_lease_does_not_judge_the_key_either(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house)
    klaviyo.key("good", key_of(house, connection), revoked=True)
    klaviyo.while_asked(take_over(house, connection))
    house.send(connection)

    assert house.delivery().status == "queued"
    assert house.connection(connection).key_status == KeyStatus.UNCHECKED


def test_who_is_told_to_stop_begins_nothing(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house)
    house.send(connection, stopping=lambda: True)

    assert klaviyo.requests() == []
    assert house.bells == [("lane", connection.account_id)]
    assert lease_of(house, connection).owner is None


def test_who_is_told_to_stop_finishes_what_is_under_way(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    stop = threading.Event()
    owe(house, *[declined(number, customer=number, email=f"j{number}@acme.test") for number in range(5)])
    klaviyo.while_asked(stop.set)
    house.send(connection, stopping=stop.is_set, senders=1)

    first, *others = house.deliveries()
    assert [first.status, *(other.status for other in others)] == ["accepted"] + ["queued"] * 4
    assert [house.attempts(other) for other in others] == [[]] * 4
    assert lease_of(house, connection).owner is None
    assert house.bells == [("lane", connection.account_id)]


def test_several_workers_at_one_lane_send_each_once(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house, *[declined(n, customer=n, email=f"j{n}@acme.test") for n in range(20)])
    together(*[partial(house.send, connection, f"worker/{n}") for n in range(8)])
    house.settle(connection)

    assert len(klaviyo.requests()) == 20
    assert {event["repeats"] for event in klaviyo.events()} == {0}
    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}
