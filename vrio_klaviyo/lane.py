"""
The story, second half: deliveries reach Klaviyo, one lane per Klaviyo account.

claim → pace → render → send → decide → record, under the lane's lease. A few threads make the calls; meanwhile what
came back is recorded and the next is claimed, in one transaction. An attempt is committed before its call and closed
after it; no transaction is open while Klaviyo is being asked.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta

import requests

from vrio_klaviyo import log
from vrio_klaviyo.claiming import Claiming
from vrio_klaviyo.deciding import CIRCUIT_OPENS_AT
from vrio_klaviyo.errors import InvalidInput, LeaseLost, NotAuthorized
from vrio_klaviyo.klaviyo.client import KlaviyoClient
from vrio_klaviyo.klaviyo.limits import LIMITS, Limit, Pacer
from vrio_klaviyo.recording import Standing, record, rests_until, tell
from vrio_klaviyo.rush import RUSH_AT
from vrio_klaviyo.sending import SENDERS, Call, Sending
from vrio_klaviyo.store import leases, results, turns
from vrio_klaviyo.store.accounts import merge_account
from vrio_klaviyo.store.connections import Connection, KlaviyoAccount
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.db import Database, DatabaseError, is_outage
from vrio_klaviyo.store.leases import Lease

# How long a job works before it lets others have the worker.
SLICE_S = 4.0
# Calls that are ready for each thread: one that it makes, and more for while the lane writes.
WAITING_EACH = 5
# How often it is looked for more to send while nothing comes back.
LISTEN_S = 0.2
# What waits for a limit is looked at again after this time at the latest, for what another endpoint takes by then.
LIMITED_REST = timedelta(seconds=5)


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
        # The attempts that this slice of work has opened and not closed; for each lane those that earlier ones have
        # left so although nobody died, and under which lease.
        self._open: set[str] = set()
        self._blameless: dict[str, tuple[Lease, set[str]]] = {}

    def drain(self, account_id: str, owner: str) -> None:
        """
        Send what is due, for one slice of time; ring again when more is.

        Shape:  a bell is heard also while an endpoint waits for its limit, because another one may be free. While the
                whole lane waits, as it was told to, nothing comes of it.
        """
        lease = leases.acquire(self._db, f"lane/{account_id}", owner, self._now())
        if lease is None:
            return
        wake_at = None
        try:
            wake_at = self._slice(account_id, lease)
        except LeaseLost:
            log.warning("lane.lease_lost", lane=account_id, fence=lease.fence)
        finally:
            leases.release(self._db, lease, wake_at)
        # What came in after the last look rang in vain, because the lease was still held.
        with self._db.read() as session:
            next_due_at, now = turns.next_due_at(session, account_id), self._now()
        if (wake_at is None or wake_at <= now) and next_due_at is not None and next_due_at <= now:
            self._ring("lane", account_id)

    def own_up(self) -> None:
        """
        Close what an outage has left open in the lanes that are still held: nobody died of it.

        To be called before they are given back. Of the others it is told when this process works on them next.

        Raises: DatabaseError while the database is away.
        """
        for account_id, (lease, attempt_ids) in list(self._blameless.items()):
            with suppress(LeaseLost):
                with self._db.write() as session:
                    leases.hold(session, lease, self._now())
                    results.close_interrupted(session, account_id, self._now(), attempt_ids)
                del self._blameless[account_id]

    def _slice(self, account_id: str, lease: Lease) -> datetime | None:
        """Calls until nothing is due or the time is over; the time to be woken at when the lane has to wait."""
        account = self._entered(account_id, lease)
        if account is None:
            return None
        ends = time.monotonic() + SLICE_S

        def may_go() -> bool:
            return time.monotonic() < ends and not self._stopping()

        pacer = Pacer(account.pacing, account.rate_per_minute, self._limits)
        standing = Standing(account, pacer, account.failures, rests_until(account, self._now()))
        if standing.wait_until:
            return standing.wait_until
        claiming = Claiming(
            standing, self._client_of, self._base_url, room=self._senders * WAITING_EACH, rush_at=self._rush_at
        )
        failures_allowed = 1 if standing.is_probing else CIRCUIT_OPENS_AT
        sending = Sending(self._threads, self._senders, may_go, failures_allowed)
        self._open = set()
        try:
            with sending:
                return self._rounds(lease, standing, claiming, sending, may_go)
        except Exception as error:
            by_outage = isinstance(error, DatabaseError) and is_outage(error)
            blameless = self._open if by_outage else _attempts(sending.never_made())
            self._blameless[account_id] = lease, blameless | self._left_by(account_id)
            with suppress(DatabaseError):
                self.own_up()
            raise

    def _rounds(
        self, lease: Lease, standing: Standing, claiming: Claiming, sending: Sending, may_go: Callable[[], bool]
    ) -> datetime | None:
        """Record what came back and claim the next, again and again; the time to be woken at."""

        def may_claim() -> bool:
            return may_go() and not (sending.stopped or standing.over or standing.wait_until)

        while True:
            # One slow call keeps nobody waiting for whom there is a thread.
            listens = 0 < sending.under_way < self._senders and may_claim()
            came, now = sending.come(LISTEN_S if listens else None), self._now()
            claiming.returned(came)
            with self._db.write() as session:
                leases.hold(session, lease, now)
                told = record(session, standing, came, now)
                claims = may_claim()
                calls = claiming.claim(session, now) if claims else []
                self._open |= _attempts(calls)
                if came or calls:
                    standing.keep(session, now)
            self._open -= _attempts(sent.call for sent in came)
            for part, sent, outcome in told:
                tell(part, sent, outcome)
            if not calls and not sending.under_way:
                limited_until = claiming.wake_at(now) if claims else None
                return standing.wait_until or (limited_until and min(limited_until, now + LIMITED_REST))
            sending.begin(calls)

    def _entered(self, account_id: str, lease: Lease) -> KlaviyoAccount | None:
        """The account, with what a dead worker left tidied up; None when its lane has become part of another one."""
        with self._db.write() as session:
            now = self._now()
            leases.hold(session, lease, now)
            interrupted = results.close_interrupted(session, account_id, now, self._left_by(account_id))
            merged_into = merge_account(session, account_id)
            account = session.get(KlaviyoAccount, account_id)
        self._blameless.pop(account_id, None)
        if interrupted:
            log.warning("lane.interrupted", lane=account_id, attempts=interrupted)
        if merged_into:
            log.info("lane.merged", lane=account_id, into=merged_into)
            self._ring("lane", merged_into)
        return account

    def _left_by(self, account_id: str) -> set[str]:
        return self._blameless[account_id][1] if account_id in self._blameless else set()

    def _client_of(self, connection: Connection) -> KlaviyoClient | NotAuthorized:
        """Who calls with this connection's key; why nobody can, when it cannot be read."""
        try:
            key = self._vault.unseal(connection.key_sealed, connection.workspace_id, connection.id)
        except InvalidInput as error:
            return NotAuthorized(str(error))
        return KlaviyoClient(self._base_url, key, self._http)


def _attempts(calls: Iterable[Call]) -> set[str]:
    return {part.attempt_id for call in calls for part in call.parts}
