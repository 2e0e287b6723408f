"""
`flask clock`: what happens every so often.

It rings for whatever is stranded or due, has refused keys asked about again, and has what is old removed.
"""

import signal
import time
from datetime import datetime, timedelta
from typing import Any

import redis

from vrio_klaviyo import forgetting, log, upcoming
from vrio_klaviyo.deciding import BACKOFF_S, JITTER
from vrio_klaviyo.store import inbound, key_checks, leases, replays, set_back, turns
from vrio_klaviyo.store.db import DatabaseError, Session
from workers.tools import Tools, utc_now
from workers.worker import PRESENCE

PRESENCE_NAME = "clock"
PRESENCE_S = leases.CLOCK_S
SWEEP_EVERY_S = 1.0
RECHECK_EVERY = timedelta(hours=1)
# What runs every so often and finds out by itself whether it is time: the job, and the lease that says when it rests.
PERIODIC = {"retention": forgetting.LEASE}
# The longest that anything rests or waits for its next try by its own rules. Klaviyo's word is obeyed for an hour.
RESTS = {"lane/": timedelta(hours=1), "periodic/": forgetting.PUT_OFF}
# The same for a clock that saw itself being set back: a lane that goes on too early asks Klaviyo once too often.
RESTS_SEEN = {"periodic/": forgetting.PUT_OFF}
WAITS = [timedelta(seconds=seconds * (1 + JITTER)) for seconds in BACKOFF_S]
# How often times are looked for that only a clock can have written that was set back since.
LOOK_EVERY = timedelta(minutes=1)
# Of the jobs that wait for a worker the clock looks at the newest only, so many; with as many different ones among them
# it rings for no more.
WAITING_MOST = 1000


class Clock:
    """
    One round after another, until told to stop.

    Two of them do no harm: only the one that holds the clock's lease does anything, and a bell rung twice is one bell.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._told = False
        self._away = False
        self._looked_at: datetime | None = None

    def run(self) -> None:
        """Sweep every few seconds; a database or Redis that is away is waited for."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        log.info("clock.started", clock=self._tools.owner)
        while not self._told:
            try:
                self._tools.bury_the_dead()
                self.round(utc_now())
                self._away = False
            except (DatabaseError, redis.exceptions.RedisError) as error:
                if not self._away:
                    log.error("clock.waits", clock=self._tools.owner, error=type(error).__name__)
                self._away = True
            self._rest()
        log.info("clock.stopped", clock=self._tools.owner)

    def round(self, now: datetime) -> None:
        """One sweep, if this is the clock that goes."""
        at = self._tools
        if not leases.keep(at.db, PRESENCE_NAME, at.owner, now, PRESENCE_S):
            return
        with at.db.write() as session:
            self._pull_in(session, now)
            inbound.wake_overdue(session, now)
            upcoming.announce(session, now)
            leases.forget(session, PRESENCE, before=now - RECHECK_EVERY)
        with at.db.read() as session:
            resting = leases.resting(session, now)
            wanted = {
                "recheck": key_checks.connections_to_recheck(session, now - RECHECK_EVERY),
                "replay": replays.running(session),
                "intake": inbound.sources_to_ring(session),
                "lane": turns.lanes_to_ring(session, now),
            }
        due = [(job, "daily") for job, lease in PERIODIC.items() if lease not in resting]
        for job, subjects in wanted.items():
            due += [(job, subject) for subject in subjects if f"{job}/{subject}" not in resting]
        self._ring_for(due)

    def _ring_for(self, due: list[tuple[str, str]]) -> None:
        """Ring for what no worker is asked to do yet: who is behind would be asked again in every sweep."""
        bells = self._tools.bells
        waiting = bells.newest_waiting(WAITING_MOST)
        unasked = [asked for asked in due if asked not in waiting]
        for job, subject in unasked[: WAITING_MOST - len(waiting)]:
            bells.ring(job, subject)

    def _pull_in(self, session: Session, now: datetime) -> None:
        """Let go on what waits for a time that the machine's clock was to show before it was set back."""
        since = None if self._looked_at is None else now - self._looked_at
        if since is None or not timedelta() <= since < LOOK_EVERY:
            seen = since is not None and since < timedelta()
            if pulled := set_back.pull_in(session, now, RESTS_SEEN if seen else RESTS, WAITS):
                log.warning("clock.was_set_back", clock=self._tools.owner, rows=pulled)
            self._looked_at = now

    def _rest(self) -> None:
        """Until the next sweep, in small steps: a signal that comes in between only leaves a mark."""
        ends = time.monotonic() + SWEEP_EVERY_S
        while not self._told and time.monotonic() < ends:
            time.sleep(0.1)

    def _stop(self, *_signal: Any) -> None:
        self._told = True
