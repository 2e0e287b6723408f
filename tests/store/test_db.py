"""The database as both kinds must behave: what is kept, who waits for whom, and what an error tells."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update

from tests.building import NOON
from tests.databases import SqliteFiles
from vrio_klaviyo.store import db, tables
from vrio_klaviyo.store.db import Database, DatabaseError, database_url, is_outage
from vrio_klaviyo.store.leases import LeaseRow


@pytest.fixture
def sqlite(sqlite_files: SqliteFiles) -> Iterator[Database]:
    with sqlite_files.fresh(migrated=True) as url:
        database = Database(url)
        yield database
        database.close()


def test_a_write_that_raises_leaves_nothing_behind(database: Database) -> None:
    def fail() -> None:
        with database.write() as session:
            session.add(LeaseRow(name="a", fence=0))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.read() as session:
        assert session.get(LeaseRow, "a") is None


def test_what_is_wrong_with_a_database_is_caught_by_one_name(database: Database) -> None:
    with pytest.raises(DatabaseError), database.read() as session:
        session.execute(text("SELECT * FROM nowhere"))


def test_every_pooled_connection_of_sqlite_is_durable_and_strict(sqlite: Database) -> None:
    raw = [sqlite.engine.raw_connection() for _ in range(5)]
    try:
        for connection in raw:
            asked = {
                name: connection.driver_connection.execute(f"PRAGMA {name}").fetchone()[0]  # type: ignore[union-attr]
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
            assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    finally:
        for connection in raw:
            connection.close()


def test_sqlite_refuses_a_row_whose_owner_does_not_exist(database: Database) -> None:
    values = {"id": "so_1", "workspace_id": "ws_nowhere", "name": "a", "name_key": "a", "key_hash": "h"}
    values |= {"key_sealed": b"", "time_zone": "UTC", "country": "US", "currency": "USD", "created_at": NOON}
    with pytest.raises(DatabaseError), database.write() as session:
        session.execute(insert(tables.metadata.tables["sources"]).values(values))


def test_writers_that_read_first_do_not_fail(sqlite: Database) -> None:
    """With SQLite's ordinary BEGIN most of these fail at once with "database is locked"."""
    with sqlite.write() as session:
        session.add(LeaseRow(name="counter", fence=0))

    def count(_: int) -> None:
        for _ in range(20):
            with sqlite.write() as session:
                seen = session.scalars(select(LeaseRow.fence).where(LeaseRow.name == "counter")).one()
                session.execute(update(LeaseRow).where(LeaseRow.name == "counter").values(fence=seen + 1))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count, range(8)))
    with sqlite.read() as session:
        assert session.get_one(LeaseRow, "counter").fence == 160


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    read = threading.Event()

    def look() -> None:
        with database.read() as session:
            session.scalars(select(LeaseRow)).all()
        read.set()

    with database.write() as session:
        session.add(LeaseRow(name="a", fence=0))
        session.flush()
        reader = threading.Thread(target=look)
        reader.start()
        seen_in_time = read.wait(30)
    reader.join()

    assert seen_in_time


def test_postgresql_means_psycopg_3() -> None:
    assert database_url("postgresql://u@h/d").drivername == "postgresql+psycopg"
    assert database_url("postgresql+psycopg://u@h/d").drivername == "postgresql+psycopg"


@pytest.mark.parametrize("query", ["", "?connect_timeout=2"])
def test_a_host_that_takes_the_call_and_never_speaks_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """It would be for two minutes; what the URL says holds."""
    monkeypatch.setattr(db, "CONNECT_S", 30 if query else 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        database = Database(f"postgresql://vk@127.0.0.1:{silent.getsockname()[1]}/vk{query}")
        began = time.monotonic()
        with pytest.raises(DatabaseError) as failed:
            database.revision()
        took = time.monotonic() - began
        database.close()

    assert took < 15
    assert is_outage(failed.value)


def test_the_folder_of_a_sqlite_file_is_made(tmp_path: Path) -> None:
    database_url(f"sqlite:///{tmp_path}/deep/down/vrio.db")

    assert (tmp_path / "deep" / "down").is_dir()


def test_an_error_of_the_database_shows_no_values(database: Database) -> None:
    with pytest.raises(DatabaseError) as failed, database.write() as session:
        session.execute(text("SELECT no_such_column, :email"), {"email": "john@acme.test"})

    assert "john@acme.test" not in str(failed.value)


def test_what_a_trial_writes_is_gone_at_its_end(database: Database) -> None:
    with database.trial() as session:
        session.add(LeaseRow(name="lane/1", owner=None, fence=0, until=None, wake_at=None))
        session.flush()
        assert session.get(LeaseRow, "lane/1")

    with database.read() as session:
        assert session.get(LeaseRow, "lane/1") is None


def test_a_database_tells_how_large_it_is(database: Database) -> None:
    assert database.size() > 100_000
