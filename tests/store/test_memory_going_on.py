"""What the memory takes from one transaction into the next: long histories, as long as they are the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import delete, event, insert

from tests.building import NOON, House
from vrio_klaviyo.recollection import Shelf
from vrio_klaviyo.store.memory import LONG, LongHistory, Memory, Picture, RecordRow


def known(house: House, customer: str, number: int) -> None:
    """As if so many orders of a customer were remembered."""
    whose = {"source_id": house.source.id, "kind": "order", "vrio_customer_id": customer, "as_of": NOON}
    orders = [whose | {"vrio_id": f"{customer}-{one}", "body": b'{"status":"active"}'} for one in range(number)]
    with house.db.write() as session:
        session.execute(insert(RecordRow), orders)


@contextmanager
def bodies_asked_for(house: House) -> Iterator[list[str]]:
    """The statements that read bodies meanwhile."""
    asked: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "records.body" in statement:
            asked.append(statement)

    event.listen(house.db.engine, "before_cursor_execute", note)
    yield asked
    event.remove(house.db.engine, "before_cursor_execute", note)


def read(house: House, *customers: str) -> Memory:
    """A memory that knows all of these, and goes on."""
    with house.db.read() as session:
        memory = Memory(session, house.source.id)
        memory.expect([("customer", customer) for customer in customers])
    return memory


def things_of(memory: Memory, customer: str) -> list[Picture]:
    """The pictures of all things that this customer has."""
    return list(Shelf(memory, customer, lambda picture: picture).things().values())


def test_a_long_history_is_not_read_again(house: House) -> None:
    known(house, "301", LONG)
    known(house, "302", LONG - 1)
    memory = read(house, "301", "302")

    with house.db.write() as session, bodies_asked_for(house) as asked:
        memory.go_on(session)
        assert memory.long_histories() == {"301"}
        assert len(things_of(memory, "301")) == LONG
        assert asked == []
        assert len(things_of(memory, "302")) == LONG - 1
        assert len(asked) == 1


def test_what_was_remembered_of_it_goes_along(house: House) -> None:
    known(house, "301", LONG)
    memory = read(house, "301")
    with house.db.write() as session:
        memory.go_on(session)
        memory.remember([Picture("order", "301-7", "301", NOON, b'{"status":"paused"}')])
        memory.remember([Picture("order", "new", "301", NOON, b"{}")])
        # It turns out to be another customer's.
        memory.remember([Picture("order", "301-8", "303", NOON, b"{}")])

    with house.db.write() as session, bodies_asked_for(house) as asked:
        memory.go_on(session)
        assert {one.vrio_id for one in things_of(memory, "301")} == (
            {f"301-{number}" for number in range(LONG)} - {"301-8"} | {"new"}
        )
        assert b"paused" in next(one.body for one in things_of(memory, "301") if one.vrio_id == "301-7")
        assert asked == []


@pytest.mark.parametrize("forgotten", ["all of it", "one thing"])
def test_of_what_was_removed_meanwhile_nothing_is_known(house: House, forgotten: str) -> None:
    known(house, "301", LONG)
    memory = read(house, "301")
    rows = delete(RecordRow).where(RecordRow.vrio_customer_id == "301")
    with house.db.write() as session:
        session.execute(rows if forgotten == "all of it" else rows.where(RecordRow.vrio_id == "301-7"))

    with house.db.write() as session:
        memory.go_on(session)
        assert memory.recall("order", "301-7") is None
        assert len(things_of(memory, "301")) == (0 if forgotten == "all of it" else LONG - 1)


def test_more_than_may_be_is_not_read(house: House) -> None:
    known(house, "301", 3)
    known(house, "302", 3)
    with house.db.read() as session:
        memory = Memory(session, house.source.id)
        with pytest.raises(LongHistory):
            memory.expect([("customer", "301"), ("customer", "302")], at_most=5)
        memory.expect([("customer", "301"), ("customer", "302")], at_most=6)
        assert len(things_of(memory, "301")) == 3


def test_what_became_known_is_told_in_its_order(house: House) -> None:
    known(house, "301", 2)
    with house.db.write() as session:
        memory = Memory(session, house.source.id)
        seen = len(memory.told_of("301"))
        memory.remember([Picture("order", "301-1", "302", NOON, b'{"status":"paused"}')])
        (moved,) = memory.told_of("301", seen)

    assert (moved.vrio_id, moved.vrio_customer_id) == ("301-1", "302")
