"""The columns' own types: what text and times come back as, on both kinds of database."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Boolean, Integer, LargeBinary, Text, insert, select

from tests.building import NOON
from vrio_klaviyo.store import tables
from vrio_klaviyo.store.columns import CleanText, Json, Moment, storable
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.leases import LeaseRow

HOSTILE = "a\x00b\ud800c\udfffd😀é"
CLEAN = "a\ufffdb\ufffdc\ufffdd😀é"


@pytest.mark.parametrize(
    ("given", "kept"),
    [("John", "John"), ("", ""), ("\x00", "\ufffd"), ("\ud83d", "\ufffd"), ("😀", "😀"), (HOSTILE, CLEAN)],
)
def test_what_a_database_refuses_is_replaced(given: str, kept: str) -> None:
    assert storable(given) == kept


def value_for(kind: Any) -> Any:
    """Something hostile for a column of this kind."""
    match kind:
        case CleanText():
            return HOSTILE
        case Json():
            return {HOSTILE: HOSTILE}
        case Moment():
            return NOON
        case LargeBinary():
            return HOSTILE.encode("utf-8", "surrogatepass")
        case Boolean():
            return True
        case Integer():
            return 1
    raise AssertionError(f"no value is known for {kind!r}")


@pytest.mark.parametrize("table", tables.metadata.sorted_tables, ids=lambda table: table.name)
def test_no_column_holds_text_that_is_not_cleaned(table: Any) -> None:
    assert [column.name for column in table.columns if type(column.type) is Text] == []


def test_nul_and_lone_surrogates_can_be_stored_in_every_column_of_text(database: Database) -> None:
    for table in tables.metadata.sorted_tables:
        values = {column.name: value_for(column.type) for column in table.columns if column.computed is None}
        with database.write() as session:
            session.execute(insert(table).values(values))
        with database.read() as session:
            # The migration made one workspace already.
            row = session.execute(select(table).where(next(iter(table.primary_key)) == HOSTILE)).mappings().one()
        for column in table.columns:
            expected = CLEAN if isinstance(column.type, CleanText) else values.get(column.name)
            assert row[column.name] == expected, f"{table.name}.{column.name}"


@pytest.mark.parametrize(
    "moment",
    [
        NOON,
        datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=timezone(timedelta(hours=-7))),
        datetime(2, 1, 2, tzinfo=UTC),
        datetime(9998, 12, 30, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=14))),
    ],
)
def test_a_moment_comes_back_as_it_was_in_utc(database: Database, moment: datetime) -> None:
    with database.write() as session:
        session.add(LeaseRow(name="a", owner=None, fence=0, until=moment, wake_at=None))
    with database.read() as session:
        found = session.get_one(LeaseRow, "a")

    assert found.until == moment
    assert found.until.tzinfo is UTC
    assert found.wake_at is None


def test_moments_are_compared_by_the_database_as_by_us(database: Database) -> None:
    early, late = datetime(2026, 1, 1, 23, tzinfo=timezone(timedelta(hours=9))), datetime(2026, 1, 1, 15, tzinfo=UTC)
    assert early < late
    with database.write() as session:
        session.add(LeaseRow(name="early", fence=0, until=early))
        session.add(LeaseRow(name="late", fence=0, until=late))
    with database.read() as session:
        before = session.scalars(select(LeaseRow.name).where(LeaseRow.until < late)).all()

    assert before == ["early"]
