"""One worker at a time drains a source, batch by batch; who loses it, or is told to stop, changes nothing more."""

from datetime import timedelta
from typing import Any

from tests.bodies import declined
from tests.building import NOON, House
from tests.intake.taken import promised, taken_in
from vrio_klaviyo import intake
from vrio_klaviyo.intake import BATCH
from vrio_klaviyo.store import leases
from vrio_klaviyo.store.connections import Connection


def test_more_than_one_batch_is_worked_off_in_order(house: House, connection: Connection) -> None:
    numbers = range(BATCH * 2 + 1)
    events = taken_in(house, *[declined(number) for number in numbers])

    assert {event.status for event in events} == {"processed"}
    assert {event.starts for event in events} == {1}
    assert [unique_id for _, unique_id, _, _ in promised(house)] == [str(1000 + number) for number in numbers]


def test_a_source_that_somebody_else_works_on_is_left_alone(house: House, connection: Connection) -> None:
    inbound_id = house.post(declined())
    leases.acquire(house.db, f"intake/{house.source.id}", "worker/2", house.clock())
    house.take_in()

    assert house.inbound(inbound_id).status == "received"
    assert house.inbound(inbound_id).starts == 0


def test_who_loses_the_lease_in_the_middle_writes_nothing(house: House, connection: Connection) -> None:
    """The third time that the clock is asked is inside the second transaction, before its lease is looked at."""
    inbound_id = house.post(declined())
    asked: list[int] = []

    def clock() -> Any:
        asked.append(1)
        if len(asked) == 3:
            leases.acquire(house.db, f"intake/{house.source.id}", "worker/2", NOON + timedelta(minutes=10))
        return NOON

    engine = intake.Intake(db=house.db, ring=house.ring, now=clock)
    engine.drain(house.source.id, "worker/1")

    assert len(asked) == 3
    assert house.inbound(inbound_id).status == "received"
    assert house.deliveries() == []
    assert house.customers() == []
    with house.db.read() as session:
        assert session.get_one(leases.LeaseRow, f"intake/{house.source.id}").owner == "worker/2"


def test_who_is_told_to_stop_begins_nothing_and_rings(house: House, connection: Connection) -> None:
    inbound_id = house.post(declined())
    house.bells.clear()
    house.take_in(stopping=lambda: True)

    assert house.inbound(inbound_id).starts == 0
    assert house.bells == [("intake", house.source.id)]


def test_with_nothing_to_do_nothing_is_rung(house: House, connection: Connection) -> None:
    house.take_in()

    assert house.bells == []
