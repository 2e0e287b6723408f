"""What is due becomes calls: within the limits, each customer's in order, alone what a worker died of."""

import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from vrio_klaviyo import log, rush
from vrio_klaviyo.deciding import PHONE_REMOVED_TRIGGER
from vrio_klaviyo.errors import NotAuthorized
from vrio_klaviyo.klaviyo import bulk
from vrio_klaviyo.klaviyo.client import KlaviyoClient
from vrio_klaviyo.klaviyo.requests import PATHS, Rendered, loads, render
from vrio_klaviyo.recording import Standing
from vrio_klaviyo.sending import Call, Part, Sent
from vrio_klaviyo.store import attempts, deliveries, holding, resending, turns
from vrio_klaviyo.store.accounts import connections_of_account
from vrio_klaviyo.store.connections import Connection, KeyStatus
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.holding import CONNECTION_PAUSED, KEY_REJECTED
from vrio_klaviyo.store.turns import Due

# Bulk jobs under way at a time: the next one is made while Klaviyo looks at one.
JOBS = 2
# How often a round looks past customers whose endpoint has nothing left.
LOOKS = 8

Ready = tuple[Due, Rendered]


class Claiming:
    """
    What a lane claims in one slice of work, and has under way.

    Shape:  room is for how many single calls; rush_at is how many due deliveries make a rush.
    """

    def __init__(
        self,
        standing: Standing,
        client_of: Callable[[Connection], KlaviyoClient | NotAuthorized],
        base_url: str,
        *,
        room: int,
        rush_at: int,
    ) -> None:
        self._standing = standing
        self._client_of = client_of
        self._clients: dict[tuple[str, bytes], KlaviyoClient | NotAuthorized] = {}
        self._base_url = base_url
        self._room = room
        self._rush_at = rush_at
        self._is_rush: bool | None = None
        self._busy: set[str] = set()
        self._jobs = self._singles = 0
        self._alone = False
        # What waits for a limit: whose it is, and of which endpoints nothing is left.
        self._stuck: set[str] = set()
        self._used_up: set[str] = set()

    def wake_at(self, now: datetime) -> datetime | None:
        """When the limits let this lane go on; None when it need not wait for them."""
        waits = [self._standing.pacer.wait_s(path, now) for path in self._used_up]
        return now + timedelta(seconds=min(waits)) if waits else None

    def returned(self, came: list[Sent]) -> None:
        """These calls are no longer under way."""
        for sent in came:
            self._jobs -= sent.call.is_job
            self._singles -= not sent.call.is_job
            self._busy -= {part.due.turn for part in sent.call.parts}
            self._alone = False

    def claim(self, session: Session, now: datetime) -> list[Call]:
        """The calls to be made next, with their attempts opened."""
        lane = connections_of_account(session, self._standing.account.id)
        for connection in lane:
            _obey_switches(session, connection, now)
        if self._alone:
            return []
        calls = self._in_rush(session, lane, now) if self._rush(session, now) else None
        return self._in_calm(session, now) if calls is None else calls

    def _rush(self, session: Session, now: datetime) -> bool:
        if self._is_rush is None:
            due = turns.backlog(session, self._standing.account.id, now, self._rush_at)
            self._is_rush = due >= self._rush_at
        return self._is_rush and not self._standing.is_probing

    def _in_calm(self, session: Session, now: datetime) -> list[Call]:
        room = self._room - self._singles
        if self._standing.is_probing:
            room = 0 if self._busy else 1
        ready: list[Ready] = []
        seen: set[str] = set()
        for _ in range(LOOKS):
            if len(ready) >= room or self._used_up >= set(PATHS.values()):
                break
            skip = self._busy | self._stuck | seen
            claimed = turns.claim_due(session, self._standing.account.id, now, room - len(ready), skip)
            seen |= {due.turn for due in claimed}
            ready += self._sifted(session, claimed, now, others=bool(self._busy or ready))
            if not claimed or self._alone or not self._stuck:
                break
        return self._singly(session, ready, now)

    def _sifted(self, session: Session, claimed: list[Due], now: datetime, *, others: bool) -> list[Ready]:
        """Those that may go now."""
        ready: list[Ready] = []
        for due in claimed:
            path = PATHS[due.delivery.kind]
            if due.delivery.deaths and (others or ready):
                # It waits until nothing else is under way, and nothing behind it goes first.
                break
            if path in self._used_up or not self._standing.pacer.take(path, 1, now):
                self._used_up.add(path)
                self._stuck.add(due.turn)
                continue
            rendered = _rendered_or_failed(session, due, now)
            if rendered is not None:
                ready.append((due, rendered))
                if due.delivery.deaths:
                    self._alone = True
                    break
        return ready

    def _in_rush(self, session: Session, lane: list[Connection], now: datetime) -> list[Call] | None:
        """A bulk job, and what must go beside it; None when this round is like one in calm."""
        if self._jobs >= JOBS:
            return []
        most_bytes = self._standing.pacer.longest(bulk.PATH, bulk.MOST_BYTES, now)
        if most_bytes < rush.LEAST_BYTES:
            return None
        for connection in lane:
            dues = turns.claim_all_due(session, connection.id, now, bulk.MOST_EVENTS, self._busy)
            fit, unfit = rush.fitting(dues)
            if len(fit) >= min(rush.CALM_AT, self._rush_at):
                if not self._standing.pacer.take(bulk.PATH, 1, now):
                    self._used_up.add(bulk.PATH)
                    return None
                job = rush.job_of(fit, most_bytes)
                beside = self._sifted(session, unfit[: self._room - self._singles], now, others=True)
                return [self._together(session, job, now), *self._singly(session, beside, now)]
        # What is in a job that is under way may come back, and is a rush then.
        self._is_rush = bool(self._jobs)
        return None

    def _singly(self, session: Session, ready: list[Ready], now: datetime) -> list[Call]:
        if not ready:
            return []
        self._singles += len(ready)
        opened = self._opened(session, ready, now)
        return [Call(self._client(part.due.connection), part.rendered, (part,)) for part in opened]

    def _together(self, session: Session, job: rush.Job, now: datetime) -> Call:
        self._jobs += 1
        parts = tuple(self._opened(session, job.parts, now, shared=True))
        return Call(self._client(parts[0].due.connection), job.rendered, parts, is_job=True)

    def _opened(self, session: Session, ready: list[Ready], now: datetime, *, shared: bool = False) -> list[Part]:
        self._busy |= {due.turn for due, _ in ready}
        opened = attempts.open_attempts(session, ready, self._base_url, now, shared=shared)
        return [Part(due, rendered, attempt_id) for (due, rendered), attempt_id in zip(ready, opened, strict=True)]

    def _client(self, connection: Connection) -> KlaviyoClient | NotAuthorized:
        key = connection.id, connection.key_sealed
        if key not in self._clients:
            self._clients[key] = self._client_of(connection)
        return self._clients[key]


def _rendered_or_failed(session: Session, due: Due, now: datetime) -> Rendered | None:
    """The bytes to send; a row of which none can be made fails alone, and with its traceback."""
    try:
        return _rendered(session, due)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        log.error("delivery.failed", delivery=due.delivery.id, error=type(error).__name__)
        deliveries.fail(session, due.delivery, traceback.format_exc(limit=-8), now)
        resending.keep_accepted(session, [due.delivery.id] if due.delivery.asked else [], now)
        return None


def _rendered(session: Session, due: Due) -> Rendered:
    delivery, known = due.delivery, due.known
    request = loads(delivery.request)
    if delivery.next_trigger == PHONE_REMOVED_TRIGGER:
        # Whatever else is known by now: without its own number, so that it is sent once more and not for ever.
        return render(request, due.connection.style, replace(known, refused_phone=request.profile.phone))
    rendered = render(request, due.connection.style, known)
    # Late never overwrites new, not even when a person wants the same bytes once more.
    if delivery.same_as is None or known.overtaken:
        return rendered
    return resending.as_before(session, delivery.same_as, rendered)


def _obey_switches(session: Session, connection: Connection, now: datetime) -> None:
    """What was queued before a person switched the connection does not go out against that."""
    if not connection.push_events:
        resending.spare_accepted(session, connection.id, "Push Events was switched off.", now)
        holding.skip_owed(session, connection.id, "push_events_off", now)
    elif not connection.active:
        # Pausing has held all that was owed; what a person asked for since then is to go out despite the pause.
        holding.hold_owed(session, [connection.id], CONNECTION_PAUSED, but_asked=True)
    elif connection.key_status == KeyStatus.REJECTED:
        holding.hold_owed(session, [connection.id], KEY_REJECTED)
