"""Inbound events: each webhook as it came, and how it ended."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ForeignKey, Index, UniqueConstraint, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.errors import NotFound
from vrio_klaviyo.store.db import Base, Database
from vrio_klaviyo.store.ids import new_id
from vrio_klaviyo.store.upserts import insert

# Work is marked before it begins. What was being worked on when a worker died is tried alone; after this many deaths it
# is set aside.
MOST_STARTS = 3

_RECEIVED = text("status = 'received'")
_WAITING = text("status = 'waiting'")
_LOOK_AGAIN = {"status": "received", "waits_for": "", "wait_until": None}


class InboundStatus(StrEnum):
    """How far an inbound event has come."""

    RECEIVED = "received"
    WAITING = "waiting"
    PROCESSED = "processed"
    IGNORED = "ignored"
    UNKNOWN = "unknown"
    UNREADABLE = "unreadable"
    FAILED = "failed"


class InboundEvent(Base):
    """
    One webhook as received.

    Shape:  type, event and event_id are the envelope's words, "" where it has none. dedup_key is a hash of all that
            makes two webhooks the same one. starts counts how often work on it began. customer_id is None until it is
            known. A waiting one waits for the thing that waits_for names by kind and id, but not after wait_until.
    """

    __tablename__ = "inbound_events"
    __table_args__ = (
        UniqueConstraint("source_id", "dedup_key"),
        Index("ix_inbound_events_event_id", "source_id", "type", "event_id"),
        Index("ix_inbound_events_received", "source_id", "id", sqlite_where=_RECEIVED, postgresql_where=_RECEIVED),
        Index("ix_inbound_events_waiting", "source_id", "waits_for", sqlite_where=_WAITING, postgresql_where=_WAITING),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"))
    type: Mapped[str]
    event: Mapped[str]
    event_id: Mapped[str]
    received_at: Mapped[datetime]
    body: Mapped[bytes]
    dedup_key: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str]
    notes: Mapped[list[str]]
    starts: Mapped[int]
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customers.id"), index=True)
    finished_at: Mapped[datetime | None]
    waits_for: Mapped[str]
    wait_until: Mapped[datetime | None]


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


def keep(
    db: Database, source_id: str, envelope: Envelope, body: bytes, dedup_key: str, now: datetime, unreadable: str = ""
) -> Kept:
    """
    Commit one webhook: one insert and nothing else, on the way on which Vrio waits.

    Shape:  `unreadable` is the reason when the body is no JSON object: it is kept all the same, so that staff see it.
    Raises: DatabaseError when it could not be stored; the sender must then not be told that it was.
    """
    values = envelope._asdict() | {
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
    with db.engine.begin() as connection:
        statement = insert(connection, InboundEvent).values(values).on_conflict_do_nothing()
        if connection.execute(statement.returning(InboundEvent.id)).scalar():
            return Kept(values["id"], duplicate=False)
        first = select(InboundEvent.id).where(InboundEvent.source_id == source_id, InboundEvent.dedup_key == dedup_key)
        return Kept(connection.execute(first).scalar_one(), duplicate=True)


def claim_received(session: Session, source_id: str, limit: int) -> list[InboundEvent]:
    """
    The next webhooks to work on, oldest first, each marked as begun.

    Shape:  one alone when work on the oldest had begun before and did not end: it may be what killed the worker.
    """
    waiting = select(InboundEvent).where(InboundEvent.source_id == source_id, _RECEIVED)
    found = list(session.scalars(waiting.order_by(InboundEvent.id).limit(limit)))
    suspect = next((place for place, inbound in enumerate(found) if inbound.starts), None)
    claimed = found[:1] if suspect == 0 else found[:suspect]
    for inbound in claimed:
        inbound.starts += 1
    return claimed


def finish(
    session: Session,
    inbound: InboundEvent,
    status: InboundStatus,
    now: datetime,
    *,
    reason: str = "",
    notes: tuple[str, ...] = (),
    customer_id: str | None = None,
) -> None:
    """Write how an inbound event ended."""
    session.execute(
        update(InboundEvent)
        .where(InboundEvent.id == inbound.id)
        .values(status=status, reason=reason, notes=list(notes), customer_id=customer_id, finished_at=now)
    )


def wait(session: Session, inbound: InboundEvent, waits_for: str, reason: str, until: datetime) -> None:
    """Put an inbound event aside until that thing is heard of."""
    session.execute(
        update(InboundEvent)
        .where(InboundEvent.id == inbound.id)
        .values(status=InboundStatus.WAITING, waits_for=waits_for, wait_until=until, reason=reason, starts=0)
    )


def wake(session: Session, source_id: str, things: list[str]) -> None:
    """Have a new look at what waited for one of these things."""
    waited = update(InboundEvent).where(
        InboundEvent.source_id == source_id, _WAITING, InboundEvent.waits_for.in_(things)
    )
    session.execute(waited.values(_LOOK_AGAIN))


def wake_overdue(session: Session, now: datetime) -> None:
    """Have a new look at what has waited for long enough: now what there is goes."""
    session.execute(update(InboundEvent).where(_WAITING, InboundEvent.wait_until <= now).values(_LOOK_AGAIN))


def told_otherwise(session: Session, inbound: InboundEvent) -> bool:
    """Whether an earlier webhook had the same id and another body."""
    if not inbound.event_id:
        return False
    earlier = select(InboundEvent.id).where(
        InboundEvent.source_id == inbound.source_id,
        InboundEvent.type == inbound.type,
        InboundEvent.event_id == inbound.event_id,
        InboundEvent.id < inbound.id,
    )
    return session.scalar(earlier.limit(1)) is not None


def note_crash(session: Session, source_id: str, traceback: str) -> None:
    """Keep the traceback on the oldest webhook that was being worked on; it is shown if the webhook is set aside."""
    begun = select(InboundEvent.id).where(InboundEvent.source_id == source_id, _RECEIVED, InboundEvent.starts > 0)
    oldest = begun.order_by(InboundEvent.id).limit(1).scalar_subquery()
    session.execute(update(InboundEvent).where(InboundEvent.id == oldest).values(reason=traceback))


def is_waited_for(session: Session, source_id: str) -> bool:
    """Whether this source has webhooks that nobody has looked at yet."""
    waiting = select(InboundEvent.id).where(InboundEvent.source_id == source_id, _RECEIVED)
    return session.scalar(waiting.limit(1)) is not None


def sources_to_ring(session: Session) -> list[str]:
    """The sources that have webhooks which nobody has looked at yet."""
    return list(session.scalars(select(InboundEvent.source_id).where(_RECEIVED).distinct()))


def find_inbound(session: Session, inbound_id: str) -> InboundEvent:
    """
    The inbound event of that id.

    Raises: NotFound.
    """
    found = session.get(InboundEvent, inbound_id)
    if found is None:
        raise NotFound(f"no inbound event has the id {inbound_id}")
    return found


def list_inbound(
    session: Session,
    *,
    status: str | None = None,
    source_id: str | None = None,
    customer_ids: list[str] | None = None,
    limit: int = 50,
) -> list[InboundEvent]:
    """The newest inbound events first."""
    query = select(InboundEvent).order_by(InboundEvent.id.desc()).limit(limit)
    if status:
        query = query.where(InboundEvent.status == status)
    if source_id:
        query = query.where(InboundEvent.source_id == source_id)
    if customer_ids is not None:
        query = query.where(InboundEvent.customer_id.in_(customer_ids))
    return list(session.scalars(query))
