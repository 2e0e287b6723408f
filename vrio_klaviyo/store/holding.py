"""Holding: what a connection owes waits for a reason, and goes on or goes no more when a person or Klaviyo says so."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from vrio_klaviyo.store.deliveries import OWED, Delivery, DeliveryStatus

# Why a delivery is held.
KEY_REJECTED = "key_rejected"
CONNECTION_PAUSED = "connection_paused"
ENDPOINT_REFUSED = "endpoint_refused"


def hold_owed(session: Session, connection_ids: Iterable[str], reason: str, *, but_asked: bool = False) -> int:
    """Hold all that these connections owe, or all but what a person asked for; how many that were."""
    owed = update(Delivery).where(Delivery.connection_id.in_(list(connection_ids)), OWED)
    owed = owed.where(Delivery.asked == "") if but_asked else owed
    result: Any = session.execute(owed.values(status=DeliveryStatus.HELD, reason=reason, next_attempt_at=None))
    return int(result.rowcount)


def hold_for_good(session: Session, connection_id: str) -> None:
    """Hold all that this connection owes: nobody's asking for it is left, which a pause would make way for."""
    hold_owed(session, [connection_id], CONNECTION_PAUSED)
    held = update(Delivery).where(Delivery.connection_id == connection_id, Delivery.status == DeliveryStatus.HELD)
    session.execute(held.where(Delivery.asked != "").values(asked=""))


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


def skip_owed(session: Session, connection_id: str, reason: str, now: datetime) -> int:
    """Give up what this connection owes, because a person switched it off; how many that were."""
    owed = update(Delivery).where(Delivery.connection_id == connection_id, OWED)
    result: Any = session.execute(
        owed.values(status=DeliveryStatus.SKIPPED, reason=reason, next_attempt_at=None, finished_at=now)
    )
    return int(result.rowcount)
