"""What workers die of is tried alone and then set aside; what is no webhook's fault is not counted against it."""

import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text, update
from structlog.testing import capture_logs

from tests.bodies import declined
from tests.building import NOON, House
from tests.intake.taken import promised
from vrio_klaviyo import intake
from vrio_klaviyo.intake import DIED
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.db import DatabaseError, is_outage
from vrio_klaviyo.store.inbound import MOST_STARTS, InboundEvent, note_crash
from vrio_klaviyo.store.memory import RecordRow


def starts(house: House, inbound_id: str, number: int) -> None:
    """As if work on it had begun this often and never ended."""
    with house.db.write() as session:
        session.execute(update(InboundEvent).where(InboundEvent.id == inbound_id).values(starts=number))


def test_what_killed_three_workers_is_set_aside_and_the_others_go_on(house: House, connection: Connection) -> None:
    ids = [house.post(declined(number)) for number in range(3)]
    starts(house, ids[1], MOST_STARTS)
    with capture_logs() as told:
        house.take_in()

    assert [(line["log_level"], line["inbound"], line["status"]) for line in told] == [
        ("info", ids[0], "processed"),
        ("info", ids[2], "processed"),
        ("error", ids[1], "failed"),
    ]
    first, second, third = [house.inbound(inbound_id) for inbound_id in ids]
    assert (second.status, second.reason) == ("failed", DIED)
    assert (first.status, third.status) == ("processed", "processed")
    assert [unique_id for _, unique_id, _, _ in promised(house)] == ["1000", "1002"]


@pytest.mark.parametrize("number", range(1, MOST_STARTS))
def test_what_killed_fewer_workers_is_tried_again(house: House, connection: Connection, number: int) -> None:
    inbound_id = house.post(declined())
    starts(house, inbound_id, number)
    house.take_in()

    assert house.inbound(inbound_id).status == "processed"


def poison(house: House, customer: int) -> None:
    """What no webhook can cause: what is remembered of this customer cannot be read, and work on it raises."""
    row = {
        "source_id": house.source.id,
        "kind": "customer",
        "vrio_id": str(customer),
        "vrio_customer_id": str(customer),
    }
    with house.db.write() as session:
        session.execute(insert(RecordRow).values(row | {"as_of": NOON - timedelta(days=1), "body": b"nonsense"}))


def crash(house: House) -> None:
    """Run the intake into what raises, as a worker does, which notes it."""
    engine = intake.Intake(db=house.db, ring=house.ring, now=house.clock, longest_batch_s=60)
    try:
        engine.drain(house.source.id, "worker/1")
    except ValueError:
        with house.db.write() as session:
            note_crash(session, engine.begun, traceback.format_exc(limit=-8))
        return
    raise AssertionError("nothing raised")


def test_what_raises_is_tried_alone_and_after_three_times_set_aside_with_its_traceback(
    house: House, connection: Connection
) -> None:
    ids = [house.post(declined(number, customer=300 + number)) for number in range(3)]
    poison(house, 301)
    crash(house)
    # Nothing was half done, and nobody knows yet which one it was.
    assert house.deliveries() == []
    assert [house.inbound(one).starts for one in ids] == [1, 1, 1]
    crash(house)
    assert [house.inbound(one).starts for one in ids] == [2, 2, 1]
    assert [house.inbound(one).status for one in ids] == ["processed", "received", "received"]
    later = house.post(declined(3, customer=303))
    crash(house)
    # What killed two waits until nobody else does.
    assert [house.inbound(one).status for one in (*ids, later)] == ["processed", "received", "processed", "processed"]
    house.take_in()

    poisoned = house.inbound(ids[1])
    assert (poisoned.status, poisoned.starts) == ("failed", MOST_STARTS + 1)
    assert poisoned.reason.startswith("Traceback")
    assert "JSONDecodeError" in poisoned.reason
    assert [house.inbound(one).reason for one in (ids[0], ids[2], later)] == ["", "", ""]
    assert len(house.deliveries()) == 3


@contextmanager
def database_failing(house: House) -> Iterator[None]:
    """A database that is not to be had: for PostgreSQL a lost connection, for SQLite a table that is not there."""
    with house.db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            where = "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(text(f"{others} {where}"))
            yield
            return
    with house.db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE customers RENAME TO elsewhere"))
    yield
    with house.db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO customers"))


def test_a_database_that_fails_is_no_webhooks_death(house: House, connection: Connection) -> None:
    ids = [house.post(declined(number, customer=300 + number)) for number in range(3)]
    for _ in range(MOST_STARTS + 1):
        with ExitStack() as failing:
            asked: list[int] = []

            def clock(asked: list[int] = asked, failing: ExitStack = failing) -> Any:
                """Asked for the third time right before the second transaction, and then in it."""
                asked.append(1)
                if len(asked) == (3 if house.db.engine.dialect.name == "sqlite" else 4):
                    failing.enter_context(database_failing(house))
                return house.clock()

            engine = intake.Intake(db=house.db, ring=house.ring, now=clock)
            with pytest.raises(DatabaseError) as failed:
                engine.drain(house.source.id, "worker/1")
            assert is_outage(failed.value)
        # The lease of a worker that could not give it back ends by itself.
        house.clock.advance(minutes=1)
    assert [house.inbound(one).starts for one in ids] == [0, 0, 0]
    house.take_in()

    assert {house.inbound(one).status for one in ids} == {"processed"}


def test_what_the_database_refuses_is_no_outage(house: House) -> None:
    with pytest.raises(DatabaseError) as refused, house.db.write() as session:
        session.execute(text("INSERT INTO workspaces (id, name, created_at) VALUES (NULL, 'x', '2026-08-30')"))

    assert not is_outage(refused.value)
