"""
Rush: a backlog goes out as event bulk jobs. What they are made of, and what their answers mean for each delivery.

A job is all or nothing. So whatever may be refused goes by itself: a phone that Klaviyo has not accepted yet, what it
complained of in a job before, what a worker died of, what a person wants sent again byte for byte.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from vrio_klaviyo.deciding import (
    PHONE_REMOVED_TRIGGER,
    SINGLY_TRIGGER,
    AgainAsBefore,
    AgainSingly,
    AgainWithoutPhone,
    Outcome,
    decide,
)
from vrio_klaviyo.errors import Rejected
from vrio_klaviyo.klaviyo import bulk
from vrio_klaviyo.klaviyo.client import pointers_in
from vrio_klaviyo.klaviyo.requests import EventRequest, Rendered, as_known, loads
from vrio_klaviyo.sending import Part, Sent
from vrio_klaviyo.store.turns import Due

# So many due deliveries are a rush; so few in a job are not worth one.
RUSH_AT = 1000
CALM_AT = 50
# Shorter than this no job is worth one either: where Klaviyo calls it too long, its length is not what is wrong.
LEAST_BYTES = 20_000

TOO_LONG = 413

_SINGLY = {PHONE_REMOVED_TRIGGER, SINGLY_TRIGGER, "interrupted"}


class Job(NamedTuple):
    """One bulk job, and whose deliveries it is made of: the order of the parts is that of its entries."""

    rendered: Rendered
    parts: list[tuple[Due, Rendered]]


def fitting(dues: Iterable[Due]) -> tuple[list[tuple[Due, EventRequest]], list[Due]]:
    """
    Those that can go in one job, and those that must go by themselves before more of the same customer can.
    """
    fit: list[tuple[Due, EventRequest]] = []
    unfit: list[Due] = []
    closed, begun, seen = set(), set(), set()
    for due in dues:
        if due.turn in closed:
            continue
        request = _fit(due)
        if request is None:
            closed.add(due.turn)
            if due.turn not in begun:
                unfit.append(due)
            continue
        # Klaviyo: an id that is repeated for one person and metric may cost the whole job. It is for the next one.
        key = request.profile.email.casefold(), request.metric, request.unique_id
        if key in seen:
            closed.add(due.turn)
            continue
        seen.add(key)
        begun.add(due.turn)
        fit.append((due, request))
    return fit, unfit


def _fit(due: Due) -> EventRequest | None:
    delivery = due.delivery
    if delivery.kind != "event" or delivery.next_trigger in _SINGLY or delivery.deaths or delivery.same_as:
        return None
    try:
        request = loads(delivery.request)
        phone = as_known(request.profile, due.known).phone
    except (ValueError, TypeError, LookupError, AttributeError):
        # By itself it fails, and shows why.
        return None
    return request if isinstance(request, EventRequest) and phone in (None, due.accepted_phone) else None


def job_of(chosen: list[tuple[Due, EventRequest]], most_bytes: int = bulk.MOST_BYTES) -> Job:
    """
    The job of these events, all of one connection; of so many of them as so many bytes take, but of one person's.

    Shape:  a person is an e-mail; several customers of ours may be one person.
    """
    style = chosen[0][0].connection.style
    by_person: dict[str, list[tuple[Due, EventRequest]]] = {}
    for due, request in chosen:
        by_person.setdefault(request.profile.email.casefold(), []).append((due, request))
    entries: list[str] = []
    parts: list[tuple[Due, Rendered]] = []
    size = 0
    for events in by_person.values():
        # As it happened, so that late news do not overwrite newer ones.
        events.sort(key=lambda event: event[0].delivery.as_of)
        profile = bulk.together([as_known(request.profile, due.known) for due, request in events])
        profile_text = bulk.profile_text(profile, style)
        texts = [bulk.event_text(request, style, due.known) for due, request in events]
        entry = bulk.entry(profile_text, texts)
        size += len(entry.encode()) + 1
        if size > most_bytes and entries:
            break
        entries.append(entry)
        for (due, _), text in zip(events, texts, strict=True):
            fragment = bulk.entry(profile_text, [text])
            parts.append((due, bulk.part_of_job(fragment, style, profile.phone)))
    return Job(bulk.job(entries, style), parts)


def outcomes(sent: Sent, now: datetime) -> list[Outcome]:
    """What an answer to a job means for each of its parts."""
    parts = sent.call.parts
    if not isinstance(sent.error, Rejected):
        return [
            decide(sent.error, part.due.delivery.tries + 1, (now - part.due.delivery.queued_at).total_seconds())
            for part in parts
        ]
    entries = _entries(parts)
    if is_too_long(sent) and len(set(entries)) > 1:
        # The next job is half as long.
        return [AgainAsBefore()] * len(parts)
    named = bulk.entries_named(pointers_in(sent.answer)) if sent.answer else {}
    outcomes: list[Outcome] = [_outcome_of(named, entry) for entry in entries]
    if all(isinstance(outcome, AgainAsBefore) for outcome in outcomes):
        # Refused as a whole: by itself each will show whether it is to blame.
        return [AgainSingly()] * len(parts)
    return outcomes


def is_too_long(sent: Sent) -> bool:
    """Whether Klaviyo refused this job for its length."""
    return sent.call.is_job and sent.answer is not None and sent.answer.status == TOO_LONG


def _outcome_of(named: dict[int, bool], entry: int) -> Outcome:
    if entry not in named:
        return AgainAsBefore()
    return AgainWithoutPhone() if named[entry] else AgainSingly()


def _entries(parts: Iterable[Part]) -> list[int]:
    """The number of each part's entry."""
    numbers: dict[str, int] = {}
    people = [loads(part.due.delivery.request).profile.email.casefold() for part in parts]
    return [numbers.setdefault(person, len(numbers)) for person in people]
