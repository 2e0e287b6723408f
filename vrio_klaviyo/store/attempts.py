"""
Attempts: every HTTP exchange with Klaviyo, which is the per-customer log that the Webhooks tab shows.

An attempt is committed before the call and closed after it. One that was never closed tells that its worker died.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, bindparam, delete, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.errors import Answer
from vrio_klaviyo.klaviyo.requests import Rendered
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import ProfileLink
from vrio_klaviyo.store.db import Base
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus, Due
from vrio_klaviyo.store.ids import new_id
from vrio_klaviyo.store.upserts import insert

INTERRUPTED = "interrupted, outcome unknown"

_OPEN = text("duration_ms IS NULL AND error IS NULL")


class Attempt(Base):
    """
    One row of the log.

    Shape:  number counts from 1 within the delivery. Headers are without the key. While the call is under way, all that
            comes back is None; when nothing came back, error says why. exchange_id is shared by attempts that went out
            in one HTTP request.
    """

    __tablename__ = "webhooks"
    __table_args__ = (
        Index("ix_webhooks_open", "connection_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_webhooks_customer_id", "customer_id", "id"),
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


def open_attempts(session: Session, sending: Iterable[tuple[Due, Rendered]], base_url: str, now: datetime) -> list[str]:
    """The ids of new attempts, one for each request that is about to be sent."""
    pairs = list(sending)
    made = select(Attempt.delivery_id, func.max(Attempt.number)).group_by(Attempt.delivery_id)
    numbers = dict(session.execute(made.where(Attempt.delivery_id.in_([due.delivery.id for due, _ in pairs]))).all())
    rows: list[dict[str, Any]] = [
        {
            "id": (attempt_id := new_id("at")),
            "delivery_id": due.delivery.id,
            "connection_id": due.delivery.connection_id,
            "customer_id": due.delivery.customer_id,
            "inbound_event_id": due.delivery.inbound_event_id,
            "number": numbers.get(due.delivery.id, 0) + 1,
            "trigger": due.delivery.next_trigger,
            "started_at": now,
            "method": rendered.method,
            "url": base_url + rendered.path,
            "request_headers": dict(rendered.headers),
            "request_body": rendered.body,
            "exchange_id": attempt_id,
        }
        for due, rendered in pairs
    ]
    session.execute(insert(session, Attempt), rows)
    return [row["id"] for row in rows]


@dataclass(frozen=True, slots=True)
class Result:
    """
    One attempt's end, and what it makes of its delivery.

    Shape:  status is None when the delivery stays as it was (the lane waits, or is held as a whole). refused_phone is
            the number that Klaviyo did not take.
    """

    attempt_id: str
    due: Due
    duration_ms: int
    answer: Answer | None
    error: str | None
    status: DeliveryStatus | None
    reason: str = ""
    note: str = ""
    counts: bool = True
    next_attempt_at: datetime | None = None
    next_trigger: str = "first"
    refused_phone: str | None = None


def record_results(session: Session, results: list[Result], now: datetime) -> None:
    """Close the attempts, and bring deliveries and what is known of the customers up to date."""
    _close(session, results)
    for result in results:
        delivery = result.due.delivery
        changes: dict[str, Any] = {"tries": Delivery.tries + int(result.counts), "next_trigger": result.next_trigger}
        if result.status is not None:
            final = result.status in (DeliveryStatus.ACCEPTED, DeliveryStatus.FAILED)
            changes |= {
                "status": result.status,
                "reason": result.reason,
                "next_attempt_at": result.next_attempt_at,
                "finished_at": now if final else None,
            }
        if result.note and result.note not in delivery.notes:
            changes["notes"] = [*delivery.notes, result.note]
        session.execute(update(Delivery).where(Delivery.id == delivery.id).values(changes))
    for result in results:
        _learn(session, result)


def _close(session: Session, results: list[Result]) -> None:
    table = Attempt.__table__
    statement = (
        update(table)  # type: ignore[arg-type]
        .where(table.c.id == bindparam("attempt"))
        .values(
            duration_ms=bindparam("took"),
            response_status=bindparam("status"),
            response_headers=bindparam("headers"),
            response_body=bindparam("answered"),
            error=bindparam("failure"),
        )
    )
    rows = [
        {
            "attempt": result.attempt_id,
            "took": result.duration_ms,
            "status": result.answer.status if result.answer else None,
            "headers": result.answer.headers if result.answer else None,
            "answered": result.answer.body if result.answer else None,
            "failure": result.error,
        }
        for result in results
    ]
    session.connection().execute(statement, rows)


def _learn(session: Session, result: Result) -> None:
    delivery = result.due.delivery
    accepted = result.status == DeliveryStatus.ACCEPTED
    if delivery.customer_id is None or not (accepted or result.refused_phone):
        return
    news: dict[str, Any] = {}
    if accepted and not result.due.known.overtaken:
        news["accepted_as_of"] = delivery.as_of
    if result.refused_phone:
        news["refused_phone"] = result.refused_phone
    if not news:
        return
    key = {"connection_id": delivery.connection_id, "customer_id": delivery.customer_id}
    statement = insert(session, ProfileLink).values(key | news)
    session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=news))


def withdraw(session: Session, attempt_ids: Iterable[str]) -> None:
    """Take back attempts that were opened and not made, because the lane was stopped before their turn."""
    session.execute(delete(Attempt).where(Attempt.id.in_(list(attempt_ids))))


def close_interrupted(session: Session, account_id: str) -> int:
    """
    Close the attempts of this lane that a dead worker left open, and say so on their deliveries; how many there were.

    To be called by who holds the lane's lease: nobody else can be sending then.
    """
    left = select(Attempt.id, Attempt.delivery_id).join(Connection, Connection.id == Attempt.connection_id)
    rows = session.execute(left.where(Connection.account_id == account_id, _OPEN)).all()
    if not rows:
        return 0
    session.execute(update(Attempt).where(Attempt.id.in_([row.id for row in rows])).values(error=INTERRUPTED))
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_([row.delivery_id for row in rows]))
        .values(next_trigger="interrupted", tries=Delivery.tries + 1)
    )
    return len(rows)


def attempts_of_deliveries(session: Session, delivery_ids: list[str]) -> list[Attempt]:
    """All attempts of these deliveries, the newest one first."""
    query = select(Attempt).where(Attempt.delivery_id.in_(delivery_ids)).order_by(Attempt.id.desc())
    return list(session.scalars(query))


def counts_of_deliveries(session: Session, delivery_ids: list[str]) -> dict[str, int]:
    """How many attempts each of these deliveries has had."""
    query = select(Attempt.delivery_id, func.count()).where(Attempt.delivery_id.in_(delivery_ids))
    return dict(session.execute(query.group_by(Attempt.delivery_id)).all())
