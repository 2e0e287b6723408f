"""The log of requests in lines for people: what came in, what followed from it, and what Klaviyo answered."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from console.commands.output import cell, pretty
from console.plain_text import clean

Told = Mapping[str, Any]


def log_lines(inbound: Iterable[Told], deliveries: Iterable[Told], attempts: Iterable[Told]) -> Iterator[str]:
    """Each webhook from Vrio in the order given, under it its deliveries, and under those their attempts."""
    opened, made = _grouped(deliveries, "inbound_event"), _grouped(attempts, "delivery")
    for event in inbound:
        what = event["event"] or event["type"] or "webhook"
        yield ""
        yield _joined(event["received_at"], what, event["status"], event["reason"], event["id"])
        yield from _indented(f"note: {clean(note)}" for note in event["notes"])
        yield from _indented(pretty(event["body"]), 4)
        for delivery in opened[event["id"]]:
            yield from _indented(_delivery_lines(delivery))
            for attempt in made[delivery["id"]]:
                yield from _indented(attempt_lines(attempt), 4)


def _delivery_lines(delivery: Told) -> Iterator[str]:
    what = f"{delivery['metric']} {delivery['unique_id']}" if delivery["kind"] == "event" else "Profile"
    status = "not sent" if delivery["status"] == "skipped" else delivery["status"]
    again = f"again at {delivery['next_attempt_at']}" if delivery["status"] == "retrying" else ""
    yield _joined(what, status, delivery["reason"], again, delivery["id"])
    if "meaning" in delivery:
        yield f"  {delivery['meaning']} {delivery['remedy']}"
    yield from _indented(f"note: {clean(note)}" for note in delivery["notes"])


def attempt_lines(attempt: Told) -> Iterator[str]:
    """One exchange with Klaviyo, both bodies in full."""
    response = attempt["response"]
    answered = f"HTTP {response['status']}" if response else "no answer"
    took = "" if attempt["duration_ms"] is None else f"{attempt['duration_ms']} ms"
    head = f"attempt {attempt['attempt']} ({attempt['trigger']})"
    yield _joined(head, attempt["started_at"], answered, took, attempt["error"] or "", attempt["id"])
    yield from _indented(request_lines(attempt["request"]))
    if response:
        yield f"  HTTP {response['status']}"
        yield from _indented(_header_lines(response), 4)
        yield from _indented(pretty(response["body"]), 4)


def preview_lines(note: str, requests: Iterable[Told]) -> Iterator[str]:
    """What a webhook would send: the body where it would go, the reason where it would not."""
    if note:
        yield clean(note)
    for one in requests:
        what = f"{one['metric']} {one['unique_id']}" if one["kind"] == "event" else "Profile"
        stands = f"not sent: {one['reason']}" if one["reason"] else "would be sent"
        yield _joined(one["name"], what, stands)
        if one["reason"]:
            yield clean(f"  {one['meaning']} {one['remedy']}")
        else:
            yield from _indented(pretty(one["body"]), 4)


def request_lines(request: Told) -> Iterator[str]:
    """One request to Klaviyo, without the key."""
    yield _joined(request["method"], request["url"])
    yield from _indented(_header_lines(request))
    yield from _indented(pretty(request["body"]))


def _header_lines(message: Told) -> Iterator[str]:
    return (f"{clean(name)}: {cell(value)}" for name, value in message["headers"].items())


def _grouped(things: Iterable[Told], by: str) -> Mapping[str, Sequence[Told]]:
    groups: defaultdict[str, list[Told]] = defaultdict(list)
    for thing in things:
        groups[thing[by]].append(thing)
    return groups


def _joined(*parts: str) -> str:
    return "  ".join(clean(part) for part in parts if part)


def _indented(lines: Iterable[str], spaces: int = 2) -> Iterator[str]:
    return (" " * spaces + line for line in lines)
