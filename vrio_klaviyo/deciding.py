"""What follows from an answer: for the delivery, for its connection, for the lane."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never

from vrio_klaviyo.errors import (
    CallFailed,
    EndpointRefused,
    NotAuthorized,
    PhoneRejected,
    Retriable,
    Throttled,
)
from vrio_klaviyo.klaviyo.client import PARTIAL_FAILURE
from vrio_klaviyo.sending import Part, Sent
from vrio_klaviyo.store.deliveries import RETRY, Delivery, DeliveryStatus
from vrio_klaviyo.store.results import Result

BACKOFF_S = (5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 43_200)
JITTER = 0.2
GIVE_UP_AFTER_S = 3 * 24 * 3600
# So many tries three days have at least. What has had fewer has waited for something else: for the circuit, for a cap.
LEAST_TRIES = 14

# So many calls that fail one after another open the lane's circuit: from then on one request at a time asks whether
# Klaviyo is back, after these waits.
CIRCUIT_OPENS_AT = 5
CIRCUIT_S = (5, 10, 20, 40, 60)

BACKOFF_TRIGGER = "backoff"
RETRY_AFTER_TRIGGER = "retry_after"
PHONE_REMOVED_TRIGGER = "phone_removed"
# Klaviyo complained of it in the answer to a bulk job.
SINGLY_TRIGGER = "singly"
# What the next attempt must mind: what Klaviyo complained of, and what a worker died of, may be in no bulk job.
LASTING_TRIGGERS = frozenset({PHONE_REMOVED_TRIGGER, SINGLY_TRIGGER, "interrupted"})
PHONE_REMOVED = "Klaviyo refused the phone number; sent without it."
PHONE_IGNORED = "Klaviyo took the event and ignored the phone number."
A_PHONE_IGNORED = "Klaviyo took this with others and ignored a phone number among them, which may be this one."


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
class AgainSingly:
    """A bulk job was refused because of this one, or nobody knows because of which: send it by itself, at once."""


@dataclass(frozen=True, slots=True)
class AgainAsBefore:
    """A bulk job was refused because of others: send it again, at once; it is not a try."""


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


Outcome = (
    Accepted
    | AgainWithoutPhone
    | AgainIn
    | AgainSingly
    | AgainAsBefore
    | LaneWaits
    | ConnectionHeld
    | LaneHeld
    | Failed
)


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
        case Retriable() if owed_s < GIVE_UP_AFTER_S or tries < LEAST_TRIES:
            return AgainIn(backoff_s(tries))
        case _:
            return Failed()


def backoff_s(tries: int) -> float:
    """Seconds until the next try, a fifth more or less, so that what failed together does not come back together."""
    return _jittered(BACKOFF_S[min(tries, len(BACKOFF_S)) - 1])


def circuit_s(failures: int) -> float:
    """Seconds until the next question whether Klaviyo is back."""
    return _jittered(CIRCUIT_S[min(failures - CIRCUIT_OPENS_AT, len(CIRCUIT_S) - 1)])


def failures_after(failures: int, sent: list[Sent]) -> int:
    """
    How many calls in a row have failed, after these.

    Shape:  calls that were under way together when the circuit opened count once, because they tell one thing.
    """
    was_open = failures >= CIRCUIT_OPENS_AT
    for call in sent:
        failures = failures + 1 if isinstance(call.error, Retriable) else 0
    return failures if was_open else min(failures, CIRCUIT_OPENS_AT)


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)


def result_of(part: Part, sent: Sent, outcome: Outcome, now: datetime) -> Result:
    """What the log and the delivery are told of one call."""
    delivery = part.due.delivery

    def result(status: DeliveryStatus | None = None, **more: Any) -> Result:
        error = sent.error.reason if sent.error else None
        return Result(part.attempt_id, part.due, sent.duration_ms, sent.answer, error, status, **more)

    match outcome:
        case Accepted():
            return result(DeliveryStatus.ACCEPTED, **_phone_after(part, sent))
        case AgainWithoutPhone():
            return result(
                DeliveryStatus.RETRYING,
                reason=sent.reason,
                note=PHONE_REMOVED,
                refused_phone=part.rendered.phone,
                # Its old place in the line, which is the first one.
                next_attempt_at=delivery.next_attempt_at,
                next_trigger=PHONE_REMOVED_TRIGGER,
            )
        case AgainIn(seconds=seconds):
            return result(
                DeliveryStatus.RETRYING,
                reason=sent.reason,
                next_attempt_at=now + timedelta(seconds=seconds),
                next_trigger=_trigger_after(delivery, BACKOFF_TRIGGER),
                may_have_arrived=True,
                lane_order=max(delivery.lane_order, RETRY),
            )
        case AgainSingly():
            return result(counts=False, next_trigger=SINGLY_TRIGGER)
        case AgainAsBefore():
            return result(counts=False, next_trigger=delivery.next_trigger)
        case LaneWaits():
            return result(counts=False, next_trigger=_trigger_after(delivery, RETRY_AFTER_TRIGGER))
        case ConnectionHeld() | LaneHeld():
            return result(counts=False, next_trigger=_trigger_after(delivery, BACKOFF_TRIGGER))
        case Failed():
            # Also where there is no other try.
            arrived = isinstance(sent.error, Retriable)
            return result(DeliveryStatus.FAILED, reason=sent.reason, may_have_arrived=arrived)
        case _:
            assert_never(outcome)


def _trigger_after(delivery: Delivery, trigger: str) -> str:
    """Why the next attempt will be made: for what this one was made with care, whatever has come between."""
    if delivery.next_trigger not in LASTING_TRIGGERS:
        return trigger
    # No worker died of this one.
    return PHONE_REMOVED_TRIGGER if delivery.next_trigger == PHONE_REMOVED_TRIGGER else SINGLY_TRIGGER


def _phone_after(part: Part, sent: Sent) -> dict[str, Any]:
    """What an answer to what was accepted says of the phone number, if there was one."""
    phone = part.rendered.phone
    if "phone_number" not in (sent.answer.headers.get(PARTIAL_FAILURE, "") if sent.answer else ""):
        return {"accepted_phone": phone}
    if sent.call.is_job:
        # Klaviyo: it does not say which one of them.
        return {"note": A_PHONE_IGNORED if phone else ""}
    return {"note": PHONE_IGNORED, "refused_phone": phone}
