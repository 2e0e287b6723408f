"""Turns: one for each customer at a time, in order, and nobody is kept from theirs."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from tests.building import NOON, House
from vrio_klaviyo.klaviyo.requests import Known
from vrio_klaviyo.store import turns
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import ProfileLink
from vrio_klaviyo.store.deliveries import BACKFILL, LIVE, REPLAY, RETRY, Delivery
from vrio_klaviyo.store.turns import Due


def due(house: House, connection: Connection, limit: int = 16, busy: frozenset[str] = frozenset()) -> list[Due]:
    with house.db.read() as session:
        return turns.claim_due(session, connection.account_id, house.clock(), limit, busy)


def numbers(claimed: list[Due]) -> list[str]:
    return [one.delivery.unique_id for one in claimed]


def link(house: House, delivery: Delivery, accepted_as_of: datetime | None = None, phone: str | None = None) -> None:
    with house.db.write() as session:
        session.add(
            ProfileLink(
                connection_id=delivery.connection_id,
                customer_id=delivery.customer_id,
                accepted_as_of=accepted_as_of,
                refused_phone=phone,
                accepted_phone=None,
            )
        )


def test_the_longest_due_is_taken_first(house: House, connection: Connection) -> None:
    owed = [house.owe(connection, number, customer=number) for number in (1, 2, 3, 4)]
    house.change(owed[2], next_attempt_at=NOON - timedelta(seconds=1), status="retrying")

    assert numbers(due(house, connection)) == ["1003", "1001", "1002", "1004"]
    assert numbers(due(house, connection, 2)) == ["1003", "1001"]


def test_a_customer_has_one_turn_at_a_time(house: House, connection: Connection) -> None:
    for number, customer in ((1, 301), (2, 301), (3, 302), (4, 301)):
        house.owe(connection, number, customer=customer)

    assert numbers(due(house, connection)) == ["1001", "1003"]


def test_what_has_to_be_retried_is_overtaken(house: House, connection: Connection) -> None:
    first, _ = house.owe(connection, 1), house.owe(connection, 2)
    house.change(first, status="retrying", next_attempt_at=NOON + timedelta(seconds=5))

    assert numbers(due(house, connection)) == ["1002"]


def test_what_is_not_due_yet_is_not_taken(house: House, connection: Connection) -> None:
    house.change(house.owe(connection), status="retrying", next_attempt_at=NOON + timedelta(seconds=5))

    assert due(house, connection) == []
    house.clock.advance(seconds=5)
    assert numbers(due(house, connection)) == ["1001"]


@pytest.mark.parametrize("status", ["accepted", "failed", "skipped", "held"])
def test_what_is_not_owed_is_not_taken(house: House, connection: Connection, status: str) -> None:
    house.change(house.owe(connection), status=status)

    assert due(house, connection) == []


@pytest.mark.parametrize(
    ("accepted_as_of", "overtaken"), [(None, False), (NOON, False), (NOON + timedelta(seconds=1), True)]
)
def test_what_klaviyo_knows_of_the_customer_comes_along(
    house: House, connection: Connection, accepted_as_of: datetime | None, overtaken: bool
) -> None:
    delivery = house.owe(connection, as_of=NOON)
    assert due(house, connection)[0].known == Known()
    link(house, delivery, accepted_as_of, "+15550000101")

    assert due(house, connection)[0].known == Known(refused_phone="+15550000101", overtaken=overtaken)


@pytest.mark.parametrize("after", ["retried", "asked", "resumed"])
@pytest.mark.parametrize(
    ("changes", "overtaken"),
    [
        ({}, True),
        ({"status": "failed"}, False),
        ({"as_of": NOON - timedelta(seconds=1)}, False),
    ],
    ids=["accepted", "failed", "older"],
)
def test_what_goes_out_of_turn_minds_what_was_told_after_it_at_the_same_time(
    house: House, connection: Connection, after: str, changes: dict[str, Any], overtaken: bool
) -> None:
    first, second = house.owe(connection, 1), house.owe(connection, 2)
    link(house, first, NOON)
    house.change(second, **{"status": "accepted"} | changes)
    assert not due(house, connection)[0].known.overtaken
    house.clock.advance(minutes=1)
    again = {"retried": {"status": "retrying", "tries": 1}, "asked": {"asked": "manual"}, "resumed": {}}[after]
    house.change(first, next_attempt_at=house.clock(), **again)

    assert due(house, connection)[0].known.overtaken is overtaken


def test_neither_what_was_told_before_nor_the_same_webhook_nor_another_connection_overtakes(
    house: House, connection: Connection
) -> None:
    before, one, same, elsewhere = (house.owe(connection, number) for number in range(4))
    beside = house.connect("Beside", beside=connection)
    house.change(before, status="accepted")
    house.change(same, status="accepted", inbound_event_id=one.inbound_event_id)
    house.change(elsewhere, status="accepted", connection_id=beside.id)
    link(house, one, NOON)
    house.clock.advance(minutes=1)
    house.change(one, status="retrying", tries=1, next_attempt_at=house.clock())

    assert numbers(due(house, connection)) == ["1001"]
    assert not due(house, connection)[0].known.overtaken


def test_what_goes_in_turn_asks_for_nothing_that_was_told_after_it(house: House, connection: Connection) -> None:
    link(house, house.owe(connection), NOON)
    asked: list[str] = []
    event.listen(house.db.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    due(house, connection)

    assert asked
    assert not any("later" in statement for statement in asked)


def test_what_was_told_after_it_is_found_by_the_customer(house: House, connection: Connection) -> None:
    """Not by the connection, which may have a million."""
    asked, is_sqlite = turns._OVERTAKEN.params(deliveries=["x", "y"]), house.db.engine.dialect.name == "sqlite"
    query = asked.compile(house.db.engine, compile_kwargs={"literal_binds": True})
    with house.db.read() as session:
        if not is_sqlite:
            # It chooses by what the table holds, and this one is empty.
            session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = session.execute(text(f"EXPLAIN {'QUERY PLAN ' * is_sqlite}{query}")).all()

    assert "ix_deliveries_customer_id" in str(plan)
    assert "SCAN later" not in str(plan)


def test_what_another_connection_knows_does_not_count(house: House, connection: Connection) -> None:
    delivery = house.owe(connection)
    link(house, delivery, NOON + timedelta(days=1), "+15550000101")
    beside = house.connect("Beside", beside=connection)
    house.change(delivery, connection_id=beside.id)

    assert due(house, connection)[0].known == Known()


def test_all_of_one_order_go_before_any_of_the_next(house: House, connection: Connection) -> None:
    for number, lane_order in enumerate((BACKFILL, REPLAY, RETRY, LIVE)):
        house.change(house.owe(connection, number, customer=number), lane_order=lane_order)

    assert numbers(due(house, connection)) == ["1003", "1002", "1001", "1000"]
    assert numbers(due(house, connection, 2)) == ["1003", "1002"]


def test_who_is_busy_has_no_turn(house: House, connection: Connection) -> None:
    busy = house.owe(connection, 1, customer=1)
    house.owe(connection, 2, customer=1)
    house.owe(connection, 3, customer=2)
    nobody = house.owe(connection, 4, customer=3)
    house.change(nobody, customer_id=None)

    assert busy.customer_id is not None
    assert numbers(due(house, connection, busy=frozenset({busy.customer_id}))) == ["1003", "1004"]
    assert numbers(due(house, connection, busy=frozenset({busy.customer_id, nobody.id}))) == ["1003"]


def test_however_many_one_customer_has_the_others_are_found(house: House, connection: Connection) -> None:
    for number in range(40):
        house.owe(connection, number, customer=1)
    for number in range(3):
        house.owe(connection, 100 + number, customer=2 + number)

    assert numbers(due(house, connection, 4)) == ["1000", "1100", "1101", "1102"]
    assert numbers(due(house, connection, 2)) == ["1000", "1100"]


def test_those_of_nobody_each_have_a_turn(house: House, connection: Connection) -> None:
    for number in range(3):
        house.change(house.owe(connection, number), customer_id=None)

    assert numbers(due(house, connection)) == ["1000", "1001", "1002"]


def test_a_job_takes_all_of_each_customer(house: House, connection: Connection) -> None:
    for number, customer in ((1, 301), (2, 301), (3, 302)):
        house.owe(connection, number, customer=customer)
    house.change(house.owe(connection, 4, customer=303), lane_order=RETRY)
    with house.db.read() as session:
        claimed = turns.claim_all_due(session, connection.id, NOON, 10)
        some = turns.claim_all_due(session, connection.id, NOON, 2)

    assert numbers(claimed) == ["1001", "1002", "1003", "1004"]
    assert numbers(some) == ["1001", "1002"]


def test_a_backlog_is_counted_no_further_than_need_be(house: House, connection: Connection) -> None:
    beside = house.connect("Beside", beside=connection)
    for number in range(3):
        house.owe(connection, number)
        house.owe(beside, number)
    with house.db.read() as session:
        counted = [turns.backlog(session, connection.account_id, NOON, enough) for enough in (100, 4, 1)]
        assert turns.backlog(session, connection.account_id, NOON - timedelta(seconds=1), 100) == 0

    assert counted == [6, 4, 1]


def test_turns_are_found_without_reading_the_rows(house: House, connection: Connection) -> None:
    """A row is some kilobytes, and who skips fifty thousand of them must not read them."""
    if house.db.engine.dialect.name == "postgresql":
        # It chooses by what the table holds, and this one is empty.
        return
    query = str(turns._DUE_OF_OTHERS).replace("(__[POSTCOMPILE_busy])", "('x')")
    values = {"connection": connection.id, "lane_order": 0, "now": NOON.isoformat(), "most": 5}
    with house.db.read() as session:
        plan = session.execute(text(f"EXPLAIN QUERY PLAN {query}"), values).all()

    assert "USING COVERING INDEX ix_deliveries_owed" in str(plan)
    assert "TEMP B-TREE" not in str(plan)


def test_a_lane_takes_what_its_own_account_owes(house: House, connection: Connection) -> None:
    beside, other = house.connect("Beside", beside=connection), house.connect("Other")
    house.owe(beside, 1)
    house.owe(other, 2)
    house.owe(connection, 3)

    assert numbers(due(house, connection)) == ["1001"]
    assert numbers(due(house, other)) == ["1002"]
    with house.db.read() as session:
        assert set(turns.lanes_to_ring(session, NOON)) == {connection.account_id, other.account_id}
        assert turns.lanes_to_ring(session, NOON - timedelta(seconds=1)) == []
        assert turns.next_due_at(session, connection.account_id) == NOON
        assert turns.next_due_at(session, "ka_none") is None
