"""Figures of what is under way: told for the whole installation, from indexes alone, and counted only so far."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, text

from tests.building import House
from vrio_klaviyo import traffic
from vrio_klaviyo.store import figures, periods, set_back
from vrio_klaviyo.store.connections import Connection, archive_connection
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import Delivery
from workers.clock import RESTS, WAITS

# What is watched must not be read through: the log of a year, and that of all webhooks.
LONG = ("deliveries", "inbound_events", "webhooks")


def plans(house: House, ask: Callable[[Session], Any], kind: str = "SELECT") -> list[str]:
    """How the database goes about each statement of this kind by which something is asked."""
    asked: list[tuple[str, Any]] = []

    def _note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        asked.append((statement, parameters))

    event.listen(house.db.engine, "before_cursor_execute", _note)
    with house.db.trial() as session:
        ask(session)
    event.remove(house.db.engine, "before_cursor_execute", _note)
    queries = [(statement, given) for statement, given in asked if statement.startswith(kind)]
    is_postgresql = house.db.engine.dialect.name == "postgresql"
    with house.db.write() as session:
        if is_postgresql:
            # Of so few rows it would read all; what it does without is what it does with a million.
            session.execute(text("SET LOCAL enable_seqscan = off"))
            session.execute(text("ANALYZE"))
        explain = "EXPLAIN" if is_postgresql else "EXPLAIN QUERY PLAN"
        rows = [session.connection().exec_driver_sql(f"{explain} {query}", given).all() for query, given in queries]
    return ["\n".join(str(row[-1]) for row in plan) for plan in rows]


QUESTIONS: dict[str, Callable[[House, Session], Any]] = {
    "owed": lambda _house, session: figures.owed(session),
    "unfinished": lambda _house, session: figures.unfinished(session),
    "Health": lambda house, session: traffic.under_way(session, house.clock()),
}


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
def test_what_is_under_way_is_read_from_indexes(house: House, ask: Callable[[House, Session], Any]) -> None:
    house.owe(house.connect())
    house.connect("Another")

    told = plans(house, lambda session: ask(house, session))

    assert any(f"ix_{table}_" in plan for table in LONG for plan in told)
    for plan in told:
        for table in LONG:
            assert f"SCAN {table}" not in plan, plan
            assert f"Seq Scan on {table}" not in plan, plan


def test_what_a_clock_wrote_that_was_set_back_is_looked_for_in_indexes(house: House) -> None:
    house.owe(house.connect())

    told = plans(house, lambda session: set_back.pull_in(session, house.clock(), RESTS, WAITS), "UPDATE")

    steps = [step for plan in told for step in plan.splitlines() if any(table in step for table in LONG)]
    assert all(any(f"ix_{table}_" in step for step in steps) for table in ("deliveries", "inbound_events"))
    assert not [step for step in steps if "Seq Scan" in step or ("SCAN" in step and "ix_" not in step)]


def test_what_is_under_way_is_counted_only_so_far(house: House) -> None:
    connection = house.connect()
    for number in range(3):
        house.owe(connection, number)

    with house.db.read() as session:
        assert periods.standing(session, [connection.id])["queued"] == 3
        assert periods.standing(session, [connection.id], most=2)["queued"] == 2
        assert periods.to_be_read(session, [house.source.id], most=2) == {"received": 2, "waiting": 0}


def test_what_was_put_away_is_owed_to_nobody(house: House) -> None:
    connection = house.connect()
    owed = house.owe(connection)
    with house.db.write() as session:
        session.get_one(Delivery, owed.id).status = "held"
        archive_connection(session.get_one(Connection, connection.id), house.clock())

    with house.db.read() as session:
        assert figures.owed(session) == {"queued": 0, "retrying": 0, "held": 0}


def test_what_is_under_way_is_counted(house: House) -> None:
    connection = house.connect()
    owed = [house.owe(connection, number) for number in range(1, 5)]
    with house.db.write() as session:
        session.get_one(Delivery, owed[1].id).status = "held"
        session.get_one(Delivery, owed[2].id).status = "accepted"

    with house.db.read() as session:
        assert figures.owed(session) == {"queued": 2, "retrying": 0, "held": 1}
        assert figures.unfinished(session) == {"received": 4, "waiting": 0}
