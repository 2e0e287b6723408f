"""Keeping: each webhook as it came, once, before anybody thinks about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Insert, select
from sqlalchemy.orm import Session

from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.direct import Direct
from vrio_klaviyo.store.ids import new_id
from vrio_klaviyo.store.inbound import InboundEvent, InboundStatus
from vrio_klaviyo.store.upserts import insert


class Envelope(NamedTuple):
    """What receiving reads of a webhook; all "" when it has no such word."""

    type: str = ""
    event: str = ""
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a webhook is kept; duplicate when it had come before, and then id is the first one's."""

    id: str
    duplicate: bool


@cache
def keeping(dialect: str) -> Insert:
    """The statement that keeps a webhook, made once: building it takes as long as doing it."""
    statement: Insert = insert(dialect, InboundEvent).on_conflict_do_nothing().returning(InboundEvent.__table__.c.id)
    return statement


def keep_directly(db: Database, direct: Direct, row: dict[str, Any]) -> Kept:
    """
    Commit one webhook, as `row_of` makes it: one insert and nothing else, on the way on which Vrio waits.

    Shape:  `direct` is `keeping` on that database.
    Raises: DatabaseError when it could not be stored; the sender must not be told that it was.
    """
    if direct.rows(row):
        return Kept(row["id"], False)
    with db.read() as session:
        return _found(session.connection(), row)


def keep_all(db: Database, rows: list[dict[str, Any]]) -> list[Kept]:
    """
    Commit webhooks together, or none of them.

    Shape:  where each is kept.
    Raises: DatabaseError as `keep_directly`.
    """
    with db.engine.begin() as connection:
        new = set(connection.execute(keeping(connection.dialect.name), rows if len(rows) > 1 else rows[0]).scalars())
        return [Kept(row["id"], False) if row["id"] in new else _found(connection, row) for row in rows]


def _found(connection: Connection, row: dict[str, Any]) -> Kept:
    keys = InboundEvent.source_id == row["source_id"], InboundEvent.dedup_key == row["dedup_key"]
    first = connection.execute(select(InboundEvent.id).where(*keys)).scalar_one()
    # It is the first one itself when its connection was lost before the answer, and it was inserted again.
    return Kept(first, duplicate=first != row["id"])


def keep_own(session: Session, source_id: str, told: Iterable[tuple[Envelope, bytes, str]], now: datetime) -> None:
    """
    Keep what the clock has to say, in the envelope of a webhook; nothing happens where it was said before.

    Shape:  envelope, body and dedup_key of each.
    """
    rows = [row_of(source_id, envelope, body, dedup_key, now) for envelope, body, dedup_key in told]
    if rows:
        session.execute(insert(session, InboundEvent).on_conflict_do_nothing(), rows)


def row_of(
    source_id: str, envelope: Envelope, body: bytes, dedup_key: str, now: datetime, unreadable: str = ""
) -> dict[str, Any]:
    """
    One webhook's row as it is when it comes.

    Shape:  `unreadable` is the reason when the body is no JSON object: it is kept all the same, so that staff see it.
    """
    return envelope._asdict() | {
        "id": new_id("in"),
        "source_id": source_id,
        "received_at": now,
        "body": body,
        "dedup_key": dedup_key,
        "status": InboundStatus.UNREADABLE if unreadable else InboundStatus.RECEIVED,
        "reason": unreadable,
        "notes": [],
        "starts": 0,
        "finished_at": now if unreadable else None,
        "waits_for": "",
        "wait_until": None,
    }
