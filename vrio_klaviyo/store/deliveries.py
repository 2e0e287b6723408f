"""Deliveries: every request that we owe Klaviyo, and how it stands."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Computed, ForeignKey, Index, false, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.errors import NotFound
from vrio_klaviyo.store.db import Base


class DeliveryStatus(StrEnum):
    """How a delivery stands; accepted, failed and skipped are final."""

    QUEUED = "queued"
    RETRYING = "retrying"
    HELD = "held"
    ACCEPTED = "accepted"
    FAILED = "failed"
    SKIPPED = "skipped"


# `lane_order`: a lane sends all that is due of one before anything of the next.
LIVE, RETRY, REPLAY, BACKFILL = LANE_ORDERS = range(4)

OWED = text("status IN ('queued', 'retrying')")
PROMISED = text("status <> 'skipped'")
SKIPPED = text("status = 'skipped'")
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
            sqlite_where=PROMISED,
            postgresql_where=PROMISED,
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
            sqlite_where=SKIPPED,
            postgresql_where=SKIPPED,
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


def fail(session: Session, delivery: Delivery, reason: str, now: datetime) -> None:
    """Give a delivery up."""
    session.execute(
        update(Delivery)
        .where(Delivery.id == delivery.id)
        .values(status=DeliveryStatus.FAILED, reason=reason, next_attempt_at=None, finished_at=now)
    )


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
