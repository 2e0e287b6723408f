"""A database that is away, locked or full: nothing is acknowledged that is not kept, and what was kept goes."""

import threading

import psycopg
import pytest

from tests.databases import PostgresServer
from tests.faults.mischief import crashed, locked, table_locked
from tests.faults.promise import look
from tests.faults.town import Town
from tests.faults.vrio import Vrio
from tests.product import wait_until

# The disk is full in the moment in which the commit would make it last.
FULL_AT_COMMIT = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full';
END $$;
CREATE CONSTRAINT TRIGGER full_at_commit AFTER INSERT ON inbound_events
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();
"""


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_postgresql_is_stopped_and_started_again(town: Town, postgres_server: PostgresServer) -> None:
    town.product.start("web", "worker", "clock")
    town.klaviyo.settings(latency_ms=20)
    for first in (1, 11):
        # It goes away in the middle of all this.
        town.vrio.insist(range(first, first + 8))
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
        connection.execute(FULL_AT_COMMIT)
        assert refused(town.vrio, range(6, 9)) == {503}
        assert_kept_what_was_acknowledged(town)
        connection.execute("DROP TRIGGER full_at_commit ON inbound_events")
    town.vrio.insist(range(6, 12))
    town.keeps_its_promise()
    assert town.product.ended() == []


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
