"""What came back is written down: for the deliveries, for their connections, for the lane."""

import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from vrio_klaviyo import log, rush
from vrio_klaviyo.deciding import (
    CIRCUIT_OPENS_AT,
    Accepted,
    AgainAsBefore,
    AgainIn,
    AgainSingly,
    AgainWithoutPhone,
    ConnectionHeld,
    Failed,
    LaneHeld,
    LaneWaits,
    Outcome,
    backoff_s,
    circuit_s,
    decide,
    failures_after,
    result_of,
)
from vrio_klaviyo.klaviyo.limits import Pacer
from vrio_klaviyo.sending import Part, Sent
from vrio_klaviyo.store import attempts, holding, resending, results
from vrio_klaviyo.store.accounts import connections_of_account, keep_pace, name_provisional
from vrio_klaviyo.store.connections import Connection, KeyStatus, KlaviyoAccount
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.holding import ENDPOINT_REFUSED, KEY_REJECTED
from vrio_klaviyo.store.key_checks import note_scope_refused, record_key
from vrio_klaviyo.store.leases import SKEW
from vrio_klaviyo.store.resending import MANUAL

# What a call to each kind of endpoint needs; the rest of them are ours and need none.
SCOPES = {"event": "events:write", "profile": "profiles:write"}

# Beside the endpoints in what is kept of their pace: it is committed with the answer that said so, and whoever works
# here next is bound by it.
_REST = "rest"

Told = tuple[Part, Sent, Outcome]


@dataclass
class Standing:
    """
    How a lane stands.

    Shape:  failures counts the calls that failed one after another. Nothing is sent before wait_until, whoever works
            here; over says that this slice of work ends although there is more.
    """

    account: KlaviyoAccount
    pacer: Pacer
    failures: int
    wait_until: datetime | None = None
    over: bool = False

    @property
    def is_probing(self) -> bool:
        """With the circuit open, one request at a time asks whether Klaviyo is back."""
        return self.failures >= CIRCUIT_OPENS_AT

    def keep(self, session: Session, now: datetime) -> None:
        """Write down what the next one to work here must know."""
        rest = {"told_at": now.isoformat(), "until": self.wait_until.isoformat()} if self.wait_until else {}
        keep_pace(session, self.account.id, self.pacer.kept | {_REST: rest}, self.failures)


def rests_until(account: KlaviyoAccount, now: datetime) -> datetime | None:
    """Until when nothing is sent, because of what came back before; None when it may be."""
    rest = account.pacing.get(_REST)
    if not rest:
        return None
    told_at, until = datetime.fromisoformat(rest["told_at"]), datetime.fromisoformat(rest["until"])
    # Before it was told it cannot be, unless the clock was set back.
    return until if told_at - SKEW <= now < until else None


def record(session: Session, standing: Standing, came: list[Sent], now: datetime) -> list[Told]:
    """Write down what came back, and what follows from it; what to tell the log once it is committed."""
    if not came:
        return []
    for sent in came:
        if not sent.made:
            attempts.withdraw(session, [part.attempt_id for part in sent.call.parts])
            standing.pacer.give_back(sent.call.rendered.path, now)
        elif sent.fault:
            _note_fault(session, standing, sent, sent.fault, now)
    made = [sent for sent in came if sent.made and not sent.fault]
    told = [
        (part, sent, outcome)
        for sent in made
        for part, outcome in zip(sent.call.parts, _outcomes(sent, now), strict=True)
    ]
    results.record_results(session, [result_of(part, sent, outcome, now) for part, sent, outcome in told], now)
    in_vain = [part.due.delivery for part, _, outcome in told if isinstance(outcome, Failed)]
    resending.keep_accepted(session, [delivery.id for delivery in in_vain if delivery.asked], now)
    _heed(session, standing, told, now)
    _learn(session, standing, made, now)
    _judge(standing, made, now)
    return told


def _note_fault(session: Session, standing: Standing, sent: Sent, fault: Exception, now: datetime) -> None:
    """A call that went wrong on our side says nothing of Klaviyo, and is tried again like what a worker died of."""
    log.error("lane.call_broke", lane=standing.account.id, parts=len(sent.call.parts), error=type(fault).__name__)
    trace = "".join(traceback.format_exception(fault, limit=-8))
    deaths = max(part.due.delivery.deaths for part in sent.call.parts)
    again_at = now + timedelta(seconds=backoff_s(deaths + 1))
    results.close_faulty(session, [part.attempt_id for part in sent.call.parts], trace, again_at, now)


def _outcomes(sent: Sent, now: datetime) -> list[Outcome]:
    if sent.call.is_job:
        return rush.outcomes(sent, now)
    delivery = sent.call.parts[0].due.delivery
    outcome = decide(sent.error, delivery.tries + 1, (now - delivery.queued_at).total_seconds())
    # A person asked for one attempt, and sees at once what came of it.
    return [Failed() if delivery.asked == MANUAL and isinstance(outcome, AgainIn) else outcome]


def _heed(session: Session, standing: Standing, told: Iterable[Told], now: datetime) -> None:
    """What an answer means for more than its own delivery."""
    held = set()
    for part, sent, outcome in told:
        connection = part.due.connection
        match outcome:
            case LaneWaits(seconds=seconds):
                until = now + timedelta(seconds=seconds)
                standing.wait_until = max(standing.wait_until or until, until)
            case ConnectionHeld() if connection.id not in held:
                held.add(connection.id)
                if not _has_same_key(session, connection):
                    standing.over = True
                    continue
                record_key(session, connection.id, KeyStatus.REJECTED, sent.reason, now)
                holding.hold_owed(session, [connection.id], KEY_REJECTED)
                if sent.answer and sent.answer.status == 403:
                    note_scope_refused(session, connection.id, SCOPES[part.due.delivery.kind])
            case LaneHeld() if not standing.over:
                standing.over = True
                lane = [one.id for one in connections_of_account(session, standing.account.id)]
                holding.hold_owed(session, lane, ENDPOINT_REFUSED)


def _has_same_key(session: Session, connection: Connection) -> bool:
    """
    Whether the connection still has the key that the call was made with, until this is committed.

    Shape:  False while somebody is writing it, too: the next call will tell.
    """
    # PostgreSQL: without waiting, because who writes it may wait for what this lane wrote.
    unless_written = {"key_share": True, "skip_locked": True}
    as_it_is = session.get(Connection, connection.id, populate_existing=True, with_for_update=unless_written)
    return as_it_is is not None and as_it_is.key_sealed == connection.key_sealed


def _learn(session: Session, standing: Standing, made: list[Sent], now: datetime) -> None:
    """What the answers' headers tell: the limits, and which Klaviyo account this is."""
    for sent in made:
        if rush.is_too_long(sent):
            standing.pacer.too_long(sent.call.rendered.path, len(sent.call.rendered.body), now)
        if sent.answer is not None:
            standing.pacer.learn(sent.call.rendered.path, sent.answer.headers, now)
            # Klaviyo: this header names the account, on refusals of a known key as well.
            klaviyo_id = sent.answer.headers.get("cid", "")
            if klaviyo_id and standing.account.klaviyo_id is None:
                standing.account.klaviyo_id = klaviyo_id
                # The lane of the account that was known before takes over from here.
                standing.over = name_provisional(session, standing.account.id, klaviyo_id) or standing.over


def _judge(standing: Standing, made: list[Sent], now: datetime) -> None:
    """Open the lane's circuit after a run of failures, and close it when Klaviyo answers again."""
    was_open, standing.failures = standing.is_probing, failures_after(standing.failures, made)
    if standing.is_probing and made:
        until = now + timedelta(seconds=circuit_s(standing.failures))
        standing.wait_until = max(standing.wait_until or until, until)
    if was_open != standing.is_probing:
        word = "lane.circuit_opened" if standing.is_probing else "lane.circuit_closed"
        log.warning(word, lane=standing.account.id, failures=standing.failures)


def tell(part: Part, sent: Sent, outcome: Outcome) -> None:
    """One line per attempt that changed something; ids only."""
    ids = {
        "delivery": part.due.delivery.id,
        "connection": part.due.connection.id,
        "attempt": part.attempt_id,
        "trigger": "bulk" if sent.call.is_job else part.due.delivery.next_trigger,
        "status": sent.answer.status if sent.answer else None,
        "ms": sent.duration_ms,
    }
    match outcome:
        case Accepted():
            log.info("delivery.accepted", **ids)
        case Failed():
            log.warning("delivery.failed", **ids, reason=sent.reason)
        case ConnectionHeld():
            log.error("connection.key_rejected", **ids, reason=sent.reason)
        case LaneHeld():
            log.error("lane.endpoint_refused", **ids, reason=sent.reason)
        case LaneWaits(seconds=seconds):
            log.warning("lane.waits", **ids, seconds=seconds)
        case AgainWithoutPhone() | AgainIn() | AgainSingly() | AgainAsBefore():
            log.warning("delivery.again", **ids, reason=sent.reason)
        case _:
            assert_never(outcome)
