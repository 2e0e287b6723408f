"""The machine's clock jumps: by hours, ahead and back, in the middle of everything."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, count, repeat

import pytest

from tests.building import House
from tests.faults.promise import keeps_its_promise
from tests.faults.vrio import Vrio, sale
from tests.steered import Klaviyo
from vrio_klaviyo.forgetting import Forgetter, Forgotten, Kept
from vrio_klaviyo.store import inbound, leases, turns
from vrio_klaviyo.store.db import Database


@pytest.fixture
def house(database: Database, klaviyo: Klaviyo) -> Iterator[House]:
    house = House(database, klaviyo.url)
    yield house
    house.close()


@pytest.mark.parametrize("hours", [30, -30])
def test_the_clock_jumps_and_nothing_is_lost_or_doubled(house: House, klaviyo: Klaviyo, hours: int) -> None:
    connection = house.connect()
    vrio = Vrio("")
    house.clock.advance(days=2)

    def post(number: int) -> None:
        house.post(sale(number))
        vrio.acknowledged.add(number)

    post(1)
    house.take_in()
    post(2)
    # It jumps while the lane waits for an answer, and while one of its deliveries waits for its next try.
    klaviyo.fault("status", status=503)
    klaviyo.while_asked(lambda: house.clock.advance(hours=hours))
    house.send(connection)
    post(3)
    house.take_in()
    house.settle(connection)
    # A second worker finds the leases as the first one left them, in whatever time.
    house.clock.advance(hours=-hours)
    house.take_in()
    house.clock.advance(hours=80)
    with house.db.write() as session:
        inbound.wake_overdue(session, house.clock())
    house.take_in()
    house.settle(connection)
    keeps_its_promise(vrio, house.db, klaviyo.url, seconds=0)


@pytest.mark.parametrize("hours", [30, -30])
def test_a_sweep_finds_what_is_due_whatever_the_clock_says(house: House, klaviyo: Klaviyo, hours: int) -> None:
    connection = house.connect()
    house.owe(connection)
    house.clock.advance(hours=hours)
    house.clock.advance(hours=30)
    with house.db.read() as session:
        assert turns.lanes_to_ring(session, house.clock()) == [connection.account_id]
        assert leases.resting(session, house.clock()) == set()


def forget(house: House) -> Forgotten:
    kept = Kept(bodies=timedelta(days=30), rows=timedelta(days=400))
    return Forgetter(db=house.db, kept=kept, now=house.clock).forget("worker/1")


@pytest.mark.parametrize("days", [2, 40, 2 * 365])
def test_a_jump_ahead_takes_nothing_with_it(house: House, days: int) -> None:
    """Also not when it stays for longer than retention waits for: it is put right before the third day is over."""
    connection = house.connect()
    house.clock.now = datetime.now(UTC)
    house.owe(connection)
    house.settle(connection)
    before = house.delivery()
    assert forget(house) == Forgotten()
    house.clock.advance(days=1)
    assert forget(house) == Forgotten()
    house.clock.advance(days=days)
    for _ in range(3):
        # The clock's bell rings over and over.
        assert forget(house) == Forgotten()
        house.clock.advance(hours=23)
    house.clock.advance(days=-days)
    assert forget(house) == Forgotten()
    after = house.delivery()
    assert (after.request, after.bodies_removed_at) == (before.request, None)


def test_what_is_late_because_nobody_worked_goes_a_few_days_later(house: House) -> None:
    connection = house.connect()
    house.clock.now = datetime.now(UTC)
    house.owe(connection)
    house.settle(connection)
    forget(house)
    house.clock.advance(days=31)
    assert forget(house) == Forgotten()
    house.clock.advance(days=3)
    assert forget(house).bodies == 1


def test_a_jump_in_the_middle_of_forgetting_takes_nothing_more_with_it(house: House) -> None:
    connection = house.connect()
    house.clock.now = datetime.now(UTC)
    for number in range(2):
        house.owe(connection, number, customer=number)
        house.settle(connection)
        house.clock.advance(days=20)

    # The right time twice: for the lease, and for what is old.
    right = house.clock()
    times = chain(repeat(right, 2), (right + timedelta(days=365 * number) for number in count(1)))
    kept = Kept(bodies=timedelta(days=30), rows=timedelta(days=400))
    assert Forgetter(db=house.db, kept=kept, now=lambda: next(times)).forget("worker/1").bodies == 1
    assert [bool(one.request) for one in house.deliveries()] == [False, True]
