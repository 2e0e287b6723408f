"""
The story, second half: deliveries reach Klaviyo, one lane per Klaviyo account.

claim → render → send → decide → record, in rounds, under the lane's lease. The attempts of a round are committed before
the calls and closed after them; no transaction is open while Klaviyo is being asked.
"""

import random
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, assert_never

import requests

from vrio_klaviyo import log
from vrio_klaviyo.errors import (
    Answer,
    CallFailed,
    EndpointRefused,
    InvalidInput,
    LeaseLost,
    NotAuthorized,
    PhoneRejected,
    Retriable,
    Throttled,
)
from vrio_klaviyo.klaviyo.client import PARTIAL_FAILURE, KlaviyoClient
from vrio_klaviyo.klaviyo.requests import Rendered, loads, render
from vrio_klaviyo.store import attempts, deliveries, leases
from vrio_klaviyo.store.attempts import Result
from vrio_klaviyo.store.connections import Connection, KeyStatus, connections_of_account, record_key
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.db import Database, Session
from vrio_klaviyo.store.deliveries import CONNECTION_PAUSED, ENDPOINT_REFUSED, KEY_REJECTED, DeliveryStatus, Due
from vrio_klaviyo.store.leases import Lease

# How long a job works before it lets others have the worker, and how many requests it commits to at a time.
SLICE_S = 4.0
ROUND = 16

BACKOFF_S = (5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 43_200)
JITTER = 0.2
GIVE_UP_AFTER_S = 3 * 24 * 3600

PHONE_REMOVED_TRIGGER = "phone_removed"
PHONE_REMOVED = "Klaviyo refused the phone number; sent without it."
PHONE_IGNORED = "Klaviyo took the event and ignored the phone number."


@dataclass(frozen=True, slots=True)
class Accepted:
    """Klaviyo answered 2xx."""


@dataclass(frozen=True, slots=True)
class AgainWithoutPhone:
    """Send once more at once, without the number."""


@dataclass(frozen=True, slots=True)
class AgainIn:
    """Send again after this many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class LaneWaits:
    """Nobody in this lane sends for this many seconds; it is not a try."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ConnectionHeld:
    """The key is not taken: all that this connection owes is held until it is."""


@dataclass(frozen=True, slots=True)
class LaneHeld:
    """The endpoint itself refuses us: the whole lane is held, and the alarm rings."""


@dataclass(frozen=True, slots=True)
class Failed:
    """This will never pass, or it has been tried for long enough."""


Outcome = Accepted | AgainWithoutPhone | AgainIn | LaneWaits | ConnectionHeld | LaneHeld | Failed


def decide(error: CallFailed | None, tries: int, owed_s: float) -> Outcome:
    """
    What follows from an answer.

    Shape:  tries counts this attempt; owed_s is for how long the delivery has been owed.
    Source: DESIGN, "Decisions already made".
    """
    match error:
        case None:
            return Accepted()
        case PhoneRejected():
            return AgainWithoutPhone()
        case Throttled(retry_after_s=wait_s):
            return LaneWaits(wait_s)
        case NotAuthorized():
            return ConnectionHeld()
        case EndpointRefused():
            return LaneHeld()
        case Retriable() if owed_s < GIVE_UP_AFTER_S:
            return AgainIn(backoff_s(tries))
        case _:
            return Failed()


def backoff_s(tries: int) -> float:
    """Seconds until the next try, a fifth more or less, so that what failed together does not come back together."""
    return BACKOFF_S[min(tries, len(BACKOFF_S)) - 1] * random.uniform(1 - JITTER, 1 + JITTER)


@dataclass(frozen=True, slots=True)
class _Sent:
    """One call of a round, made."""

    due: Due
    rendered: Rendered
    attempt_id: str
    duration_ms: int
    answer: Answer | None
    error: CallFailed | None
    outcome: Outcome


class Lane:
    """
    Sends what is owed to one Klaviyo account at a time.

    Shape:  `stopping` tells that the process was asked to end: the round under way is finished, no other begins.
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
    ) -> None:
        self._db = db
        self._vault = vault
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._ring = ring
        self._now = now
        self._stopping = stopping

    def drain(self, account_id: str, owner: str) -> None:
        """Send what is due, for one slice of time; ring again when more is."""
        lease = leases.acquire(self._db, f"lane/{account_id}", owner, self._now())
        if lease is None:
            return
        wake_at = lease.wake_at
        try:
            if wake_at is None or wake_at <= self._now():
                wake_at = None
                wake_at = self._rounds(account_id, lease)
        except LeaseLost:
            log.warning("lane.lease_lost", lane=account_id, fence=lease.fence)
        finally:
            leases.release(self._db, lease, wake_at)
        # What came in after the last look rang in vain, because the lease was still held.
        with self._db.read() as session:
            next_due_at = deliveries.next_due_at(session, account_id)
        if wake_at is None and next_due_at is not None and next_due_at <= self._now():
            self._ring("lane", account_id)

    def _rounds(self, account_id: str, lease: Lease) -> datetime | None:
        """Rounds until nothing is due or the slice is over; the time to be woken at when the lane has to wait."""
        with self._db.write() as session:
            leases.hold(session, lease, self._now())
            attempts.close_interrupted(session, account_id)
        slice_ends = time.monotonic() + SLICE_S
        while time.monotonic() < slice_ends and not self._stopping():
            sending = self._open_round(account_id, lease)
            if not sending:
                break
            wake_at = self._close_round(account_id, lease, self._send(sending), [row for _, _, row in sending])
            if wake_at is not None:
                return wake_at
        return None

    def _open_round(self, account_id: str, lease: Lease) -> list[tuple[Due, Rendered, str]]:
        now = self._now()
        with self._db.write() as session:
            leases.hold(session, lease, now)
            for connection in connections_of_account(session, account_id):
                _obey_switches(session, connection, now)
            claimed = deliveries.claim_due(session, account_id, now, ROUND)
            if not claimed:
                return []
            ready = [(due, rendered) for due in claimed if (rendered := _rendered_or_failed(session, due, now))]
            opened = attempts.open_attempts(session, ready, self._base_url, now) if ready else []
        return [(due, rendered, attempt_id) for (due, rendered), attempt_id in zip(ready, opened, strict=True)]

    def _send(self, sending: list[tuple[Due, Rendered, str]]) -> list[_Sent]:
        """The calls, in order, for one slice of time; those after an answer that stops the lane are left out."""
        sent: list[_Sent] = []
        barred: set[str] = set()
        slice_ends = time.monotonic() + SLICE_S
        for due, rendered, attempt_id in sending:
            began = time.monotonic()
            if began > slice_ends:
                break
            if due.connection.id in barred:
                continue
            answer, error = self._call(due.connection, rendered)
            duration_ms = round((time.monotonic() - began) * 1000)
            owed_s = (self._now() - due.delivery.queued_at).total_seconds()
            outcome = decide(error, due.delivery.tries + 1, owed_s)
            sent.append(_Sent(due, rendered, attempt_id, duration_ms, answer, error, outcome))
            if isinstance(outcome, LaneWaits | LaneHeld):
                break
            if isinstance(outcome, ConnectionHeld):
                barred.add(due.connection.id)
        return sent

    def _call(self, connection: Connection, rendered: Rendered) -> tuple[Answer | None, CallFailed | None]:
        try:
            key = self._vault.unseal(connection.key_sealed, connection.workspace_id, connection.id)
            return KlaviyoClient(self._base_url, key, self._http).send(rendered), None
        except InvalidInput as error:
            return None, NotAuthorized(str(error))
        except CallFailed as error:
            return error.answer, error

    def _close_round(self, account_id: str, lease: Lease, sent: list[_Sent], opened: list[str]) -> datetime | None:
        """Write what came back; the time to be woken at when the lane has to wait."""
        now = self._now()
        wake_at = None
        with self._db.write() as session:
            leases.hold(session, lease, now)
            attempts.record_results(session, [_result(call, now) for call in sent], now)
            attempts.withdraw(session, set(opened) - {call.attempt_id for call in sent})
            for call in sent:
                match call.outcome:
                    case LaneWaits(seconds=seconds):
                        wake_at = now + timedelta(seconds=seconds)
                    case ConnectionHeld():
                        connection = call.due.connection
                        record_key(session, connection.id, KeyStatus.REJECTED, _reason(call), now)
                        deliveries.hold_owed(session, [connection.id], KEY_REJECTED)
                    case LaneHeld():
                        lane = [connection.id for connection in connections_of_account(session, account_id)]
                        deliveries.hold_owed(session, lane, ENDPOINT_REFUSED)
                    case _:
                        pass
        for call in sent:
            _tell(call)
        return wake_at


def _rendered_or_failed(session: Session, due: Due, now: datetime) -> Rendered | None:
    """The bytes to send; a row of which none can be made fails alone, and with its traceback."""
    try:
        return _rendered(due)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        log.error("delivery.failed", delivery=due.delivery.id, error=type(error).__name__)
        deliveries.fail(session, due.delivery, traceback.format_exc(limit=-8), now)
        return None


def _rendered(due: Due) -> Rendered:
    request, known = loads(due.delivery.request), due.known
    if due.delivery.next_trigger == PHONE_REMOVED_TRIGGER:
        # Whatever else is known by now: without its own number, so that it is sent once more and not for ever.
        known = replace(known, refused_phone=request.profile.phone)
    return render(request, due.connection.style, known)


def _obey_switches(session: Session, connection: Connection, now: datetime) -> None:
    """What was queued before a person switched the connection does not go out against that."""
    if not connection.push_events:
        deliveries.skip_owed(session, connection.id, "push_events_off", now)
    elif not connection.active:
        deliveries.hold_owed(session, [connection.id], CONNECTION_PAUSED)
    elif connection.key_status == KeyStatus.REJECTED:
        deliveries.hold_owed(session, [connection.id], KEY_REJECTED)


def _result(call: _Sent, now: datetime) -> Result:
    """What the log and the delivery are told of one call."""

    def result(status: DeliveryStatus | None = None, **more: Any) -> Result:
        error = call.error.reason if call.error else None
        return Result(call.attempt_id, call.due, call.duration_ms, call.answer, error, status, **more)

    match call.outcome:
        case Accepted():
            ignored = "phone_number" in (call.answer.headers.get(PARTIAL_FAILURE, "") if call.answer else "")
            phone = call.rendered.phone if ignored else None
            return result(DeliveryStatus.ACCEPTED, note=PHONE_IGNORED if ignored else "", refused_phone=phone)
        case AgainWithoutPhone():
            return result(
                DeliveryStatus.RETRYING,
                reason=_reason(call),
                note=PHONE_REMOVED,
                refused_phone=call.rendered.phone,
                # Its old place in the line, which is the first one.
                next_attempt_at=call.due.delivery.next_attempt_at,
                next_trigger=PHONE_REMOVED_TRIGGER,
            )
        case AgainIn(seconds=seconds):
            next_attempt_at = now + timedelta(seconds=seconds)
            again = {"next_attempt_at": next_attempt_at, "next_trigger": "backoff"}
            return result(DeliveryStatus.RETRYING, reason=_reason(call), **again)
        case LaneWaits():
            return result(counts=False, next_trigger="retry_after")
        case ConnectionHeld() | LaneHeld():
            return result(counts=False, next_trigger="backoff")
        case Failed():
            return result(DeliveryStatus.FAILED, reason=_reason(call))
        case _:
            assert_never(call.outcome)


def _reason(call: _Sent) -> str:
    return call.error.reason if call.error else ""


def _tell(call: _Sent) -> None:
    """One line per attempt that changed something; ids only."""
    ids = {
        "delivery": call.due.delivery.id,
        "connection": call.due.connection.id,
        "attempt": call.attempt_id,
        "trigger": call.due.delivery.next_trigger,
        "status": call.answer.status if call.answer else None,
        "ms": call.duration_ms,
    }
    match call.outcome:
        case Accepted():
            log.info("delivery.accepted", **ids)
        case Failed():
            log.warning("delivery.failed", **ids, reason=_reason(call))
        case ConnectionHeld():
            log.error("connection.key_rejected", **ids, reason=_reason(call))
        case LaneHeld():
            log.error("lane.endpoint_refused", **ids, reason=_reason(call))
        case LaneWaits(seconds=seconds):
            log.warning("lane.waits", **ids, seconds=seconds)
        case AgainWithoutPhone() | AgainIn():
            log.warning("delivery.again", **ids, reason=_reason(call))
        case _:
            assert_never(call.outcome)
