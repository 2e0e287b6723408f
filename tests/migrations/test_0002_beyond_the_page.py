"""A database that was in use before anything was told beyond the page: all is off, and what is due is known."""

from collections.abc import Iterator
from datetime import UTC, datetime

import alembic.command
import pytest
from alembic.config import Config
from sqlalchemy import select, text

from vrio_klaviyo.store.db import MIGRATIONS, Database, database_url, upgrade
from vrio_klaviyo.store.next_charges import NextCharge
from vrio_klaviyo.store.sources import UPCOMING_DAYS, list_sources

SOURCE = """
    INSERT INTO sources
        (id, workspace_id, name, name_key, key_hash, key_sealed, time_zone, country, currency, created_at)
    SELECT 'so_1', id, 'Vrio', 'vrio', 'x', 'x', 'UTC', 'US', 'USD', created_at FROM workspaces
"""
RECORD = """
    INSERT INTO records (source_id, kind, vrio_id, vrio_customer_id, as_of, body)
    SELECT 'so_1', :kind, :vrio_id, '301', created_at, :body FROM workspaces
"""
DUE = b'{"status":"active","is_recurring":true,"next_charge_at":"2026-09-14T10:30:00+00:00"}'


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    database = Database(empty_database_url)
    yield database
    database.close()


def test_what_was_remembered_before_is_planned(empty: Database, empty_database_url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = database_url(empty_database_url)
    alembic.command.upgrade(config, "0001")
    with empty.write() as session:
        session.execute(text(SOURCE))
        records = [{"kind": "order_offer", "vrio_id": str(4000 + n), "body": DUE} for n in range(1200)]
        records += [
            {"kind": "order_offer", "vrio_id": "9001", "body": DUE.replace(b"active", b"paused")},
            {"kind": "order_offer", "vrio_id": "9002", "body": b'{"status":"active","is_recurring":true}'},
            {"kind": "order", "vrio_id": "1253", "body": DUE},
        ]
        session.execute(text(RECORD), records)
    upgrade(empty_database_url)

    with empty.read() as session:
        planned = {charge.order_offer_id: charge for charge in session.scalars(select(NextCharge))}
        (source,) = list_sources(session)
    assert planned.keys() == {str(4000 + n) for n in range(1200)}
    assert {charge.due_at for charge in planned.values()} == {datetime(2026, 9, 14, 10, 30, tzinfo=UTC)}
    assert {charge.vrio_customer_id for charge in planned.values()} == {"301"}
    assert source.upcoming_days == UPCOMING_DAYS
