"""Sending again: a delivery keeps its row and its id, and gets one attempt more because a person asked for it."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from vrio_klaviyo.klaviyo import requests
from vrio_klaviyo.klaviyo.requests import Rendered, Request
from vrio_klaviyo.store import deliveries
from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.deliveries import OWED, Delivery, DeliveryStatus

# Who asked: a person for this one, who wants one attempt and no more; or a replay.
MANUAL = "manual"
REPLAY = "replay"

_LAST = select(func.max(Attempt.number)).where(Attempt.delivery_id == Delivery.id).correlate(Delivery)
# Klaviyo had taken it, and not when it was sent again the last time.
IS_IN_VAIN = (Delivery.status == DeliveryStatus.ACCEPTED) & exists().where(
    Attempt.delivery_id == Delivery.id,
    Attempt.number == _LAST.scalar_subquery(),
    ~func.coalesce(Attempt.response_status, 0).between(200, 299),
)

IN_VAIN = "Klaviyo had taken this before. Sending it again on {:%d %b %Y} was in vain: {}"


def is_being_sent(session: Session, delivery_id: str) -> bool:
    """Whether an attempt of this delivery is open. To be asked by who has shut out the lane."""
    under_way = Attempt.delivery_id == delivery_id, Attempt.duration_ms.is_(None), Attempt.error.is_(None)
    return session.scalar(select(Attempt.id).where(*under_way).limit(1)) is not None


def last_alone(session: Session, delivery_id: str) -> str | None:
    """The last attempt that went out in a request of its own; None when there is none whose bytes could go again."""
    alone = Attempt.delivery_id == delivery_id, Attempt.exchange_id == Attempt.id, func.length(Attempt.request_body) > 0
    return session.scalar(select(Attempt.id).where(*alone).order_by(Attempt.number.desc()).limit(1))


def promised_by(session: Session, delivery: Delivery) -> str | None:
    """The other delivery that holds the key of this skipped one by now; None when nobody does."""
    same = Delivery.connection_id == delivery.connection_id, Delivery.dedup_key == delivery.dedup_key
    standing = Delivery.status != DeliveryStatus.SKIPPED, Delivery.id != delivery.id
    return session.scalar(select(Delivery.id).where(*same, *standing).limit(1))


def queue_again(
    session: Session,
    delivery: Delivery,
    asked: str,
    now: datetime,
    *,
    request: Request | None = None,
    same_as: str | None = None,
    backfill: bool = False,
) -> None:
    """
    Owe it once more, from now on; a retry that was waiting is given up for it.

    Shape:  what a person waits for goes with what comes in, a replay behind it. `request` takes the place of the one
            that was kept; without it the bytes of the attempt `same_as` go out, or, where there are none, what is made
            of the kept request.
    """
    news = {
        "status": DeliveryStatus.QUEUED,
        "reason": "",
        "asked": asked,
        "same_as": same_as,
        "backfill": backfill,
        "next_attempt_at": now,
        "next_trigger": asked,
        "lane_order": deliveries.LIVE if asked == MANUAL else deliveries.BACKFILL if backfill else deliveries.REPLAY,
        # Whatever went before counts no more, neither against it nor for how long it waits.
        "tries": 0,
        "deaths": 0,
        "queued_at": now,
        "finished_at": None,
        "looked_at": None,
    }
    kept = {} if request is None else {"request": requests.dumps(request)}
    session.execute(update(Delivery).where(Delivery.id == delivery.id).values(news | kept))


def as_before(session: Session, attempt_id: str, rendered: Rendered) -> Rendered:
    """The request whose body is byte for byte that of an attempt; the one given when that body is gone."""
    attempt = session.get(Attempt, attempt_id)
    if attempt is None or not attempt.request_body:
        return rendered
    phone = rendered.phone if rendered.phone and rendered.phone.encode() in attempt.request_body else None
    return replace(rendered, headers=attempt.request_headers, body=attempt.request_body, phone=phone)


def keep_accepted(session: Session, delivery_ids: list[str], now: datetime) -> None:
    """What Klaviyo had taken before stays accepted, although sending it again was in vain, and a note says so."""
    for row in session.execute(_taken_before(Delivery.id.in_(delivery_ids))) if delivery_ids else ():
        _keep(session, row, row.reason, now)


def spare_accepted(session: Session, connection_id: str, why: str, now: datetime) -> None:
    """What a connection owes once more, and Klaviyo had taken before, is given up and stays accepted."""
    for row in session.execute(_taken_before(Delivery.connection_id == connection_id, OWED, Delivery.asked != "")):
        _keep(session, row, why, now)


def _taken_before(*which: Any) -> Any:
    took = exists().where(Attempt.delivery_id == Delivery.id, Attempt.response_status.between(200, 299))
    return select(Delivery.id, Delivery.notes, Delivery.reason).where(*which, took)


def _keep(session: Session, row: Any, why: str, now: datetime) -> None:
    # Of a traceback its last line.
    note = IN_VAIN.format(now, (why.splitlines() or [""])[-1])
    kept = {"status": DeliveryStatus.ACCEPTED, "reason": "", "notes": [*row.notes, note]}
    ended = {"asked": "", "next_attempt_at": None, "finished_at": now}
    session.execute(update(Delivery).where(Delivery.id == row.id).values(kept | ended))


def look_at(session: Session, delivery_ids: list[str], now: datetime | None) -> int:
    """
    Mark failures as looked at: they stop being counted, until they fail again; how many that were.

    Shape:  None as the time counts them again.
    """
    failed = update(Delivery).where(Delivery.id.in_(delivery_ids), Delivery.status == DeliveryStatus.FAILED)
    return len(session.execute(failed.values(looked_at=now).returning(Delivery.id)).all())
