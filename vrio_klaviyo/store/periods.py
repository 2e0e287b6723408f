"""
Figures of a period: what was opened in it and how that stands, what had to be sent again, and how long it took.

Ids hold the time at which they were made, so every count is a stretch of an index, and no row is opened for it: what it
costs grows with what happened in the period, and not with what is kept. Test events are left out everywhere.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from vrio_klaviyo.store.attempts import AGAIN, IN_VAIN, Attempt
from vrio_klaviyo.store.deliveries import OF_TESTS, Delivery, DeliveryStatus
from vrio_klaviyo.store.ids import earliest_id, moment_of_id
from vrio_klaviyo.store.inbound import InboundEvent, InboundStatus
from vrio_klaviyo.store.sources import Source
from vrio_klaviyo.store.tryouts import TEST

WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.RETRYING, DeliveryStatus.HELD)
UNREAD = (InboundStatus.RECEIVED, InboundStatus.WAITING)
# What is under way is counted so far, of each kind: whoever watches a queue need not know by how much it is too long.
COUNTED = 10_000

# SQLite: a result has no more than two thousand columns.
_MOST_COUNTS = 500


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time; what was made at `until` is not in it any more."""

    since: datetime
    until: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.since <= at < self.until


def opened(
    session: Session,
    connection_ids: Sequence[str],
    spans: Sequence[Span],
    statuses: Sequence[str] = tuple(DeliveryStatus),
) -> list[Counter[str]]:
    """Of the deliveries that were opened in each span, how many stand how today."""
    stretches = [
        [Delivery.connection_id.in_(connection_ids), Delivery.status == status, *_within(Delivery.id, "dl", span)]
        for span in spans
        for status in statuses
    ]
    counted = iter(_counts(session, Delivery.id, stretches))
    found = [Counter({str(status): next(counted) for status in statuses}) for _ in spans]
    for delivery_id, status in _tests(session, connection_ids):
        for span, counts in zip(spans, found, strict=True):
            if moment_of_id(delivery_id) in span and status in counts:
                counts[status] -= 1
    return found


def opened_by_metric(
    session: Session, connection_ids: Sequence[str], span: Span, metrics: Sequence[str]
) -> dict[str, Counter[str]]:
    """The same of one span for each of these metrics; "" is that of profiles."""
    kinds = [(metric, status) for metric in metrics for status in DeliveryStatus]
    stretches = [
        [
            Delivery.connection_id.in_(connection_ids),
            Delivery.metric == metric,
            Delivery.status == status,
            *_within(Delivery.id, "dl", span),
        ]
        for metric, status in kinds
    ]
    found: dict[str, Counter[str]] = {metric: Counter() for metric in metrics}
    for (metric, status), count in zip(kinds, _counts(session, Delivery.id, stretches), strict=True):
        found[metric][str(status)] = count
    tests = select(Delivery.metric, Delivery.status).where(
        Delivery.connection_id.in_(connection_ids), OF_TESTS, *_within(Delivery.id, "dl", span)
    )
    for metric, standing_so in session.execute(tests):
        if metric in found:
            found[metric][standing_so] -= 1
    return found


def received(session: Session, workspace_id: str, span: Span) -> Counter[str]:
    """Of the webhooks that a workspace received in a span, how many stand how today."""
    sources = select(Source.id).where(Source.workspace_id == workspace_id)
    own: list[ColumnElement[bool]] = [
        InboundEvent.source_id.in_(list(session.scalars(sources))),
        *_within(InboundEvent.id, "in", span),
    ]
    counts = _counts(session, InboundEvent.id, [[*own, InboundEvent.status == status] for status in InboundStatus])
    found = Counter({str(status): count for status, count in zip(InboundStatus, counts, strict=True)})
    # A test event's webhook is none of Vrio's.
    tests = select(InboundEvent.status, func.count()).where(*own, InboundEvent.event == TEST)
    found.subtract(dict(session.execute(tests.group_by(InboundEvent.status)).all()))
    return found


def again_by_trigger(session: Session, connection_ids: Sequence[str], span: Span) -> dict[str, int]:
    """How many attempts of a span were not the first ones, by what they were made for."""
    made = select(Attempt.trigger, func.count()).where(Attempt.connection_id.in_(connection_ids), AGAIN)
    found = session.execute(made.where(*_within(Attempt.id, "at", span)).group_by(Attempt.trigger))
    return dict(found.all())


def in_vain_by_answer(session: Session, connection_ids: Sequence[str], span: Span) -> dict[int | None, int]:
    """How many attempts of a span were not taken, by the answer's status; None where nothing came back."""
    made = select(Attempt.response_status, func.count()).where(Attempt.connection_id.in_(connection_ids), IN_VAIN)
    found = session.execute(made.where(*_within(Attempt.id, "at", span)).group_by(Attempt.response_status))
    return dict(found.all())


def throttled(session: Session, connection_ids: Sequence[str], span: Span) -> int:
    """How many attempts of a span Klaviyo asked to wait with."""
    told = [Attempt.connection_id.in_(connection_ids), Attempt.response_status == 429, IN_VAIN]
    (count,) = _counts(session, Attempt.id, [[*told, *_within(Attempt.id, "at", span)]])
    return count


def seconds_to_accept(session: Session, connection_ids: Sequence[str], span: Span, most: int) -> list[float]:
    """
    From the webhook's arrival until Klaviyo had taken it, for the newest so many deliveries of a span.

    Shape:  without what a person sent again, and what had been held: that took as long as the person did.
    """
    ids = select(Delivery.id).where(
        Delivery.connection_id.in_(connection_ids),
        Delivery.status == DeliveryStatus.ACCEPTED,
        *_within(Delivery.id, "dl", span),
    )
    newest = ids.order_by(Delivery.id.desc()).limit(most).subquery()
    rows = session.execute(
        select(InboundEvent.received_at, Delivery.finished_at)
        .join(newest, newest.c.id == Delivery.id)
        .join(InboundEvent, InboundEvent.id == Delivery.inbound_event_id)
        .where(Delivery.queued_at == Delivery.created_at, InboundEvent.event != TEST)
    )
    return [(finished_at - received_at).total_seconds() for received_at, finished_at in rows if finished_at]


def standing(session: Session, connection_ids: Sequence[str], most: int = COUNTED) -> Counter[str]:
    """How many deliveries wait to be sent, whenever they were opened; `most` stands for that many or more."""
    stretches = [[Delivery.connection_id.in_(connection_ids), Delivery.status == status] for status in WAITING]
    counts = _counts(session, Delivery.id, stretches, most)
    return Counter({str(status): count for status, count in zip(WAITING, counts, strict=True)})


def oldest_waiting(
    session: Session, connection_ids: Sequence[str], statuses: Sequence[str] = WAITING
) -> datetime | None:
    """When the oldest of the deliveries that wait to be sent was opened; None when none waits."""
    oldest = [
        session.scalar(
            select(func.min(Delivery.id)).where(Delivery.connection_id == connection_id, Delivery.status == status)
        )
        for connection_id in connection_ids
        for status in statuses
    ]
    return min((moment_of_id(found) for found in oldest if found), default=None)


def oldest_unread(session: Session, source_ids: Sequence[str]) -> datetime | None:
    """When the oldest of the webhooks that nobody has read yet came; None when all are read."""
    oldest = [
        session.scalar(
            select(func.min(InboundEvent.id)).where(
                InboundEvent.source_id == source_id, InboundEvent.status == InboundStatus.RECEIVED
            )
        )
        for source_id in source_ids
    ]
    return min((moment_of_id(found) for found in oldest if found), default=None)


def last_received(session: Session, source_ids: Sequence[str]) -> datetime | None:
    """When the newest webhook of these sources came; None when none ever did."""
    newest = [
        session.scalar(
            select(InboundEvent.id)
            .where(InboundEvent.source_id == source_id, InboundEvent.status == status, InboundEvent.event != TEST)
            .order_by(InboundEvent.id.desc())
            .limit(1)
        )
        for source_id in source_ids
        for status in InboundStatus
    ]
    return max((moment_of_id(found) for found in newest if found), default=None)


def to_be_read(session: Session, source_ids: Sequence[str], most: int = COUNTED) -> Mapping[str, int]:
    """
    How many webhooks of these sources are received and not read yet, and how many wait for something.

    Shape:  `most` stands for that many or more.
    """
    stretches = [[InboundEvent.source_id.in_(source_ids), InboundEvent.status == status] for status in UNREAD]
    counts = _counts(session, InboundEvent.id, stretches, most)
    return {str(status): count for status, count in zip(UNREAD, counts, strict=True)}


def set_aside(session: Session, source_ids: Sequence[str]) -> int:
    """
    How many webhooks of these sources were set aside, and can be worked off again because their body is kept.

    Shape:  COUNTED stands for that many or more.
    """
    kept = InboundEvent.status == InboundStatus.FAILED, InboundEvent.body_removed_at.is_(None)
    return _counts(session, InboundEvent.id, [[InboundEvent.source_id.in_(source_ids), *kept]], COUNTED)[0]


def _within(column: InstrumentedAttribute[str], prefix: str, span: Span) -> tuple[ColumnElement[bool], ...]:
    return column >= earliest_id(prefix, span.since), column < earliest_id(prefix, span.until)


def _tests(session: Session, connection_ids: Sequence[str]) -> Sequence[Any]:
    own = select(Delivery.id, Delivery.status).where(Delivery.connection_id.in_(connection_ids), OF_TESTS)
    return session.execute(own).all()


def _counts(
    session: Session, column: InstrumentedAttribute[str], stretches: Sequence[Sequence[Any]], most: int | None = None
) -> list[int]:
    """How many rows each stretch has, or `most` when there are more, asked for together."""
    found: list[int] = []
    for start in range(0, len(stretches), _MOST_COUNTS):
        part = stretches[start : start + _MOST_COUNTS]
        counts = [_count(column, stretch, most).scalar_subquery() for stretch in part]
        found += session.execute(select(*counts)).one()
    return found


def _count(column: InstrumentedAttribute[str], stretch: Sequence[Any], most: int | None) -> Select[int]:
    if most is None:
        return select(func.count(column)).where(*stretch)
    return select(func.count()).select_from(select(column).where(*stretch).limit(most).subquery())
