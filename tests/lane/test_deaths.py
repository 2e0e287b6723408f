"""What workers leave behind that were killed, and what they died of."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.building import House
from tests.lane.owed import arrives, open_attempt, owe, told
from tests.steered import Klaviyo
from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.leases import LEASE_S
from vrio_klaviyo.store.results import DEADLY_REASON, INTERRUPTED


@pytest.mark.parametrize("arrived", [False, True])
def test_a_worker_that_was_killed_leaves_a_trace_and_nothing_counts_twice(
    house: House, connection: Connection, klaviyo: Klaviyo, arrived: bool
) -> None:
    owe(house)
    open_attempt(house, connection)
    if arrived:
        arrives(house, connection, house.attempts()[0])
    house.send(connection)
    assert house.attempts()[0].error is None  # The dead one's lease is still good.

    house.clock.advance(seconds=LEASE_S + 1)
    house.send(connection)
    first, second = house.attempts()
    assert (first.error, first.response_status, first.duration_ms) == (INTERRUPTED, None, None)
    assert told(second) == ("interrupted", 202)
    assert (first.request_body, second.number) == (second.request_body, 2)
    assert [event["repeats"] for event in klaviyo.events()] == [int(arrived)]
    assert (house.delivery().status, house.delivery().tries) == ("accepted", 2)


def die_with(house: House, connection: Connection) -> None:
    """A worker claims what is next, and dies."""
    open_attempt(house, connection)
    house.clock.advance(seconds=LEASE_S + 1)


def test_what_three_workers_died_of_is_set_aside_and_says_so(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    poison, other = house.owe(connection, 1, customer=1), house.owe(connection, 2, customer=2)
    for _ in range(3):
        die_with(house, connection)
    house.settle(connection)

    found = {delivery.id: delivery for delivery in house.deliveries()}
    assert (found[poison.id].status, found[other.id].status) == ("failed", "accepted")
    assert (found[poison.id].reason, found[poison.id].deaths) == (DEADLY_REASON, 3)
    assert found[poison.id].finished_at is not None
    assert {attempt.error for attempt in house.attempts(poison)} == {INTERRUPTED}
    assert [event["unique_id"] for event in klaviyo.events()] == ["1002"]


@pytest.mark.parametrize("ahead", [False, True])
def test_what_a_worker_died_of_is_tried_alone(
    house: House, connection: Connection, klaviyo: Klaviyo, ahead: bool
) -> None:
    suspect = house.owe(connection, 1, customer=1)
    die_with(house, connection)
    if ahead:
        with house.db.write() as session:
            session.get_one(Delivery, suspect.id).next_attempt_at = house.clock() + timedelta(seconds=1)
    for number in range(2, 12):
        house.owe(connection, number, customer=number)
    house.clock.advance(seconds=1)
    beside: list[int] = []

    def look() -> None:
        with house.db.read() as session:
            open_ = select(Attempt.id).where(Attempt.duration_ms.is_(None), Attempt.error.is_(None))
            beside.append(len(session.scalars(open_).all()))

    klaviyo.while_asked(look, unique_id="1001")
    house.settle(connection)

    order = [event["unique_id"] for event in klaviyo.events()]
    assert order.index("1001") == (10 if ahead else 0)
    assert beside == [1]
    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}
    assert len(house.attempts(suspect)) == 2
