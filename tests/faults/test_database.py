"""A database that is away, locked or full: nothing is acknowledged that is not kept, and what was kept goes."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.databases import PostgresServer, SqliteFiles
from tests.faults.mischief import crashed, locked, table_locked
from tests.faults.promise import look
from tests.faults.town import Town
from tests.faults.vrio import Vrio, mixed
from tests.product import PATIENCE_S, wait_until

# The disk is full in the moment in which the commit would make it last. A sequence counts: no rollback turns it back.
REFUSE = """
CREATE SEQUENCE strikes;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM nextval('strikes');
    RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full';
END $$;
"""
# What the intake opens, what a lane is about to send, and what it was answered.
WRITTEN = (
    ("INSERT", "deliveries", "TRUE"),
    ("INSERT", "webhooks", "TRUE"),
    ("UPDATE", "webhooks", "NEW.response_status IS NOT NULL"),
)
# One more than there are deaths after which something is given up.
BLACKOUTS = 4


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_postgresql_is_stopped_and_started_again(town: Town, postgres_server: PostgresServer) -> None:
    town.product.start("web", "worker", "clock")
    town.klaviyo.settings(latency_ms=20)
    for first in (1, 11):
        # It goes away in the middle of all this.
        town.vrio.insist(mixed(range(first, first + 4)))
        with crashed(postgres_server):
            assert refused(town.vrio, range(first + 8, first + 10)) == {503}
    town.vrio.insist(range(1, 24))
    town.keeps_its_promise()
    assert town.product.ended() == []


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_sqlite_is_locked_by_another_process(town: Town, database_url: str) -> None:
    town.product.start("web", "worker", "clock")
    town.vrio.insist(range(1, 6))
    with locked(database_url):
        # Longer than anybody waits for the lock, so that everybody's work fails in the middle.
        assert refused(town.vrio, range(6, 9)) == {503}
        assert town.vrio.acknowledged == set(range(1, 6))
    town.vrio.insist(range(6, 12))
    town.keeps_its_promise()
    assert town.product.ended() == []


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_postgresql_is_locked_by_another_session(town: Town, database_url: str) -> None:
    town.product.start("web", "worker", "clock")
    town.vrio.insist(range(1, 6))
    with table_locked(database_url):
        assert refused(town.vrio, range(6, 9)) == {503}
        assert town.vrio.acknowledged == set(range(1, 6))
    town.vrio.insist(range(6, 12))
    town.keeps_its_promise()
    assert town.product.ended() == []


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_sqlite_has_no_room(town: Town) -> None:
    town.start_with("web", "worker", "clock", FAULT_NO_ROOM="1")
    # The file has some free pages yet.
    wait_until(lambda: refused(town.vrio, [len(town.vrio.acknowledged) + 1]) == {503}, "it is full")
    assert_kept_what_was_acknowledged(town)
    town.product.kill("web", "worker", "clock")
    town.product.start("web", "worker", "clock")
    town.vrio.insist(range(1, 12))
    town.keeps_its_promise()
    assert town.product.ended() == []


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_postgresql_has_no_room_at_the_commit(town: Town, database_url: str) -> None:
    town.product.start("web", "worker", "clock")
    town.vrio.insist(range(1, 6))
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(REFUSE)
        with full_at_commit(connection, "INSERT", "inbound_events"):
            assert refused(town.vrio, range(6, 9)) == {503}
            assert_kept_what_was_acknowledged(town)
    town.vrio.insist(range(6, 12))
    town.keeps_its_promise()
    assert town.product.ended() == []


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_postgresql_has_no_room_for_what_a_worker_commits(town: Town, database_url: str) -> None:
    town.product.start("web", "worker", "clock")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(REFUSE)
        for number, written in enumerate(WRITTEN, start=1):
            seen = strikes(connection)
            with full_at_commit(connection, *written):
                town.vrio.insist(mixed([number]))
                wait_until(lambda seen=seen: strikes(connection) >= seen + BLACKOUTS, f"{written} has failed")
            town.keeps_its_promise()
    assert town.product.ended() == []


def test_a_database_that_is_away_at_every_answer_is_no_death(
    town: Town, databases: SqliteFiles | PostgresServer, database_url: str
) -> None:
    """It goes while Klaviyo is being asked, over and over for the same delivery; nobody's worker dies of that."""

    def lie_in_wait() -> tuple[threading.Event, threading.Event]:
        """Keep Klaviyo from answering until the database has gone."""
        asked, gone = threading.Event(), threading.Event()
        town.klaviyo.while_asked(lambda: asked.set() or gone.wait(PATIENCE_S), unique_id="200001")
        return asked, gone

    asked, gone = lie_in_wait()
    town.product.start("web", "clock")
    town.start_with("worker", FAULT_LOCKED_S="0.5")
    town.vrio.insist([1])
    for number in range(1, BLACKOUTS + 1):
        wait_until(asked.is_set, f"Klaviyo is asked for the {number}. time")
        with crashed(databases) if isinstance(databases, PostgresServer) else locked(database_url):
            gone.set()
            asked, gone = lie_in_wait()
            # Longer than this worker waits for a lock, twice.
            time.sleep(1.2)
    gone.set()
    town.keeps_its_promise()
    assert town.product.ended() == []


@contextmanager
def full_at_commit(connection: psycopg.Connection[Any], what: str, table: str, when: str = "TRUE") -> Iterator[None]:
    """Every commit of this fails."""
    trigger = "CREATE CONSTRAINT TRIGGER full_at_commit AFTER {} ON {} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
    connection.execute(f"{trigger.format(what, table)} WHEN ({when}) EXECUTE FUNCTION refuse()")
    yield
    connection.execute(f"DROP TRIGGER full_at_commit ON {table}")


def strikes(connection: psycopg.Connection[Any]) -> int:
    """How many commits have failed."""
    ((number,),) = connection.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM strikes").fetchall()
    return int(number)


def refused(vrio: Vrio, numbers: "range | list[int]") -> set[int]:
    """With which statuses these sales are answered, which are posted side by side; each says when to come again."""
    answers = []

    def post(number: int) -> None:
        answers.append(vrio.post(number))

    posting = [threading.Thread(target=post, args=[number]) for number in numbers]
    for thread in posting:
        thread.start()
    for thread in posting:
        thread.join()
    assert all(answer is not None and (answer.ok or answer.headers["Retry-After"]) for answer in answers)
    return {answer.status_code for answer in answers if answer is not None}


def assert_kept_what_was_acknowledged(town: Town) -> None:
    """What was answered 503 is not there."""
    assert set(look(town.db, town.klaviyo.url).inbound) == town.vrio.acknowledged
