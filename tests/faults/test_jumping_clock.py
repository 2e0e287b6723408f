"""The machine's clock jumps: by hours, ahead and back, in the middle of everything."""

from collections.abc import Iterator

import pytest

from tests.building import House, Klaviyo
from tests.faults.promise import keeps_its_promise
from tests.faults.vrio import Vrio, sale
from vrio_klaviyo.store import deliveries, inbound, leases
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
        assert deliveries.lanes_to_ring(session, house.clock()) == [connection.account_id]
        assert leases.resting(session, house.clock()) == set()
