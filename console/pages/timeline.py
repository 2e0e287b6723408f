"""What happened to one request, step by step, in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.explaining import Explained, explained
from vrio_klaviyo.deciding import PHONE_REMOVED_TRIGGER
from vrio_klaviyo.klaviyo.known_errors import known_error
from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.audit import AuditEntry
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus
from vrio_klaviyo.store.inbound import InboundEvent

# What people are told of a trigger; what takes words of its own is in `_because`.
_BECAUSE = {
    "first": "",
    "phone_removed": "sent again without the phone number",
    "interrupted": "sent again because a worker died during the attempt before",
    "replay": "sent again by a replay",
    "bulk": "sent together with others, in one bulk job",
    "singly": "sent again by itself, without the others of its bulk job",
}
_NEXT = {
    "retry_after": "It is sent again as soon as Klaviyo’s limit allows.",
    "phone_removed": "It is sent again without the phone number.",
    "interrupted": "It is sent again; the worker of the attempt before died.",
    "manual": "It is sent again because somebody asked for it.",
    "replay": "It is sent again by a replay.",
}


@dataclass(frozen=True, slots=True)
class Step:
    """
    One line.

    Shape:  state is ok, fault, warning or open. at is None for what has not happened. number is the attempt's; answer
            is Klaviyo's code, took_ms how long it took; explained is what it means that the request stands still.
    """

    state: str
    what: str
    at: datetime | None = None
    detail: str = ""
    number: int | None = None
    answer: int | None = None
    took_ms: int | None = None
    explained: Explained | None = None


def timeline(
    delivery: Delivery,
    inbound: InboundEvent,
    attempts: Sequence[Attempt],
    siblings: Sequence[Delivery],
    resent: Sequence[AuditEntry],
) -> Iterator[Step]:
    """From Vrio's webhook to where it stands now; resent are the entries of the audit log about it."""
    yield Step("ok", "Vrio’s webhook received", inbound.received_at, inbound.event or inbound.type)
    made = "1 request" if len(siblings) == 1 else f"{len(siblings)} requests"
    if delivery.status == DeliveryStatus.SKIPPED and not attempts:
        yield Step("open", "Looked at, and not sent", delivery.created_at, f"{made} made from the webhook")
    else:
        yield Step("ok", "Queued", delivery.created_at, f"{made} made from the webhook")
    for before, attempt, after in zip([None, *attempts], attempts, [*attempts[1:], None], strict=False):
        yield _of_attempt(attempt, before, after, resent)
    yield from _what_now(delivery)


def _of_attempt(attempt: Attempt, before: Attempt | None, after: Attempt | None, resent: Sequence[AuditEntry]) -> Step:
    because = _because(attempt, before, resent)
    if attempt.duration_ms is None and attempt.error is None:
        state, detail = "warning", "under way"
    elif attempt.error is None:
        state, detail = "ok", ""
    else:
        state, detail = "fault", attempt.error if after is None else _refusal(attempt.error, attempt, after)
    return Step(
        state,
        f"Attempt {attempt.number}" + (f": {because}" if because else ""),
        attempt.started_at,
        detail,
        number=attempt.number,
        answer=attempt.response_status,
        took_ms=attempt.duration_ms,
    )


def _refusal(error: str, attempt: Attempt, after: Attempt) -> str:
    """What went wrong with an attempt that was not the last one; of the last one the delivery tells."""
    # What went without the number already was in vain for another reason.
    if after.trigger == PHONE_REMOVED_TRIGGER != attempt.trigger:
        return f"Klaviyo refused the phone number ({error})"
    return f"{known_error(error).meaning} ({error})"


def _because(attempt: Attempt, before: Attempt | None, resent: Sequence[AuditEntry]) -> str:
    """Why this attempt was made."""
    match attempt.trigger:
        case "backoff" | "retry_after" if before is not None:
            waited = _span(attempt.started_at - before.started_at)
            asked = " (Klaviyo asked to wait)" if attempt.trigger == "retry_after" else ""
            return f"sent again after {waited}{asked}"
        case "manual":
            by = next((entry.actor for entry in resent if entry.at <= attempt.started_at), "")
            return f"sent again by {by}" if by else "sent because somebody asked for it"
    return _BECAUSE.get(attempt.trigger, attempt.trigger.replace("_", " "))


def _what_now(delivery: Delivery) -> Iterator[Step]:
    """Where it stands, when that is not told by the last attempt."""
    words = explained(delivery.status, delivery.cause)
    match delivery.status:
        case DeliveryStatus.QUEUED:
            yield Step("open", "Waiting for its turn", delivery.next_attempt_at, _NEXT.get(delivery.next_trigger, ""))
        case DeliveryStatus.RETRYING:
            told = _NEXT.get(delivery.next_trigger, "")
            yield Step("open", "Next attempt", delivery.next_attempt_at, told, explained=words)
        case DeliveryStatus.HELD:
            yield Step("warning", "Held: it goes by itself when this is put right", explained=words)
        case DeliveryStatus.SKIPPED:
            yield Step("open", "Not sent", delivery.finished_at, explained=words)
        case DeliveryStatus.FAILED:
            yield Step("fault", "Failed: it is not tried again by itself", delivery.finished_at, explained=words)


def _span(passed: timedelta) -> str:
    """How long between two attempts, as a person would say it."""
    seconds = passed.total_seconds()
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{round(seconds / size)} {unit}"
    return f"{max(0, round(seconds))} s"
