"""Results: how attempts ended, and what that makes of deliveries and of what is known of the customers."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from vrio_klaviyo.errors import Answer
from vrio_klaviyo.store import resending
from vrio_klaviyo.store.attempts import UNDER_WAY, Attempt
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import ProfileLink
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus
from vrio_klaviyo.store.turns import Due
from vrio_klaviyo.store.upserts import insert

_STILL_OWED = (DeliveryStatus.QUEUED, DeliveryStatus.RETRYING)

INTERRUPTED = "interrupted, outcome unknown"
# So many deaths of workers while it was being sent, and a delivery is given up.
DEADLY = 3
DEADLY_REASON = (
    "Three workers died while this was being sent. Whether Klaviyo has it is not known; sending it again is safe, "
    "because its id is the same."
)


@dataclass(frozen=True, slots=True)
class Result:
    """
    One attempt's end, and what it makes of its delivery.

    Shape:  status is None when the delivery stays as it was (the lane waits, or is held as a whole). may_have_arrived
            says that nobody knows. refused_phone is the number that Klaviyo did not take, accepted_phone the one that
            it took.
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
    may_have_arrived: bool = False
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


def close_interrupted(
    session: Session, account_id: str, now: datetime, blameless: AbstractSet[str] = frozenset()
) -> int:
    """
    Close the attempts of this lane that a dead worker left open, and say so on their deliveries; how many there were.

    Shape:  a delivery that was being sent by itself when a worker died, three times over, is failed. The `blameless`
            attempts are known to have been left for another reason.
    To be called by who holds the lane's lease: nobody else can be sending then.
    """
    rows = _left_open(session, Connection.account_id == account_id, UNDER_WAY)
    for row in rows:
        # Of a bulk job's many nobody knows which one it was: they go on singly, where a second death will tell.
        row.Delivery.deaths += int(row.exchange_id == row.id and row.id not in blameless)
    _interrupt(session, rows, DEADLY_REASON, now)
    return len(rows)


def close_faulty(session: Session, attempt_ids: list[str], trace: str, again_at: datetime, now: datetime) -> None:
    """
    Close the attempts of one call that went wrong on our side; their deliveries are sent again at `again_at`.

    Shape:  it counts like a worker's death, and after the third the delivery is failed with this traceback.
    """
    rows = _left_open(session, Attempt.id.in_(attempt_ids))
    for row in rows:
        row.Delivery.deaths += int(row.exchange_id == row.id)
        if row.Delivery.status in _STILL_OWED:
            row.Delivery.status, row.Delivery.reason = DeliveryStatus.RETRYING, trace.splitlines()[-1]
            row.Delivery.next_attempt_at = again_at
    _interrupt(session, rows, trace, now)


def _left_open(session: Session, *which: Any) -> Sequence[Any]:
    """These attempts, with their deliveries and the picture of their customers that Klaviyo has."""
    left = (
        select(Attempt.id, Attempt.exchange_id, Delivery, ProfileLink.accepted_as_of)
        .join(Connection, Connection.id == Attempt.connection_id)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .outerjoin(
            ProfileLink,
            (ProfileLink.connection_id == Attempt.connection_id) & (ProfileLink.customer_id == Attempt.customer_id),
        )
    )
    return session.execute(left.where(*which)).all()


def _interrupt(session: Session, rows: Sequence[Any], reason: str, now: datetime) -> None:
    """Close these attempts; what has died often enough is failed for this reason."""
    if not rows:
        return
    session.execute(update(Attempt).where(Attempt.id.in_([row.id for row in rows])).values(error=INTERRUPTED))
    news: dict[tuple[str, str], dict[str, Any]] = {}
    for _, _, delivery, newest in rows:
        delivery.next_trigger = "interrupted"
        delivery.tries += 1
        if delivery.deaths >= DEADLY and delivery.status in _STILL_OWED:
            delivery.status, delivery.reason = DeliveryStatus.FAILED, reason
            delivery.next_attempt_at, delivery.finished_at = None, now
        if delivery.customer_id is not None:
            key = delivery.connection_id, delivery.customer_id
            seen = news.get(key, {}).get("accepted_as_of") or newest or delivery.as_of
            news[key] = {"refused_phone": None, "accepted_phone": None, "accepted_as_of": max(seen, delivery.as_of)}
    _remember(session, news)
    given_up = [row.Delivery for row in rows if row.Delivery.status == DeliveryStatus.FAILED]
    resending.keep_accepted(session, [delivery.id for delivery in given_up if delivery.asked], now)


def _settle(session: Session, results: list[Result], now: datetime) -> None:
    """Deliveries that stand otherwise than before."""
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
    _execute(session, _SETTLE, rows)


def _leave(session: Session, results: list[Result]) -> None:
    """Deliveries that stand as before; somebody may have held them meanwhile."""
    rows = [
        {"delivery": one.due.delivery.id, "counts": int(one.counts), "new_next_trigger": one.next_trigger}
        for one in results
    ]
    _execute(session, _LEAVE, rows)


def _close(session: Session, results: list[Result]) -> None:
    rows = [
        {
            "attempt": result.attempt_id,
            "new_duration_ms": result.duration_ms,
            "new_response_status": result.answer.status if result.answer else None,
            "new_response_headers": result.answer.headers if result.answer else None,
            "new_response_body": result.answer.body if result.answer else None,
            "new_error": result.error,
        }
        for result in results
    ]
    _execute(session, _CLOSE, rows)


def _learn(session: Session, results: list[Result]) -> None:
    """What Klaviyo has of a customer by now, or may have: a call without an answer may have arrived."""
    news: dict[tuple[str, str], dict[str, Any]] = {}
    for result in results:
        delivery = result.due.delivery
        if delivery.customer_id is None:
            continue
        phones = {"refused_phone": result.refused_phone, "accepted_phone": result.accepted_phone}
        arrived = result.status == DeliveryStatus.ACCEPTED or result.may_have_arrived
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
    # In one order, so that two lanes that write the same rows never wait for each other.
    rows = [{"connection_id": key[0], "customer_id": key[1]} | news[key] for key in sorted(news)]
    _execute(session, _remembering(session.get_bind().dialect.name), rows)


@cache
def _remembering(dialect: str) -> Any:
    """The statement with which news replace what was known; what is no news stays."""
    statement = insert(dialect, ProfileLink)
    told = {
        name: func.coalesce(statement.excluded[name], getattr(ProfileLink, name))
        for name in ("accepted_as_of", "refused_phone", "accepted_phone")
    }
    return statement.on_conflict_do_update(index_elements=["connection_id", "customer_id"], set_=told)


def _new(*names: str) -> dict[str, Any]:
    return {name: bindparam(f"new_{name}") for name in names}


# Made once, because that costs more than executing them, which every round of a lane does.
_deliveries: Any = Delivery.__table__
_attempts: Any = Attempt.__table__
_LEAVE = (
    update(_deliveries)
    .where(_deliveries.c.id == bindparam("delivery"))
    .values(_new("next_trigger") | {"tries": _deliveries.c.tries + bindparam("counts")})
)
_SETTLE = _LEAVE.values(_new("status", "reason", "notes", "next_attempt_at", "finished_at", "lane_order", "asked"))
_CLOSE = (
    update(_attempts)
    .where(_attempts.c.id == bindparam("attempt"))
    .values(_new("duration_ms", "response_status", "response_headers", "response_body", "error"))
)


def _execute(session: Session, statement: Any, rows: list[dict[str, Any]]) -> None:
    """One statement for many rows, in one go."""
    if rows:
        session.connection().execute(statement, rows)
