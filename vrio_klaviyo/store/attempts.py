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
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus
from vrio_klaviyo.store.ids import new_id
from vrio_klaviyo.store.turns import Due
from vrio_klaviyo.store.upserts import insert

INTERRUPTED = "interrupted, outcome unknown"
# So many deaths of workers while it was being sent, and a delivery is given up.
DEADLY = 3
DEADLY_REASON = (
    "Three workers died while this was being sent. Whether Klaviyo has it is not known; sending it again is safe, "
    "because its id is the same."
)

_OPEN = text("duration_ms IS NULL AND error IS NULL")
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
        Index("ix_webhooks_open", "connection_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
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


def open_attempts(
    session: Session, sending: Iterable[tuple[Due, Rendered]], base_url: str, now: datetime, *, shared: bool = False
) -> list[str]:
    """The ids of new attempts, one for each request that is about to be sent, or for each part of a `shared` one."""
    pairs = list(sending)
    made = select(Attempt.delivery_id, func.max(Attempt.number)).group_by(Attempt.delivery_id)
    numbers = dict(session.execute(made.where(Attempt.delivery_id.in_([due.delivery.id for due, _ in pairs]))).all())
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


@dataclass(frozen=True, slots=True)
class Result:
    """
    One attempt's end, and what it makes of its delivery.

    Shape:  status is None when the delivery stays as it was (the lane waits, or is held as a whole). refused_phone is
            the number that Klaviyo did not take, accepted_phone the one that it took.
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
    lane_order: int | None = None
    refused_phone: str | None = None
    accepted_phone: str | None = None


def record_results(session: Session, results: list[Result], now: datetime) -> None:
    """Close the attempts, and bring deliveries and what is known of the customers up to date."""
    _close(session, results)
    _settle(session, [result for result in results if result.status is not None], now)
    _leave(session, [result for result in results if result.status is None])
    _learn(session, results)


def _settle(session: Session, results: list[Result], now: datetime) -> None:
    """Deliveries that stand otherwise than before."""
    table = Delivery.__table__
    news = ("status", "reason", "notes", "next_trigger", "next_attempt_at", "finished_at", "lane_order", "asked")
    statement = update(table).where(table.c.id == bindparam("delivery"))  # type: ignore[arg-type]
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in news}
    values["tries"] = table.c.tries + bindparam("counts")
    rows = []
    for result in results:
        delivery = result.due.delivery
        final = result.status in (DeliveryStatus.ACCEPTED, DeliveryStatus.FAILED)
        is_new = result.note and result.note not in delivery.notes
        rows.append(
            {
                "delivery": delivery.id,
                "counts": int(result.counts),
                "new_status": result.status,
                "new_reason": result.reason,
                "new_notes": [*delivery.notes, result.note] if is_new else delivery.notes,
                "new_next_trigger": result.next_trigger,
                "new_next_attempt_at": result.next_attempt_at,
                "new_finished_at": now if final else None,
                "new_lane_order": delivery.lane_order if result.lane_order is None else result.lane_order,
                # What a person asked for has been done, whatever came of it.
                "new_asked": "" if final else delivery.asked,
            }
        )
    _execute(session, statement.values(values), rows)


def _leave(session: Session, results: list[Result]) -> None:
    """Deliveries that stand as before; somebody may have held them meanwhile."""
    table = Delivery.__table__
    statement = update(table).where(table.c.id == bindparam("delivery"))  # type: ignore[arg-type]
    values = {"tries": table.c.tries + bindparam("counts"), "next_trigger": bindparam("trigger")}
    rows = [
        {"delivery": one.due.delivery.id, "counts": int(one.counts), "trigger": one.next_trigger} for one in results
    ]
    _execute(session, statement.values(values), rows)


def _execute(session: Session, statement: Any, rows: list[dict[str, Any]]) -> None:
    """One statement for many rows, in one go."""
    if rows:
        session.connection().execute(statement, rows)


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
    _execute(session, statement, rows)


def _learn(session: Session, results: list[Result]) -> None:
    """What Klaviyo has of a customer by now, or may have: a call without an answer may have arrived."""
    news: dict[tuple[str, str], dict[str, Any]] = {}
    for result in results:
        delivery = result.due.delivery
        if delivery.customer_id is None:
            continue
        phones = {"refused_phone": result.refused_phone, "accepted_phone": result.accepted_phone}
        arrived = result.status == DeliveryStatus.ACCEPTED or (result.counts and result.next_trigger == "backoff")
        seen = _newest(result.due) if arrived else None
        if seen or any(phones.values()):
            key = delivery.connection_id, delivery.customer_id
            known = news.setdefault(key, {"accepted_as_of": None, "refused_phone": None, "accepted_phone": None})
            known |= {name: phone for name, phone in phones.items() if phone}
            known["accepted_as_of"] = max(filter(None, (known["accepted_as_of"], seen)), default=None)
    _remember(session, news)


def _newest(due: Due) -> datetime:
    return due.delivery.as_of if due.newest is None else max(due.newest, due.delivery.as_of)


def _remember(session: Session, news: dict[tuple[str, str], dict[str, Any]]) -> None:
    statement = insert(session, ProfileLink)
    told = {
        name: func.coalesce(statement.excluded[name], getattr(ProfileLink, name))
        for name in ("accepted_as_of", "refused_phone", "accepted_phone")
    }
    upsert = statement.on_conflict_do_update(index_elements=["connection_id", "customer_id"], set_=told)
    # In one order, so that two lanes that write the same rows never wait for each other.
    _execute(session, upsert, [{"connection_id": k[0], "customer_id": k[1]} | news[k] for k in sorted(news)])


def withdraw(session: Session, attempt_ids: Iterable[str]) -> None:
    """Take back attempts that were opened and not made, because the lane was stopped before their turn."""
    session.execute(delete(Attempt).where(Attempt.id.in_(list(attempt_ids))))


def close_interrupted(session: Session, account_id: str, now: datetime) -> int:
    """
    Close the attempts of this lane that a dead worker left open, and say so on their deliveries; how many there were.

    Shape:  a delivery that was being sent by itself when a worker died, three times over, is failed.
    To be called by who holds the lane's lease: nobody else can be sending then.
    """
    left = (
        select(Attempt.id, Attempt.exchange_id, Delivery, ProfileLink.accepted_as_of)
        .join(Connection, Connection.id == Attempt.connection_id)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .outerjoin(
            ProfileLink,
            (ProfileLink.connection_id == Attempt.connection_id) & (ProfileLink.customer_id == Attempt.customer_id),
        )
    )
    rows = session.execute(left.where(Connection.account_id == account_id, _OPEN)).all()
    if not rows:
        return 0
    session.execute(update(Attempt).where(Attempt.id.in_([row.id for row in rows])).values(error=INTERRUPTED))
    news: dict[tuple[str, str], dict[str, Any]] = {}
    for attempt_id, exchange_id, delivery, newest in rows:
        delivery.next_trigger = "interrupted"
        delivery.tries += 1
        # Of a bulk job's many nobody knows which one it was: they go on singly, where a second death will tell.
        delivery.deaths += int(exchange_id == attempt_id)
        if delivery.deaths >= DEADLY and delivery.status in (DeliveryStatus.QUEUED, DeliveryStatus.RETRYING):
            delivery.status, delivery.reason = DeliveryStatus.FAILED, DEADLY_REASON
            delivery.next_attempt_at, delivery.finished_at = None, now
        if delivery.customer_id is not None:
            key = delivery.connection_id, delivery.customer_id
            seen = news.get(key, {}).get("accepted_as_of") or newest or delivery.as_of
            news[key] = {"refused_phone": None, "accepted_phone": None, "accepted_as_of": max(seen, delivery.as_of)}
    _remember(session, news)
    return len(rows)


def attempts_of_deliveries(session: Session, delivery_ids: list[str]) -> list[Attempt]:
    """All attempts of these deliveries, the newest one first."""
    query = select(Attempt).where(Attempt.delivery_id.in_(delivery_ids)).order_by(Attempt.id.desc())
    return list(session.scalars(query))


def counts_of_deliveries(session: Session, delivery_ids: list[str]) -> dict[str, int]:
    """How many attempts each of these deliveries has had."""
    query = select(Attempt.delivery_id, func.count()).where(Attempt.delivery_id.in_(delivery_ids))
    return dict(session.execute(query.group_by(Attempt.delivery_id)).all())
