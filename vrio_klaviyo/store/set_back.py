"""
After the machine's clock was set back: what lies further ahead than any rule puts it was written by the clock before.

Without this nothing of it would be done until the clock has shown that time again. A time ahead is when to look next,
so looking too early does no harm.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, not_, or_, update
from sqlalchemy.orm import Session

from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import OWED, Delivery, DeliveryStatus
from vrio_klaviyo.store.inbound import AWAITED, InboundEvent
from vrio_klaviyo.store.leases import SKEW, LeaseRow


def pull_in(session: Session, now: datetime, rests: Mapping[str, timedelta], waits: Sequence[timedelta]) -> int:
    """
    Let go on now what would wait for longer than it can have been told to; how many rows that were.

    Shape:  rests is the longest that leases with such a name rest; waits the longest after each number of tries.
    """
    soon = now + SKEW
    changes = [*_of_leases(soon, rests), *_of_deliveries(soon, waits, now)]
    # The next question to Vrio; who waits for a thing that somebody has to tell of may wait for as long as it takes.
    asks = AWAITED, InboundEvent.waits_for == "", InboundEvent.wait_until > soon
    changes.append(update(InboundEvent).where(*asks).values(wait_until=now))
    changes.append(update(Connection).where(Connection.checked_at > soon).values(checked_at=now))
    results: list[Any] = [session.execute(change) for change in changes]
    return sum(result.rowcount for result in results)


def _of_leases(soon: datetime, rests: Mapping[str, timedelta]) -> Iterator[Any]:
    yield update(LeaseRow).where(LeaseRow.until > soon).values(owner=None, until=None)
    rested = update(LeaseRow).values(wake_at=None)
    named = {name: LeaseRow.name.startswith(name) for name in rests}
    yield rested.where(LeaseRow.wake_at > soon, not_(or_(*named.values())))
    for name, rest in rests.items():
        yield rested.where(LeaseRow.wake_at > soon + rest, named[name])


def _of_deliveries(soon: datetime, waits: Sequence[timedelta], now: datetime) -> Iterator[Any]:
    # What is queued is due from the moment on in which it was.
    *first, last = ((Delivery.tries <= tries, soon + wait) for tries, wait in enumerate(waits, 1))
    latest = case((Delivery.status == DeliveryStatus.QUEUED, soon), *first, else_=last[1])
    yield update(Delivery).where(OWED, Delivery.next_attempt_at > latest).values(next_attempt_at=now)
