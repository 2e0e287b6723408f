"""Straight to PostgreSQL's driver: what is written there, and what a lost connection and a refused row do."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from tests.building import NOON, House
from tests.databases import PostgresServer
from vrio_klaviyo.store.db import Database, DatabaseError, is_outage
from vrio_klaviyo.store.direct import Direct
from vrio_klaviyo.store.keeping import Envelope, Kept, keep_directly, keeping, row_of

SECRET = "jane@example.com"


@pytest.fixture
def url(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.fresh(migrated=True) as fresh:
        yield fresh


@pytest.fixture
def house(url: str) -> Iterator[House]:
    with closing(Database(url)) as database, closing(House(database)) as opened:
        yield opened


@pytest.fixture
def direct(house: House) -> Direct:
    return house.db.direct(keeping("postgresql"))


def row(house: House, key: str = "k", source_id: str = "") -> dict[str, Any]:
    body = SECRET.encode()
    return row_of(source_id or house.source.id, Envelope("order", "order_updated", "7"), body, key, NOON)


def test_a_row_is_written_as_any_other_way_writes_it(house: House, direct: Direct) -> None:
    kept = keep_directly(house.db, direct, row(house))

    event = house.inbound(kept.id)
    assert (event.type, event.event, event.event_id, event.status) == ("order", "order_updated", "7", "received")
    assert (event.body, event.received_at, event.notes) == (SECRET.encode(), NOON, [])
    assert (event.starts, event.customer_id, event.finished_at) == (0, None, None)


def test_text_that_no_database_takes_is_cleaned_here_too(house: House, direct: Direct) -> None:
    kept = keep_directly(house.db, direct, row(house) | {"event": "order\x00\ud800"})

    assert house.inbound(kept.id).event == "order\ufffd\ufffd"


def test_who_is_kept_a_second_time_because_the_answer_was_lost_is_no_duplicate(house: House, direct: Direct) -> None:
    mine = row(house)
    direct.rows(mine)

    assert keep_directly(house.db, direct, mine) == Kept(mine["id"], duplicate=False)
    assert keep_directly(house.db, direct, row(house)) == Kept(mine["id"], duplicate=True)


def test_a_refused_row_is_an_error_of_the_database_and_tells_no_values(house: House, direct: Direct) -> None:
    with pytest.raises(DatabaseError) as raised:
        direct.rows(row(house, source_id="so_nobody"))

    assert not is_outage(raised.value)
    assert SECRET not in str(raised.value)


def test_connections_that_were_lost_meanwhile_are_opened_anew(url: str, house: House, direct: Direct) -> None:
    first = keep_directly(house.db, direct, row(house, "one"))
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    second = keep_directly(house.db, direct, row(house, "two"))

    assert {house.inbound(kept.id).dedup_key for kept in (first, second)} == {"one", "two"}


def test_without_a_database_it_is_an_outage(postgres_server: PostgresServer) -> None:
    with closing(Database(postgres_server.url("nowhere"))) as database, pytest.raises(DatabaseError) as raised:
        database.direct(keeping("postgresql")).rows({})

    assert is_outage(raised.value)
