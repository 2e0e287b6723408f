"""Deliveries: every request that we owe Klaviyo, how it stands, and which is due next."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Computed, ForeignKey, Index, false, func, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.errors import NotFound
from vrio_klaviyo.klaviyo import requests
from vrio_klaviyo.klaviyo.requests import EventRequest, Request
from vrio_klaviyo.store.connections import Connection, KeyStatus
from vrio_klaviyo.store.db import Base
from vrio_klaviyo.store.ids import new_id
from vrio_klaviyo.store.upserts import insert


class DeliveryStatus(StrEnum):
    """How a delivery stands; accepted, failed and skipped are final."""

    QUEUED = "queued"
    RETRYING = "retrying"
    HELD = "held"
    ACCEPTED = "accepted"
    FAILED = "failed"
    SKIPPED = "skipped"


# Why a delivery is held.
KEY_REJECTED = "key_rejected"
CONNECTION_PAUSED = "connection_paused"
ENDPOINT_REFUSED = "endpoint_refused"

# `lane_order`: a lane sends all that is due of one before anything of the next.
LIVE, RETRY, REPLAY, BACKFILL = LANE_ORDERS = range(4)

OWED = text("status IN ('queued', 'retrying')")
_PROMISED = text("status <> 'skipped'")
_SKIPPED = text("status = 'skipped'")
_WITH_BODIES = text("bodies_removed_at IS NULL")
# What stands still for a reason, and is listed by it.
CAUSED = text("status IN ('held', 'failed', 'skipped')")
# What failed, parted by whether somebody has looked at it since.
OPEN = text("status = 'failed' AND looked_at IS NULL")
LOOKED_AT = text("looked_at IS NOT NULL")
# Test events, which count in no figure. Vrio's ids, of which all others are made, do not begin so.
TEST_ID = "test"
OF_TESTS = text("substr(unique_id, 1, 5) = 'test_'")


class Delivery(Base):
    """
    One request for one connection.

    Shape:  request is the neutral request as `requests.dumps` writes it, frozen when the delivery was opened. tries
            counts the attempts that count: waiting for a rate limit does not. queued_at is from when it has been owed
            without a break: being held is one. next_trigger is why the next attempt will be made. lane_order is its
            class within the lane: LIVE, RETRY, REPLAY or BACKFILL. deaths counts the workers that died while it was
            being sent. A skipped row does not hold its dedup_key. cause is the reason as lists group by it: a traceback
            is more than an index takes.
            asked is manual or replay while a person's wish to send it again is open, else ""; same_as is the attempt
            whose bytes are to go out once more, backfill that it is history by now. looked_at is when somebody looked
            at its failure; sending it again empties it. bodies_removed_at is when the request and the bodies of its
            attempts were removed.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        Index(
            "uq_deliveries_promised",
            "connection_id",
            "dedup_key",
            unique=True,
            sqlite_where=_PROMISED,
            postgresql_where=_PROMISED,
        ),
        Index(
            "ix_deliveries_owed",
            "connection_id",
            "lane_order",
            "next_attempt_at",
            "id",
            "customer_id",
            "status",
            sqlite_where=OWED,
            postgresql_where=OWED,
        ),
        Index(
            "ix_deliveries_skipped",
            "connection_id",
            "dedup_key",
            sqlite_where=_SKIPPED,
            postgresql_where=_SKIPPED,
        ),
        Index("ix_deliveries_customer_id", "customer_id", "status", "id"),
        Index("ix_deliveries_status", "connection_id", "status", "id"),
        Index("ix_deliveries_metric", "connection_id", "metric", "status", "id"),
        Index(
            "ix_deliveries_cause",
            "connection_id",
            "status",
            "cause",
            "id",
            sqlite_where=CAUSED,
            postgresql_where=CAUSED,
        ),
        Index("ix_deliveries_open", "connection_id", "status", "id", sqlite_where=OPEN, postgresql_where=OPEN),
        Index(
            "ix_deliveries_open_causes",
            "connection_id",
            "status",
            "cause",
            "id",
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        ),
        Index(
            "ix_deliveries_looked_at",
            "connection_id",
            "status",
            "cause",
            "id",
            sqlite_where=LOOKED_AT,
            postgresql_where=LOOKED_AT,
        ),
        Index(
            "ix_deliveries_tests",
            "connection_id",
            "status",
            "id",
            sqlite_where=OF_TESTS,
            postgresql_where=OF_TESTS,
        ),
        Index("ix_deliveries_with_bodies", "finished_at", sqlite_where=_WITH_BODIES, postgresql_where=_WITH_BODIES),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"))
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customers.id"))
    inbound_event_id: Mapped[str] = mapped_column(ForeignKey("inbound_events.id"), index=True)
    kind: Mapped[str]
    metric: Mapped[str]
    unique_id: Mapped[str]
    dedup_key: Mapped[str]
    as_of: Mapped[datetime]
    request: Mapped[bytes]
    status: Mapped[str]
    reason: Mapped[str]
    cause: Mapped[str] = mapped_column(Computed("substr(reason, 1, 200)"))
    notes: Mapped[list[str]]
    tries: Mapped[int]
    next_attempt_at: Mapped[datetime | None]
    next_trigger: Mapped[str]
    created_at: Mapped[datetime]
    queued_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    lane_order: Mapped[int] = mapped_column(server_default=text("0"))
    deaths: Mapped[int] = mapped_column(server_default=text("0"))
    asked: Mapped[str] = mapped_column(server_default=text("''"))
    same_as: Mapped[str | None]
    backfill: Mapped[bool] = mapped_column(server_default=false())
    looked_at: Mapped[datetime | None]
    bodies_removed_at: Mapped[datetime | None]


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
        if any(session.scalar(seen.where(standing).limit(1)) for standing in (_SKIPPED, _PROMISED)):
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
    once = insert(session, Delivery).on_conflict_do_nothing(
        index_elements=["connection_id", "dedup_key"], index_where=_PROMISED
    )
    opened: str | None = session.connection().execute(once.returning(Delivery.id), row).scalar()
    return opened


def _due(now: datetime) -> Any:
    # The lane orders are named one by one because the index begins with them.
    return OWED & Delivery.lane_order.in_(LANE_ORDERS) & (Delivery.next_attempt_at <= now)


def next_due_at(session: Session, account_id: str) -> datetime | None:
    """When this lane's next delivery is due; None when it owes nothing."""
    found = []
    for connection_id in session.scalars(select(Connection.id).where(Connection.account_id == account_id)):
        for order in LANE_ORDERS:
            of_this = Delivery.connection_id == connection_id, Delivery.lane_order == order, OWED
            first = select(Delivery.next_attempt_at).where(*of_this).order_by(Delivery.next_attempt_at).limit(1)
            found.append(session.scalar(first))
    return min((at for at in found if at is not None), default=None)


def lanes_to_ring(session: Session, now: datetime) -> list[str]:
    """The Klaviyo accounts that have something due."""
    query = select(Connection.account_id).where(
        select(Delivery.id).where(Delivery.connection_id == Connection.id, _due(now)).exists()
    )
    return list(session.scalars(query.distinct()))


def fail(session: Session, delivery: Delivery, reason: str, now: datetime) -> None:
    """Give a delivery up."""
    session.execute(
        update(Delivery)
        .where(Delivery.id == delivery.id)
        .values(status=DeliveryStatus.FAILED, reason=reason, next_attempt_at=None, finished_at=now)
    )


def hold_owed(session: Session, connection_ids: Iterable[str], reason: str, *, but_asked: bool = False) -> int:
    """Hold all that these connections owe, or all but what a person asked for; how many that were."""
    owed = update(Delivery).where(Delivery.connection_id.in_(list(connection_ids)), OWED)
    owed = owed.where(Delivery.asked == "") if but_asked else owed
    result: Any = session.execute(owed.values(status=DeliveryStatus.HELD, reason=reason, next_attempt_at=None))
    return int(result.rowcount)


def resume_held(session: Session, connection_ids: Iterable[str], reasons: Iterable[str], now: datetime) -> int:
    """Queue again what was held for one of these reasons; how many that were."""
    held = update(Delivery).where(
        Delivery.connection_id.in_(list(connection_ids)),
        Delivery.status == DeliveryStatus.HELD,
        Delivery.reason.in_(list(reasons)),
    )
    result: Any = session.execute(
        held.values(status=DeliveryStatus.QUEUED, reason="", next_attempt_at=now, queued_at=now)
    )
    return int(result.rowcount)


def connections_to_recheck(session: Session, checked_before: datetime) -> list[str]:
    """The connections that Klaviyo refused, by their key or by its endpoint, and was not asked about since then."""
    refused = Delivery.status == DeliveryStatus.HELD, Delivery.reason == ENDPOINT_REFUSED
    by_endpoint = select(Delivery.id).where(Delivery.connection_id == Connection.id, *refused).exists()
    long_ago = or_(Connection.checked_at.is_(None), Connection.checked_at < checked_before)
    query = select(Connection.id).where(Connection.active, long_ago)
    return list(session.scalars(query.where(or_(Connection.key_status == KeyStatus.REJECTED, by_endpoint))))


def skip_owed(session: Session, connection_id: str, reason: str, now: datetime) -> int:
    """Give up what this connection owes, because a person switched it off; how many that were."""
    owed = update(Delivery).where(Delivery.connection_id == connection_id, OWED)
    result: Any = session.execute(
        owed.values(status=DeliveryStatus.SKIPPED, reason=reason, next_attempt_at=None, finished_at=now)
    )
    return int(result.rowcount)


def find_delivery(session: Session, delivery_id: str) -> Delivery:
    """
    The delivery of that id.

    Raises: NotFound.
    """
    found = session.get(Delivery, delivery_id)
    if found is None:
        raise NotFound(f"no delivery has the id {delivery_id}")
    return found


def list_deliveries(
    session: Session,
    *,
    status: str | None = None,
    metric: str | None = None,
    customer_ids: list[str] | None = None,
    connection_id: str | None = None,
    inbound_event_id: str | None = None,
    limit: int = 50,
) -> list[Delivery]:
    """The newest deliveries first."""
    wanted = {
        Delivery.status: status,
        Delivery.metric: metric,
        Delivery.connection_id: connection_id,
        Delivery.inbound_event_id: inbound_event_id,
    }
    query = select(Delivery).order_by(Delivery.id.desc()).limit(limit)
    query = query.where(*(column == value for column, value in wanted.items() if value))
    if customer_ids is not None:
        query = query.where(Delivery.customer_id.in_(customer_ids))
    return list(session.scalars(query))


def deliveries_of_inbound(session: Session, inbound_ids: list[str]) -> list[Delivery]:
    """All that these inbound events have opened, in the order in which it was opened."""
    query = select(Delivery).where(Delivery.inbound_event_id.in_(inbound_ids)).order_by(Delivery.id)
    return list(session.scalars(query))


def counts_of_inbound(session: Session, inbound_ids: list[str]) -> dict[str, int]:
    """How many deliveries each of these inbound events has opened."""
    query = select(Delivery.inbound_event_id, func.count()).where(Delivery.inbound_event_id.in_(inbound_ids))
    return dict(session.execute(query.group_by(Delivery.inbound_event_id)).all())
