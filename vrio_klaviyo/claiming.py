"""What is due becomes calls: within the limits, each customer's in order, alone what a worker died of."""

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from vrio_klaviyo import log, rush
from vrio_klaviyo.deciding import PHONE_REMOVED_TRIGGER
from vrio_klaviyo.errors import BROKEN_ROW, NotAuthorized
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
        # How many jobs each connection has had, so that they take turns.
        self._had: Counter[str] = Counter()
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
        obeyed = [_obeys_switches(session, connection, now) for connection in lane]
        if self._alone or not all(obeyed):
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
        fits, others = self._parted(session, lane, now)
        if not fits:
            # What is in a job that is under way may come back, and is a rush then.
            self._is_rush = bool(self._jobs)
            return None
        if not self._busy:
            # At the latest when a slice begins nothing is under way, and what a worker died of can go alone.
            suspects = [due for due in others if due.delivery.deaths]
            if alone := self._sifted(session, suspects[:1], now, others=False):
                return self._singly(session, alone, now)
        if not self._standing.pacer.take(bulk.PATH, 1, now):
            self._used_up.add(bulk.PATH)
            return None
        job = self._together(session, rush.job_of(fits, most_bytes), now)
        beside = [due for due in others if not due.delivery.deaths and due.turn not in self._busy | self._stuck]
        ready = self._sifted(session, beside[: self._room - self._singles], now, others=True)
        return [job, *self._singly(session, ready, now)]

    def _parted(self, session: Session, lane: list[Connection], now: datetime) -> tuple[list[rush.Fit], list[Due]]:
        """
        What makes the next job, if anything does, and what goes by itself.

        Shape:  of one connection, and of all of them; by lane_order, then the longest due first, jobs by turns.
        """
        jobs: list[list[rush.Fit]] = []
        others: list[Due] = []
        for connection in lane:
            busy = self._busy | {due.turn for due in others}
            fits, unfit = rush.fitting(turns.claim_all_due(session, connection.id, now, bulk.MOST_EVENTS, busy))
            others += unfit
            if len(fits) >= min(rush.CALM_AT, self._rush_at):
                jobs.append(fits)
            else:
                others += {fit.due.turn: fit.due for fit in reversed(fits)}.values()
        others.sort(key=lambda due: _place(due, 0))
        return min(jobs, key=lambda fits: _place(fits[0].due, self._had[fits[0].due.connection.id]), default=[]), others

    def _singly(self, session: Session, ready: list[Ready], now: datetime) -> list[Call]:
        if not ready:
            return []
        self._singles += len(ready)
        opened = self._opened(session, ready, now)
        return [Call(self._client(part.due.connection), part.rendered, (part,)) for part in opened]

    def _together(self, session: Session, job: rush.Job, now: datetime) -> Call:
        parts = tuple(self._opened(session, job.parts, now, shared=True))
        connection = parts[0].due.connection
        self._jobs += 1
        self._had[connection.id] += 1
        return Call(self._client(connection), job.rendered, parts, is_job=True)

    def _opened(self, session: Session, ready: list[Ready], now: datetime, *, shared: bool = False) -> list[Part]:
        self._busy |= {due.turn for due, _ in ready}
        opened = attempts.open_attempts(session, ready, self._base_url, now, shared=shared)
        return [Part(due, rendered, attempt_id) for (due, rendered), attempt_id in zip(ready, opened, strict=True)]

    def _client(self, connection: Connection) -> KlaviyoClient | NotAuthorized:
        key = connection.id, connection.key_sealed
        if key not in self._clients:
            self._clients[key] = self._client_of(connection)
        return self._clients[key]


def _place(due: Due, had: int) -> tuple[int, int, Any, str]:
    """Where it stands in the line; those whose connection has `had` less go first among equals."""
    return due.delivery.lane_order, had, due.delivery.next_attempt_at, due.delivery.id


def _rendered_or_failed(session: Session, due: Due, now: datetime) -> Rendered | None:
    """The bytes to send; a row of which none can be made fails alone, and with its traceback."""
    try:
        return _rendered(session, due)
    except BROKEN_ROW as error:
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


def _obeys_switches(session: Session, connection: Connection, now: datetime) -> bool:
    """
    Whether what was queued before a person switched the connection will not go out against that.

    Shape:  False while somebody is switching it: nothing of it may go, nor be held, before that is done.
    """
    if connection.push_events and connection.status == "active":
        return True
    # PostgreSQL: who makes it well again writes it first, and then frees what is held. So nothing is held unless it
    # stays as it is until that is committed. Without waiting, because who writes it may wait for what this lane wrote.
    for_now = {"read": True, "skip_locked": True}
    if session.get(Connection, connection.id, populate_existing=True, with_for_update=for_now) is None:
        return False
    if not connection.push_events:
        resending.spare_accepted(session, connection.id, "Push Events was switched off.", now)
        holding.skip_owed(session, connection.id, "push_events_off", now)
    elif not connection.active:
        # Pausing has held all that was owed; what a person asked for since then is to go out despite the pause. Through
        # a connection that was archived nothing goes.
        holding.hold_owed(session, [connection.id], CONNECTION_PAUSED, but_asked=connection.archived_at is None)
    elif connection.key_status == KeyStatus.REJECTED:
        holding.hold_owed(session, [connection.id], KEY_REJECTED)
    return True
