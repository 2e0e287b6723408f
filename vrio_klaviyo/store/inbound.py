"""Inbound events: each webhook, how far work on it has come, and what it waits for."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, bindparam, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.errors import NotFound, Refused
from vrio_klaviyo.store.db import Base

# Work is marked before it begins. What was being worked on when a worker died is tried alone; after this many deaths it
# is set aside.
MOST_STARTS = 3
_DANGEROUS = 2

_RECEIVED = text("status = 'received'")
AWAITED = text("status = 'waiting'")
_WITH_BODY = text("body_removed_at IS NULL")
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
            body_removed_at is when retention, or a person's erasure, took the body.
    """

    __tablename__ = "inbound_events"
    __table_args__ = (
        UniqueConstraint("source_id", "dedup_key"),
        Index("ix_inbound_events_event_id", "source_id", "type", "event_id"),
        Index("ix_inbound_events_received", "source_id", "id", sqlite_where=_RECEIVED, postgresql_where=_RECEIVED),
        Index("ix_inbound_events_waiting", "source_id", "waits_for", sqlite_where=AWAITED, postgresql_where=AWAITED),
        Index("ix_inbound_events_customer_id", "customer_id", "id"),
        Index("ix_inbound_events_status", "source_id", "status", "id"),
        Index("ix_inbound_events_event", "source_id", "event", "status", "id"),
        Index("ix_inbound_events_with_body", "finished_at", sqlite_where=_WITH_BODY, postgresql_where=_WITH_BODY),
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
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customers.id"))
    finished_at: Mapped[datetime | None]
    waits_for: Mapped[str]
    wait_until: Mapped[datetime | None]
    body_removed_at: Mapped[datetime | None]


# Made once: for one row, building an UPDATE takes far longer than doing it.
_FINISH = (
    update(InboundEvent.__table__)  # type: ignore[arg-type]
    .where(InboundEvent.__table__.c.id == bindparam("inbound"))
    .values({name: bindparam(name) for name in ("status", "reason", "notes", "customer_id", "finished_at")})
)


_FIRST_TOLD = (
    select(InboundEvent.event_id, func.min(InboundEvent.id))
    .where(InboundEvent.source_id == bindparam("source"), InboundEvent.type == bindparam("type"))
    .where(InboundEvent.event_id.in_(bindparam("ids", expanding=True)))
    .group_by(InboundEvent.event_id)
)


def claim_received(session: Session, source_id: str, limit: int) -> list[InboundEvent]:
    """
    The next webhooks to work on, oldest first, each marked as begun.

    Shape:  one alone when work on the oldest had begun before and did not end: it may be what killed the worker. What
            did so a second time, then alone, comes after all others, so that they wait for it no more.
    """
    waiting = select(InboundEvent).where(InboundEvent.source_id == source_id, _RECEIVED).order_by(InboundEvent.id)
    found = list(session.scalars(waiting.where(InboundEvent.starts < _DANGEROUS).limit(limit)))
    if not found:
        found = list(session.scalars(waiting.limit(1)))
    suspect = next((place for place, inbound in enumerate(found) if inbound.starts), None)
    claimed = found[:1] if suspect == 0 else found[:suspect]
    for inbound in claimed:
        inbound.starts += 1
    return claimed


def take_back(session: Session, inbound_ids: Iterable[str]) -> None:
    """Let a beginning not count that ended for a reason which was no webhook's fault."""
    begun = update(InboundEvent).where(InboundEvent.id.in_(list(inbound_ids)), _RECEIVED, InboundEvent.starts > 0)
    session.execute(begun.values(starts=InboundEvent.starts - 1))


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
    news = {"status": status, "reason": reason, "notes": list(notes), "customer_id": customer_id, "finished_at": now}
    session.connection().execute(_FINISH, {"inbound": inbound.id, **news})


def wait(session: Session, inbound: InboundEvent, waits_for: str, reason: str, until: datetime) -> None:
    """Put an inbound event aside until that thing is heard of."""
    session.execute(
        update(InboundEvent)
        .where(InboundEvent.id == inbound.id)
        .values(status=InboundStatus.WAITING, waits_for=waits_for, wait_until=until, reason=reason, starts=0)
    )


def waited_for(session: Session, source_id: str, things: Iterable[str]) -> set[str]:
    """Which of these things a webhook of this source waits for."""
    waits = select(InboundEvent.waits_for).where(InboundEvent.source_id == source_id, AWAITED)
    return set(session.scalars(waits.where(InboundEvent.waits_for.in_(list(things))).distinct()))


def wake(session: Session, source_id: str, things: list[str]) -> None:
    """Have a new look at what waited for one of these things."""
    waited = update(InboundEvent).where(
        InboundEvent.source_id == source_id, AWAITED, InboundEvent.waits_for.in_(things)
    )
    session.execute(waited.values(_LOOK_AGAIN))


def wake_overdue(session: Session, now: datetime) -> None:
    """Have a new look at what has waited for long enough: now what there is goes."""
    session.execute(update(InboundEvent).where(AWAITED, InboundEvent.wait_until <= now).values(_LOOK_AGAIN))


def told_otherwise(session: Session, source_id: str, arrived: list[InboundEvent]) -> set[str]:
    """Which of these webhooks of one source had an earlier one with the same id and another body."""
    asked: dict[str, list[str]] = {}
    for one in arrived:
        if one.event_id:
            asked.setdefault(one.type, []).append(one.event_id)
    first: dict[tuple[str, str], str] = {}
    # Type by type, because SQLite finds no index for pairs and would read everything that was received.
    for kind, ids in asked.items():
        known = session.connection().execute(_FIRST_TOLD, {"source": source_id, "type": kind, "ids": ids})
        first |= {(kind, event_id): inbound_id for event_id, inbound_id in known}
    return {one.id for one in arrived if first.get((one.type, one.event_id), one.id) < one.id}


def note_crash(session: Session, inbound_ids: Sequence[str], traceback: str) -> None:
    """Keep the traceback on the first of the webhooks that were being worked on; it is shown if that is set aside."""
    began = update(InboundEvent).where(InboundEvent.id.in_(inbound_ids[:1]), _RECEIVED)
    session.execute(began.values(reason=traceback))


def take_again(session: Session, inbound_id: str) -> InboundEvent:
    """
    Let work on a webhook that was set aside begin anew, as if it had just come.

    Raises: NotFound; Refused when it was not set aside, or its body is gone.
    """
    inbound = find_inbound(session, inbound_id)
    session.refresh(inbound, with_for_update=True)
    if inbound.status != InboundStatus.FAILED:
        raise Refused(f"{inbound_id} was not set aside: it is {inbound.status}.")
    if inbound.body_removed_at is not None:
        removed = f"The body of {inbound_id} was removed on {inbound.body_removed_at:%d %b %Y}"
        raise Refused(f"{removed}; nothing is left to work on.")
    inbound.status, inbound.reason, inbound.starts, inbound.finished_at = InboundStatus.RECEIVED, "", 0, None
    return inbound


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
