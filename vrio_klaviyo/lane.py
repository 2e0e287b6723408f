"""
The story, second half: deliveries reach Klaviyo, one lane per Klaviyo account.

claim → pace → render → send → decide → record, under the lane's lease. A few threads make the calls; meanwhile what
came back is recorded and the next is claimed, in one transaction. An attempt is committed before its call and closed
after it; no transaction is open while Klaviyo is being asked.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import requests

from vrio_klaviyo import log
from vrio_klaviyo.claiming import Claiming
from vrio_klaviyo.deciding import CIRCUIT_OPENS_AT
from vrio_klaviyo.errors import InvalidInput, LeaseLost, NotAuthorized
from vrio_klaviyo.klaviyo.client import KlaviyoClient
from vrio_klaviyo.klaviyo.limits import LIMITS, Limit, Pacer
from vrio_klaviyo.recording import Standing, record, tell
from vrio_klaviyo.rush import RUSH_AT
from vrio_klaviyo.sending import SENDERS, Sending
from vrio_klaviyo.store import leases, results, turns
from vrio_klaviyo.store.accounts import merge_account
from vrio_klaviyo.store.connections import Connection, KlaviyoAccount
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.leases import Lease

# How long a job works before it lets others have the worker.
SLICE_S = 4.0
# Calls that are ready for each thread: one that it makes, and more for while the lane writes.
WAITING_EACH = 5


class Lane:
    """
    Sends what is owed to one Klaviyo account at a time.

    Shape:  `stopping` tells that the process was asked to end: the calls under way are finished, no other begins.
            `rush_at` is how many due deliveries make a rush; `limits` is what Klaviyo takes of each endpoint.
    """

    def __init__(
        self,
        *,
        db: Database,
        vault: Vault,
        http: requests.Session,
        base_url: str,
        ring: Callable[[str, str], bool],
        now: Callable[[], datetime],
        stopping: Callable[[], bool] = lambda: False,
        limits: Mapping[str, Limit] = LIMITS,
        rush_at: int = RUSH_AT,
        senders: int = SENDERS,
    ) -> None:
        self._db = db
        self._vault = vault
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._ring = ring
        self._now = now
        self._stopping = stopping
        self._limits = limits
        self._rush_at = rush_at
        self._senders = senders
        self._threads = ThreadPoolExecutor(senders, thread_name_prefix="sender")

    def drain(self, account_id: str, owner: str) -> None:
        """Send what is due, for one slice of time; ring again when more is."""
        lease = leases.acquire(self._db, f"lane/{account_id}", owner, self._now())
        if lease is None:
            return
        wake_at = lease.wake_at
        try:
            if wake_at is None or wake_at <= self._now():
                wake_at = None
                wake_at = self._slice(account_id, lease)
        except LeaseLost:
            log.warning("lane.lease_lost", lane=account_id, fence=lease.fence)
        finally:
            leases.release(self._db, lease, wake_at)
        # What came in after the last look rang in vain, because the lease was still held.
        with self._db.read() as session:
            next_due_at = turns.next_due_at(session, account_id)
        if wake_at is None and next_due_at is not None and next_due_at <= self._now():
            self._ring("lane", account_id)

    def _slice(self, account_id: str, lease: Lease) -> datetime | None:
        """Calls until nothing is due or the time is over; the time to be woken at when the lane has to wait."""
        account = self._entered(account_id, lease)
        if account is None:
            return None
        ends = time.monotonic() + SLICE_S

        def may_go() -> bool:
            return time.monotonic() < ends and not self._stopping()

        pacer = Pacer(account.pacing, account.rate_per_minute, self._limits)
        standing = Standing(account, pacer, account.failures)
        claiming = Claiming(
            standing, self._client_of, self._base_url, room=self._senders * WAITING_EACH, rush_at=self._rush_at
        )
        failures_allowed = 1 if standing.is_probing else CIRCUIT_OPENS_AT
        with Sending(self._threads, self._senders, may_go, failures_allowed) as sending:
            while True:
                came, now = sending.come(), self._now()
                claiming.returned(came)
                with self._db.write() as session:
                    leases.hold(session, lease, now)
                    told = record(session, standing, came, now)
                    may_claim = may_go() and not (standing.over or standing.wait_until)
                    calls = claiming.claim(session, now) if may_claim else []
                    if came or calls:
                        standing.keep(session)
                for part, sent, outcome in told:
                    tell(part, sent, outcome)
                if not calls and not sending.under_way:
                    return standing.wait_until or claiming.wake_at(now)
                sending.begin(calls)

    def _entered(self, account_id: str, lease: Lease) -> KlaviyoAccount | None:
        """The account, with what a dead worker left tidied up; None when its lane has become part of another one."""
        with self._db.write() as session:
            now = self._now()
            leases.hold(session, lease, now)
            interrupted = results.close_interrupted(session, account_id, now)
            merged_into = merge_account(session, account_id)
            account = session.get(KlaviyoAccount, account_id)
        if interrupted:
            log.warning("lane.interrupted", lane=account_id, attempts=interrupted)
        if merged_into:
            log.info("lane.merged", lane=account_id, into=merged_into)
            self._ring("lane", merged_into)
        return account

    def _client_of(self, connection: Connection) -> KlaviyoClient | NotAuthorized:
        """Who calls with this connection's key; why nobody can, when it cannot be read."""
        try:
            key = self._vault.unseal(connection.key_sealed, connection.workspace_id, connection.id)
        except InvalidInput as error:
            return NotAuthorized(str(error))
        return KlaviyoClient(self._base_url, key, self._http)
