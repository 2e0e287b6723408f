"""
Attempts: every HTTP exchange with Klaviyo, which is the per-customer log that the Webhooks tab shows.

An attempt is committed before the call and closed after it. One that was never closed tells that its worker died.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, bindparam, delete, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.klaviyo.requests import Rendered
from vrio_klaviyo.store.db import Base
from vrio_klaviyo.store.ids import new_id
from vrio_klaviyo.store.turns import Due
from vrio_klaviyo.store.upserts import insert

UNDER_WAY = text("duration_ms IS NULL AND error IS NULL")
# What there is little of while all is well.
AGAIN = text("trigger <> 'first'")
IN_VAIN = text("error IS NOT NULL")


class Attempt(Base):
    """
    One row of the log.

    Shape:  number counts from 1 within the delivery. Headers are without the key. While the call is under way, all that
            comes back is None; when nothing came back, error says why. exchange_id is shared by attempts that went out
            in one HTTP request.
    """

    __tablename__ = "webhooks"
    __table_args__ = (
        Index("ix_webhooks_open", "connection_id", sqlite_where=UNDER_WAY, postgresql_where=UNDER_WAY),
        Index("ix_webhooks_customer_id", "customer_id", "id"),
        Index("ix_webhooks_again", "connection_id", "trigger", "id", sqlite_where=AGAIN, postgresql_where=AGAIN),
        Index(
            "ix_webhooks_in_vain",
            "connection_id",
            "response_status",
            "id",
            sqlite_where=IN_VAIN,
            postgresql_where=IN_VAIN,
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    delivery_id: Mapped[str] = mapped_column(ForeignKey("deliveries.id"), index=True)
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"))
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customers.id"))
    inbound_event_id: Mapped[str] = mapped_column(ForeignKey("inbound_events.id"))
    number: Mapped[int]
    trigger: Mapped[str]
    started_at: Mapped[datetime]
    duration_ms: Mapped[int | None]
    method: Mapped[str]
    url: Mapped[str]
    request_headers: Mapped[dict[str, str]]
    request_body: Mapped[bytes]
    response_status: Mapped[int | None]
    response_headers: Mapped[dict[str, str] | None]
    response_body: Mapped[bytes | None]
    error: Mapped[str | None]
    exchange_id: Mapped[str]


# Made once, because that costs more than asking.
_NUMBERS = (
    select(Attempt.delivery_id, func.max(Attempt.number))
    .where(Attempt.delivery_id.in_(bindparam("deliveries", expanding=True)))
    .group_by(Attempt.delivery_id)
)


def open_attempts(
    session: Session, sending: Iterable[tuple[Due, Rendered]], base_url: str, now: datetime, *, shared: bool = False
) -> list[str]:
    """The ids of new attempts, one for each request that is about to be sent, or for each part of a `shared` one."""
    pairs = list(sending)
    asked = {"deliveries": [due.delivery.id for due, _ in pairs]}
    numbers = dict(session.connection().execute(_NUMBERS, asked).all())
    exchange_id = new_id("ex")
    rows: list[dict[str, Any]] = [
        {
            "id": (attempt_id := new_id("at")),
            "delivery_id": due.delivery.id,
            "connection_id": due.delivery.connection_id,
            "customer_id": due.delivery.customer_id,
            "inbound_event_id": due.delivery.inbound_event_id,
            "number": numbers.get(due.delivery.id, 0) + 1,
            "trigger": "bulk" if shared else due.delivery.next_trigger,
            "started_at": now,
            "method": rendered.method,
            "url": base_url + rendered.path,
            "request_headers": dict(rendered.headers),
            "request_body": rendered.body,
            "exchange_id": exchange_id if shared else attempt_id,
        }
        for due, rendered in pairs
    ]
    session.connection().execute(insert(session, Attempt), rows)
    return [row["id"] for row in rows]


def withdraw(session: Session, attempt_ids: Iterable[str]) -> None:
    """Take back attempts that were opened and not made, because the lane was stopped before their turn."""
    session.execute(delete(Attempt).where(Attempt.id.in_(list(attempt_ids))))


def attempts_of_deliveries(session: Session, delivery_ids: list[str]) -> list[Attempt]:
    """All attempts of these deliveries, the newest one first."""
    query = select(Attempt).where(Attempt.delivery_id.in_(delivery_ids)).order_by(Attempt.id.desc())
    return list(session.scalars(query))


def counts_of_deliveries(session: Session, delivery_ids: list[str]) -> dict[str, int]:
    """How many attempts each of these deliveries has had."""
    query = select(Attempt.delivery_id, func.count()).where(Attempt.delivery_id.in_(delivery_ids))
    return dict(session.execute(query.group_by(Attempt.delivery_id)).all())
