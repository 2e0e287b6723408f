"""
Forgetting: what has been kept for long enough goes, and so does a person who asks for it.

Both work in short transactions with a breath between them, so that webhooks never wait for them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from vrio_klaviyo import log
from vrio_klaviyo.errors import LeaseLost, NotFound, Refused
from vrio_klaviyo.store import erasure, leases, retention
from vrio_klaviyo.store.connections import list_connections
from vrio_klaviyo.store.db import Database, Session

LEASE = "periodic/retention"
EVERY = timedelta(days=1)
# What is more than a day late may be so because the machine's clock is wrong. What is gone is gone, so people get as
# long as a weekend to see that.
PUT_OFF = timedelta(days=3)

SLICE_S = 4.0
# A batch holds SQLite's write lock for some tens of milliseconds.
BATCH = 100
BREATH_S = 0.02


@dataclass(frozen=True, slots=True)
class Kept:
    """For how long bodies and rows are kept."""

    bodies: timedelta
    rows: timedelta


@dataclass(frozen=True, slots=True)
class Forgotten:
    """
    How many rows lost their bodies, how many webhooks went with all that followed from them, and how many people.

    Shape:  strays are what was remembered of nobody's things, and charges that were never announced.
    """

    bodies: int = 0
    webhooks: int = 0
    customers: int = 0
    replays: int = 0
    strays: int = 0


def due(db: Database, kept: Kept, now: datetime) -> Forgotten:
    """What would be forgotten now; nothing is."""
    with db.read() as session:
        return Forgotten(
            bodies=retention.bodies_to_remove(session, now - kept.bodies),
            webhooks=retention.rows_to_remove(session, now - kept.rows),
            customers=retention.customers_to_forget(session, now - kept.rows),
            strays=retention.strays_to_remove(session, now - kept.rows),
        )


class Forgetter:
    """Removes what has been kept for long enough, once a day and a slice of time at once."""

    def __init__(
        self,
        *,
        db: Database,
        kept: Kept,
        now: Callable[[], datetime],
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._db = db
        self._kept = kept
        self._now = now
        self._stopping = stopping

    def forget(self, owner: str, *, at_once: bool = False) -> Forgotten:
        """
        Remove what is due; the clock rings again after the slice, or after a day when nothing is left.

        Shape:  `at_once` does not wait for the day, and works until nothing is left.
        Raises: Refused, when that is asked for while somebody else is at it.
        """
        lease = leases.acquire(self._db, LEASE, owner, self._now())
        if lease is None:
            if at_once:
                raise Refused("A worker is at it right now. Look again in a moment.")
            return Forgotten()
        # Asked once, so that a clock which jumps meanwhile takes nothing more with it.
        now = self._now()
        if lease.wake_at and not at_once and (rests_until := _rests_until(lease.wake_at, now)):
            leases.release(self._db, lease, rests_until)
            return Forgotten()
        forgotten: dict[str, int] = {}
        # Not None when more is left: how late the next slice is shows by it.
        wake_at = now
        try:
            ends = time.monotonic() + SLICE_S
            while wake_at == now and not self._stopping() and (at_once or time.monotonic() < ends):
                with self._db.write() as session:
                    leases.hold(session, lease, self._now())
                    batch = self._batch(session, now)
                forgotten = {name: forgotten.get(name, 0) + number for name, number in batch.items()}
                if not any(batch.values()):
                    wake_at = now + EVERY
                time.sleep(BREATH_S)
        except LeaseLost:
            log.warning("retention.lease_lost", fence=lease.fence)
        finally:
            leases.release(self._db, lease, wake_at)
        if any(forgotten.values()):
            log.info("retention.forgot", **forgotten)
        return Forgotten(**forgotten)

    def _batch(self, session: Session, now: datetime) -> dict[str, int]:
        """A few of one sort, or of the next when that is done."""
        old = now - self._kept.rows
        bodies = retention.remove_bodies(session, now - self._kept.bodies, now, BATCH)
        webhooks = 0 if bodies else retention.remove_rows(session, old, BATCH)
        customers = 0 if bodies or webhooks else retention.forget_customers(session, old, BATCH)
        replays = 0 if bodies or webhooks or customers else retention.remove_replays(session, old, BATCH)
        counts = {"bodies": bodies, "webhooks": webhooks, "customers": customers, "replays": replays}
        return counts | {"strays": 0 if any(counts.values()) else retention.remove_strays(session, old, BATCH)}


def _rests_until(due_at: datetime, now: datetime) -> datetime | None:
    """Until when nothing is removed; None when it is time."""
    if now > due_at + EVERY:
        log.error("retention.put_off", late_h=round((now - due_at).total_seconds() / 3600), until=now + PUT_OFF)
        return now + PUT_OFF
    return due_at if now < due_at else None


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows of each sort were emptied, and how many requests were under way and could not be."""

    customers: int
    deliveries: int
    webhooks: int
    under_way: int


def erase(db: Database, workspace_id: str, email: str, now: datetime) -> Erased:
    """
    Take all that tells who this person is out of the database; what is on its way to Klaviyo at this moment is not.

    Shape:  several short transactions, and harmless to repeat: their rows are found until the last one.
    Raises: NotFound when nobody and no webhook has this address.
    """
    with db.read() as session:
        people = erasure.customers_of(session, workspace_id, email)
        strays = list(erasure.webhooks_of_nobody(session, workspace_id, email))
        lanes = sorted({connection.account_id for connection in list_connections(session, workspace_id, archived=True)})
    if not (people or strays):
        raise NotFound(f"no customer of that workspace has the e-mail {email}")
    deliveries = under_way = 0
    while True:
        with db.write() as session:
            for lane in lanes:
                leases.shut_out(session, f"lane/{lane}")
            batch = erasure.deliveries_of(session, people)
            under_way = erasure.being_sent(session, batch)
            if under_way or not batch:
                break
            erasure.erase_deliveries(session, batch, now)
        deliveries += len(batch)
    webhooks = 0
    while not under_way:
        with db.write() as session:
            came = erasure.webhooks_of(session, people) + strays
            erasure.erase_webhooks(session, came, now)
        webhooks, strays = webhooks + len(came), []
        if not came:
            break
    if not under_way:
        with db.write() as session:
            erasure.erase_customers(session, people)
    log.info("customer.erased", customers=",".join(people), deliveries=deliveries, webhooks=webhooks)
    return Erased(len(people), deliveries, webhooks, under_way)
