"""Opening deliveries: each request is promised once to each connection."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from vrio_klaviyo.klaviyo import requests
from vrio_klaviyo.klaviyo.requests import EventRequest, Request
from vrio_klaviyo.store.deliveries import PROMISED, SKIPPED, Delivery, DeliveryStatus
from vrio_klaviyo.store.ids import new_id
from vrio_klaviyo.store.upserts import dialect_of, insert


@dataclass(frozen=True, slots=True)
class Opening:
    """What a delivery is opened with."""

    connection_id: str
    source_id: str
    customer_id: str | None
    inbound_event_id: str
    request: Request
    as_of: datetime
    skip_reason: str | None
    notes: tuple[str, ...]


def dedup_key(opening: Opening) -> str:
    """
    What makes two requests of one connection the same promise.

    Shape:  an event: its source, metric and unique id, because two Vrio accounts number their transactions alike.
            A profile: its customer, body and `as_of`.
    """
    match opening.request:
        case EventRequest(metric=metric, unique_id=unique_id):
            parts = ["event", opening.source_id, metric, unique_id]
        case request:
            body = hashlib.sha256(requests.dumps(request)).hexdigest()
            parts = ["profile", opening.source_id, opening.customer_id or "", opening.as_of.isoformat(), body]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()


def open_delivery(session: Session, opening: Opening, now: datetime) -> str | None:
    """
    The id of a new delivery; None when this was promised before.

    Shape:  a request that may not go is opened as skipped, once; when it may go later it is opened anew.
    """
    key = dedup_key(opening)
    skipped = opening.skip_reason is not None
    if skipped:
        seen = select(Delivery.id).where(Delivery.connection_id == opening.connection_id, Delivery.dedup_key == key)
        # Asked one by one, because each has an index of its own.
        if any(session.scalar(seen.where(standing).limit(1)) for standing in (SKIPPED, PROMISED)):
            return None
    request = opening.request
    event = request if isinstance(request, EventRequest) else None
    row = {
        "id": new_id("dl"),
        "connection_id": opening.connection_id,
        "customer_id": opening.customer_id,
        "inbound_event_id": opening.inbound_event_id,
        "kind": requests.kind_of(request),
        "metric": event.metric if event else "",
        "unique_id": event.unique_id if event else "",
        "dedup_key": key,
        "as_of": opening.as_of,
        "request": requests.dumps(request),
        "status": DeliveryStatus.SKIPPED if skipped else DeliveryStatus.QUEUED,
        "reason": opening.skip_reason or "",
        "notes": list(opening.notes),
        "tries": 0,
        "next_attempt_at": None if skipped else now,
        "next_trigger": "first",
        "created_at": now,
        "queued_at": now,
        "finished_at": now if skipped else None,
    }
    opened: str | None = session.connection().execute(_opening(dialect_of(session)), row).scalar()
    return opened


@cache
def _opening(dialect: str) -> Any:
    """The statement of `open_delivery`, made once: building it takes as long as doing it."""
    once = insert(dialect, Delivery).on_conflict_do_nothing(
        index_elements=["connection_id", "dedup_key"], index_where=PROMISED
    )
    return once.returning(Delivery.__table__.c.id)
