"""
Replays: what a person wants sent again together goes back into the lane, a few at a time, behind live traffic.

plan → start → release, release … → end. The list is frozen at the start. Each release queues as many as its rate allows
since the last one, in one transaction with how far the list has come; so a replay goes on where it was whatever dies,
and what was queued is the lane's affair, with its retries and under its limits.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from vrio_klaviyo import log
from vrio_klaviyo.errors import BROKEN_ROW, LeaseLost, Refused
from vrio_klaviyo.gate import SkipReason, explain
from vrio_klaviyo.sending_again import hopeless, how, is_history
from vrio_klaviyo.store import holding, leases, matches, replays, resending
from vrio_klaviyo.store.connections import Connection, KeyStatus, find_connection
from vrio_klaviyo.store.db import Database, DatabaseError, Session, is_outage
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus
from vrio_klaviyo.store.leases import Lease
from vrio_klaviyo.store.listing import Wanted
from vrio_klaviyo.store.matches import Counted
from vrio_klaviyo.store.replays import Replay, ReplayStatus
from vrio_klaviyo.store.resending import REPLAY

RATE = 5
HIGHEST_RATE = 500

SLICE_S = 4.0
# A portion holds SQLite's write lock and the lane's, for which both wait, for some tens of milliseconds.
PORTION = 20
PAUSE_S = 0.5
# What a replay may send at once after it had to wait; more would be a burst and not its rate.
MOST_AT_ONCE_S = 5.0
# So many seconds' worth may wait in the lane: a replay that is stopped has then almost stopped.
AHEAD_S = 4

ARCHIVED = "The connection is archived."


@dataclass(frozen=True, slots=True)
class Plan:
    """What a replay through one connection would send; by_metric calls profiles Profile, left_out is by sentence."""

    connection: Connection
    count: int
    by_metric: dict[str, int]
    left_out: dict[str, int]
    oldest: datetime | None


def plan(session: Session, workspace_id: str, wanted: Wanted) -> list[Plan]:
    """
    What would be sent again, connection by connection; nothing is.

    Raises: InvalidInput when the filter names no status.
    """
    return [_plan(session, each, wanted) for each in matches.connections_with(session, workspace_id, wanted)]


def _plan(session: Session, connection: Connection, wanted: Wanted) -> Plan:
    by_metric: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for alike in matches.counted(session, connection.id, wanted):
        if because := ARCHIVED if connection.archived_at else _left_out(alike):
            left_out[because] += alike.number
        else:
            by_metric[alike.metric or "Profile"] += alike.number
    first = matches.oldest(session, connection.id, wanted, hopeless()) if by_metric else None
    return Plan(connection, by_metric.total(), dict(by_metric), dict(left_out), first)


def _left_out(alike: Counted) -> str:
    if not alike.with_bodies:
        return "The bodies were removed, and nothing is left to send."
    if alike.promised_anew:
        return "The same was promised anew since."
    if alike.status == DeliveryStatus.SKIPPED and alike.cause in hopeless():
        return explain(SkipReason(alike.cause)).meaning
    return ""


def start(
    session: Session,
    connection: Connection,
    wanted: Wanted,
    now: datetime,
    *,
    rate: int = RATE,
    rebuild: bool = False,
    despite_pause: bool = False,
    started_by: str,
) -> Replay:
    """
    Freeze the list and begin; `replay` is then to be rung with its id.

    Raises: Refused, with the reason.
    """
    if connection.archived_at is not None:
        raise Refused(f"{connection.name} is archived.")
    if not connection.push_events:
        raise Refused(f"Push Events is off for {connection.name}. Switch it on first.")
    if connection.key_status == KeyStatus.REJECTED:
        raise Refused(f"Klaviyo does not take the key of {connection.name}. Give it another one first.")
    if not connection.active and not despite_pause:
        raise Refused(f"{connection.name} is paused. Activate it, or say that this is to go out despite the pause.")
    begun = replays.start(
        session,
        connection,
        wanted,
        hopeless(),
        now,
        rate=rate,
        rebuild=rebuild,
        despite_pause=despite_pause and not connection.active,
        started_by=started_by,
    )
    log.info("replay.started", replay=begun.id, connection=connection.id, total=begun.total)
    return begun


def stop(session: Session, replay: Replay, now: datetime) -> None:
    """
    Release nothing more; what is in the lane already goes out.

    Raises: Refused when it is over.
    """
    _take(session, replay)
    if replay.status != ReplayStatus.RUNNING:
        raise Refused(f"{replay.id} is over already: it is {replay.status}.")
    replays.end(session, replay, ReplayStatus.STOPPED, now)
    leases.forget(session, _lease_name(replay.id))
    log.info("replay.stopped", replay=replay.id, released=replay.released)


def put_away(session: Session, connection: Connection, now: datetime) -> Replay | None:
    """
    Let nothing more go through a connection that is archived, also not what a person asked for.

    Shape:  the replay that was stopped by it, if one was; what it had in the lane is held, and does not go out.
    """
    replay = replays.running_through(session, connection.id)
    if replay is not None:
        _take(session, replay)
    resending.spare_accepted(session, connection.id, "The connection was archived.", now)
    holding.hold_for_good(session, connection.id)
    if replay is None or replay.status != ReplayStatus.RUNNING:
        return None
    stop(session, replay, now)
    return replay


def _take(session: Session, replay: Replay) -> None:
    """Keep its rounds from releasing anything while this transaction lasts; the replay is then as it stands."""
    leases.shut_out(session, _lease_name(replay.id))
    # Before its first round it has no lease, but a round that begins now waits for its row.
    session.refresh(replay, with_for_update=True)


class Replayer:
    """Releases what a replay has listed, as fast as it may."""

    def __init__(
        self,
        *,
        db: Database,
        ring: Callable[[str, str], bool],
        now: Callable[[], datetime],
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._db = db
        self._ring = ring
        self._now = now
        self._stopping = stopping

    def advance(self, replay_id: str, owner: str) -> None:
        """Release what is allowed by now; the clock rings again when there is more to do."""
        lease = leases.acquire(self._db, _lease_name(replay_id), owner, self._now())
        if lease is None:
            return
        wake_at = lease.wake_at
        try:
            if wake_at is None or wake_at <= self._now():
                wake_at = self._advance(replay_id, lease)
        except LeaseLost:
            log.warning("replay.lease_lost", replay=replay_id, fence=lease.fence)
        finally:
            leases.release(self._db, lease, wake_at)

    def _advance(self, replay_id: str, lease: Lease) -> datetime | None:
        """Portions until the rate says to wait; the time from which more may go."""
        began, slice_ends = self._now(), time.monotonic() + SLICE_S
        lane, passed, portion = "", 0, PORTION
        while portion == PORTION and time.monotonic() < slice_ends and not self._stopping():
            now = self._now()
            with self._db.write() as session:
                leases.hold(session, lease, now)
                replay = replays.take_replay(session, replay_id)
                connection = find_connection(session, replay.connection_id)
                leases.shut_out(session, f"lane/{connection.account_id}")
                if _is_over(session, replay, connection, now):
                    leases.forget(session, lease.name)
                    return None
                allowed = int(_waited_s(lease, began) * replay.rate) - passed
                if not (allowed or passed):
                    # Too little for one: the time goes on counting.
                    return lease.wake_at
                portion = _release(session, replay, connection, now, min(allowed, PORTION))
            passed, lane = passed + portion, connection.account_id
        if passed:
            self._ring("lane", lane)
        return began + _PAUSE


_PAUSE = timedelta(seconds=PAUSE_S)


def _lease_name(replay_id: str) -> str:
    return f"replay/{replay_id}"


def waits_because(replay: Replay, connection: Connection) -> str:
    """Why a replay does not go on, which is what was switched after it had begun; "" when it does."""
    if replay.status != ReplayStatus.RUNNING:
        return ""
    if not connection.push_events:
        return "Push Events is off for the connection."
    if connection.key_status == KeyStatus.REJECTED:
        return "Klaviyo does not take the connection's key."
    return "" if connection.active or replay.despite_pause else "The connection is paused."


def _waited_s(lease: Lease, now: datetime) -> float:
    """For how many seconds nothing was released; at the beginning a replay has a second's worth."""
    if lease.wake_at is None:
        return 1.0
    return min((now - lease.wake_at + _PAUSE).total_seconds(), MOST_AT_ONCE_S)


def _is_over(session: Session, replay: Replay, connection: Connection, now: datetime) -> bool:
    """Whether nothing is left to do; it is over when each delivery has had its turn in the lane."""
    if replay.status != ReplayStatus.RUNNING:
        return True
    if connection.archived_at is not None:
        stop(session, replay, now)
        return True
    if replay.released < replay.total or replays.in_flight(session, replay.connection_id):
        return False
    replays.end(session, replay, ReplayStatus.DONE, now)
    log.info("replay.done", replay=replay.id, **{name: number for name, number in replay.summary.items() if number})
    return True


def _release(session: Session, replay: Replay, connection: Connection, now: datetime, limit: int) -> int:
    """Queue the next places of the list, as far as the lane keeps up; how many places were passed."""
    room = replay.rate * AHEAD_S - replays.in_flight(session, connection.id)
    if room <= 0 or limit <= 0 or waits_because(replay, connection):
        return 0
    places = replays.next_of(session, replay, min(limit, room))
    for place, delivery in places:
        try:
            with session.begin_nested():
                _queue(session, replay, connection, delivery, now)
        except Refused as error:
            replays.leave_out(session, replay, place, str(error))
        except (*BROKEN_ROW, DatabaseError) as error:
            if isinstance(error, DatabaseError) and is_outage(error):
                raise
            log.error("replay.not_queued", replay=replay.id, delivery=delivery.id, error=type(error).__name__)
            replays.leave_out(session, replay, place, f"Queueing it again failed ({type(error).__name__}).")
    # Past the last one that was found: a place whose delivery is gone has no row.
    replay.released = places[-1][0] + 1 if places else replay.total
    return len(places)


def _queue(session: Session, replay: Replay, connection: Connection, delivery: Delivery, now: datetime) -> None:
    """
    Queue one delivery.

    Raises: Refused.
    """
    if delivery.status not in replay.wanted["status"]:
        raise Refused(f"It stands otherwise since the list was made: it is {delivery.status}.")
    again = how(session, delivery, connection, now, rebuild=replay.rebuild, despite_pause=replay.despite_pause)
    history = is_history(delivery, now)
    # What is history says so in its body, which is then not the one that went out last.
    same_as = None if history else again.same_as
    resending.queue_again(session, delivery, REPLAY, now, request=again.request, same_as=same_as, backfill=history)
