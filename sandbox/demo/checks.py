"""What came of the demo's webhooks, beside what must have come of them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sandbox.demo.expected import (
    ABOUT_1701,
    ANSWERS,
    CLV,
    EVENTS,
    FAULTS,
    INBOUND,
    JOHN,
    JOHN_IN_THE_END,
    LOGGED,
    NOT_SENT,
    PARCEL_1701,
    PLACED_ORDER_1668,
    READ,
    REFUND_1696,
    REQUESTS,
    TRIED,
)
from sandbox.demo.lines import request_subject
from sandbox.demo.visit import Visit

Row = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """
    What there is when everything is over; lists begin with the oldest.

    Shape:  `answers` are those to the webhooks; `requests` is the sandbox's journal, `events` and `profiles` what it
            holds, `faults` what it still has in store; `inbound` and `deliveries` are as listed, `attempts` the logs of
            the customers, `visit` what the demo's link leads to.
    """

    answers: Sequence[int]
    requests: Sequence[Row]
    events: Sequence[Row]
    profiles: Sequence[Row]
    faults: Sequence[Row]
    inbound: Sequence[Row]
    deliveries: Sequence[Row]
    attempts: Sequence[Row]
    visit: Visit


class Check(NamedTuple):
    """One thing that must be so, and how it is."""

    name: str
    expected: Any
    found: Any


def checks(seen: Seen) -> Iterator[Check]:
    """All of them."""
    events = [(event["metric"], event["unique_id"], event["email"]) for event in seen.events]
    yield Check("Klaviyo holds these events, each one once, and no other", sorted(EVENTS), sorted(events))
    asked = statuses_by_subject([entry for entry in seen.requests if entry["method"] != "GET"])
    asked |= {TRIED: asked.get(TRIED, [])[:1]}
    yield Check("Klaviyo was asked for each event only as often as it had to be", REQUESTS, asked)
    repeats = sum(event["repeats"] for event in seen.events)
    yield Check("none of them was a repeat that Klaviyo had to swallow", 0, repeats)
    placed = event_of("Placed Order 1668", seen.events)
    shown = {name: placed.get(name) for name in PLACED_ORDER_1668}
    yield Check("Placed Order 1668 is what the published page says", PLACED_ORDER_1668, shown)
    refund = event_of("Refunded Order 1696", seen.events)
    told = {"value": refund.get("value")} | refund.get("properties", {})
    yield Check("a part was refunded, and of what", REFUND_1696, {name: told.get(name) for name in REFUND_1696})
    order = [what for what in map(_what, seen.requests) if what in ABOUT_1701]
    yield Check("the parcel waited for its payment", ABOUT_1701, order)
    parcel = event_of("Fulfilled Order 1701", seen.events).get("properties", {})
    yield Check("so it knows of the payment", PARCEL_1701, {name: parcel.get(name) for name in PARCEL_1701})
    paid = {what: clv_in(about(what, seen.requests)) for what in CLV}
    yield Check("John's lifetime value goes up and down with what he pays and gets back", CLV, paid)
    john = next((profile for profile in seen.profiles if profile["attributes"].get("email") == JOHN), None)
    known = john["attributes"]["properties"] if john else {}
    yield Check("Klaviyo knows John so", JOHN_IN_THE_END, {name: known.get(name) for name in JOHN_IN_THE_END})
    phones = [request_subject(entry).phone for entry in about("Placed Order 1697", seen.requests)]
    yield Check("the refused phone number was left out the second time", ["+15550000101", ""], phones)
    moments = [datetime.fromisoformat(entry["received_at"]) for entry in about("Declined Order 1711", seen.requests)]
    waited_s = (moments[-1] - moments[0]).total_seconds() if moments else 0
    yield Check("we waited for as long as Klaviyo asked us to", True, waited_s >= 2)
    left = [fault.get("match") for fault in seen.faults]
    yield Check("no fault is left over but the one that stays", FAULTS, left)

    yield Check("Vrio was answered so", ANSWERS, list(seen.answers))
    inbound = [(row["event_id"], row["event"], row["status"], row["reason"], row["deliveries"]) for row in seen.inbound]
    yield Check("each webhook ended so", INBOUND, inbound)
    accepted = [(row["metric"], row["unique_id"]) for row in seen.deliveries if row["status"] == "accepted"]
    # A profile has neither a metric nor an id.
    promised = [("", ""), *(event[:2] for event in EVENTS)]
    yield Check("we know what was accepted", sorted(promised), sorted(accepted))
    others = [row for row in seen.deliveries if row["status"] != "accepted"]
    unsent = [(row["metric"], row["unique_id"], row["status"], row["reason"]) for row in others]
    yield Check("we know what was not sent, and why", sorted(NOT_SENT), sorted(unsent))
    for subject, tries in LOGGED.items():
        attempts = [row for row in seen.attempts if f"{row['metric']} {row['unique_id']}" == subject]
        logged = [(row["trigger"], (row["response"] or {}).get("status")) for row in attempts]
        yield Check(f"the customer's log shows both attempts of {subject}", tries, logged)

    told = seen.visit
    yield Check("the link leads to a customer's Webhooks tab", True, _is_webhooks_tab(told.path))
    yield Check("which shows a phone number being removed", READ, [word for word in READ if word in told.text])
    yield Check("the menu is there, and each page of it opens", (True, []), _of_menu(told.menu))
    yield Check("the link works once", 404, told.again)


def statuses_by_subject(entries: Sequence[Row]) -> dict[str, list[int]]:
    """Klaviyo's answers to the requests for each event, in order."""
    statuses: dict[str, list[int]] = {}
    for entry in entries:
        statuses.setdefault(_what(entry), []).append(entry["status"])
    return statuses


def about(what: str, entries: Sequence[Row]) -> list[Row]:
    """The requests for one event."""
    return [entry for entry in entries if _what(entry) == what]


def event_of(what: str, events: Sequence[Row]) -> Row:
    """The event of this metric and id as Klaviyo holds it; an empty one when it does not."""
    return next((event for event in events if f"{event['metric']} {event['unique_id']}" == what), {})


def clv_in(entries: Sequence[Row]) -> str | None:
    """The lifetime value that the last of these requests shows; None when it shows none."""
    if not entries:
        return None
    told = json.loads(entries[-1]["body"])["data"]["attributes"]
    who = told["profile"]["data"]["attributes"] if "profile" in told else told
    clv: str | None = who["properties"].get("CLV")
    return clv


def complaint(check: Check) -> str:
    """What a failed check has to say; of two lists only what one has and the other has not, if that is all."""
    expected, found = check.expected, check.found
    if isinstance(expected, list):
        missing = [row for row in expected if row not in found]
        unexpected = [row for row in found if row not in expected]
        if missing or unexpected:
            expected, found = missing, unexpected
    return f"failed: {check.name}\n    expected {_text(expected)}\n    found    {_text(found)}"


def _is_webhooks_tab(path: str) -> bool:
    return path.startswith("/customers/") and path.endswith("/webhooks")


def _of_menu(menu: dict[str, int]) -> tuple[bool, list[str]]:
    return bool(menu), [path for path, status in menu.items() if status != 200]


def _what(entry: Row) -> str:
    return request_subject(entry).what


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
