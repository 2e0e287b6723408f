"""Following: what happens, as it happens. Webhooks that came, and attempts that came to an end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.ids import earliest_id
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.sources import Source


@dataclass(frozen=True, slots=True)
class Happened:
    """
    One line of what happens.

    Shape:  what is Vrio's event or Klaviyo's metric ("" for a profile), reference the id that the event has there.
            number, answer and duration_ms are an attempt's; status is the webhook's or the delivery's as it is now.
    """

    at: datetime
    id: str
    kind: str
    what: str
    reference: str
    status: str
    reason: str = ""
    delivery_id: str = ""
    number: int | None = None
    trigger: str = ""
    answer: int | None = None
    duration_ms: int | None = None


def happened(
    session: Session,
    workspace_id: str,
    since: datetime,
    *,
    connection_id: str | None = None,
    statuses: Sequence[str] = (),
    most: int = 500,
) -> list[Happened]:
    """
    What was begun since then, the first thing first: webhooks, and attempts that are closed.

    Shape:  with a connection or statuses, attempts only: a webhook is of no connection. Who follows asks again for a
            little before the last line, because an attempt is closed after it was begun.
    """
    found = [*_attempts(session, workspace_id, since, connection_id, statuses, most)]
    if connection_id is None and not statuses:
        found += _webhooks(session, workspace_id, since, most)
    return sorted(found, key=lambda one: (one.at, one.id))[-most:]


def _webhooks(session: Session, workspace_id: str, since: datetime, most: int) -> list[Happened]:
    columns = (InboundEvent.id, InboundEvent.received_at, InboundEvent.event, InboundEvent.event_id)
    query = (
        select(*columns, InboundEvent.status, InboundEvent.reason)
        .join(Source, Source.id == InboundEvent.source_id)
        .where(Source.workspace_id == workspace_id, InboundEvent.id >= earliest_id("in", since))
        .order_by(InboundEvent.id.desc())
    )
    return [
        Happened(row.received_at, row.id, "webhook", row.event, row.event_id, row.status, row.reason)
        for row in session.execute(query.limit(most))
    ]


def _attempts(
    session: Session, workspace_id: str, since: datetime, connection_id: str | None, statuses: Sequence[str], most: int
) -> list[Happened]:
    attempt: tuple[Any, ...] = (Attempt.id, Attempt.started_at, Attempt.number, Attempt.trigger)
    answer: tuple[Any, ...] = (Attempt.response_status, Attempt.duration_ms, Attempt.error)
    delivery: tuple[Any, ...] = (Attempt.delivery_id, Delivery.metric, Delivery.unique_id, Delivery.status)
    query = (
        select(*attempt, *answer, *delivery)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .join(Connection, Connection.id == Attempt.connection_id)
        .where(Connection.workspace_id == workspace_id, Attempt.id >= earliest_id("at", since))
        .where(or_(Attempt.duration_ms.is_not(None), Attempt.error.is_not(None)))
        .order_by(Attempt.id.desc())
    )
    if connection_id is not None:
        query = query.where(Attempt.connection_id == connection_id)
    if statuses:
        query = query.where(Delivery.status.in_(statuses))
    return [
        Happened(
            at=row.started_at,
            id=row.id,
            kind="attempt",
            what=row.metric,
            reference=row.unique_id,
            status=row.status,
            reason=row.error or "",
            delivery_id=row.delivery_id,
            number=row.number,
            trigger=row.trigger,
            answer=row.response_status,
            duration_ms=row.duration_ms,
        )
        for row in session.execute(query.limit(most))
    ]
