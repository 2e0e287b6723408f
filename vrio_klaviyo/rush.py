"""
Rush: a backlog goes out as event bulk jobs. What they are made of, and what their answers mean for each delivery.

A job is all or nothing. So whatever may be refused goes by itself: a phone that Klaviyo has not accepted yet, what it
complained of in a job before, what was in vain in some, what a worker died of, what a person wants sent again byte for
byte or waits for.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple

from vrio_klaviyo.deciding import (
    LASTING_TRIGGERS,
    AgainAsBefore,
    AgainSingly,
    AgainWithoutPhone,
    Outcome,
    decide,
)
from vrio_klaviyo.errors import BROKEN_ROW, Rejected
from vrio_klaviyo.klaviyo import bulk
from vrio_klaviyo.klaviyo.client import pointers_in
from vrio_klaviyo.klaviyo.requests import EventRequest, Profile, Rendered, Style, as_known, loads
from vrio_klaviyo.sending import Part, Sent
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.resending import MANUAL
from vrio_klaviyo.store.turns import Due

# So many due deliveries are a rush; so few in a job are not worth one.
RUSH_AT = 1000
CALM_AT = 50
# Shorter than this no job is worth one either: where Klaviyo calls it too long, its length is not what is wrong.
LEAST_BYTES = 20_000

# After so many tries in vain it may be what Klaviyo stumbles over, and others are not made to share its fate.
TRIES_TOGETHER = 3

TOO_LONG = 413


class Job(NamedTuple):
    """One bulk job, and whose deliveries it is made of: the order of the parts is that of its entries."""

    rendered: Rendered
    parts: list[tuple[Due, Rendered]]


class Fit(NamedTuple):
    """
    An event that can go in a job, as it is written there.

    Shape:  a person is an e-mail; several customers of ours may be one person. key is what a job may have once.
    """

    due: Due
    person: str
    key: tuple[str, str, str]
    profile: Profile
    profile_text: bytes
    text: bytes


def fitting(dues: Iterable[Due]) -> tuple[list[Fit], list[Due]]:
    """
    Those that can go in one job, and those that must go by themselves before more of the same customer can.
    """
    fits: list[Fit] = []
    unfit: list[Due] = []
    closed, begun, seen = set(), set(), set()
    for due in dues:
        if due.turn in closed:
            continue
        fit = None if _goes_singly(due.delivery) else _fit(due)
        if fit is None:
            closed.add(due.turn)
            if due.turn not in begun:
                unfit.append(due)
            continue
        # Klaviyo: an id that is repeated for one person and metric may cost the whole job. It is for the next one.
        if fit.key in seen:
            closed.add(due.turn)
            continue
        seen.add(fit.key)
        begun.add(due.turn)
        fits.append(fit)
    return fits, unfit


def _goes_singly(delivery: Delivery) -> bool:
    return (
        delivery.kind != "event"
        or delivery.next_trigger in LASTING_TRIGGERS
        or delivery.tries >= TRIES_TOGETHER
        or delivery.deaths > 0
        or delivery.same_as is not None
        # A person asked for one attempt, and for what comes of it.
        or delivery.asked == MANUAL
    )


def _fit(due: Due) -> Fit | None:
    style = due.connection.style
    try:
        request = loads(due.delivery.request)
        profile = as_known(request.profile, due.known)
        if not isinstance(request, EventRequest) or profile.phone not in (None, due.accepted_phone):
            return None
        person = profile.email.casefold()
        return Fit(
            due=due,
            person=person,
            key=(person, str(request.metric), str(request.unique_id)),
            # Such as can be told together with others.
            profile=replace(profile, properties=dict(profile.properties.items())),
            profile_text=bulk.profile_text(profile, style),
            text=bulk.event_text(request, style, due.known),
        )
    except BROKEN_ROW:
        # By itself it fails, and shows why.
        return None


def job_of(chosen: list[Fit], most_bytes: int = bulk.MOST_BYTES) -> Job:
    """The job of these events, all of one connection; of so many of them as so many bytes take, but of one at least."""
    style = chosen[0].due.connection.style
    by_person: dict[str, list[Fit]] = {}
    for fit in chosen:
        by_person.setdefault(fit.person, []).append(fit)
    entries: list[bytes] = []
    parts: list[tuple[Due, Rendered]] = []
    size = 0
    for events in by_person.values():
        # As it happened, so that late news do not overwrite newer ones.
        events.sort(key=lambda fit: (fit.due.delivery.as_of, fit.due.delivery.id))
        profile, profile_text, entry = _entry(events, style)
        size += len(entry) + 1
        if size > most_bytes and entries:
            break
        if size > most_bytes:
            events = _beginning(events, size - most_bytes)
            profile, profile_text, entry = _entry(events, style)
        entries.append(entry)
        for fit in events:
            parts.append((fit.due, bulk.part_of_job(bulk.entry(profile_text, [fit.text]), style, profile.phone)))
    return Job(bulk.job(entries, style), parts)


def _entry(events: list[Fit], style: Style) -> tuple[Profile, bytes, bytes]:
    """One person: the profile, its text, and the whole entry."""
    profile, text = events[0].profile, events[0].profile_text
    if len(events) > 1:
        profile = bulk.together([fit.profile for fit in events])
        text = bulk.profile_text(profile, style)
    return profile, text, bulk.entry(text, [fit.text for fit in events])


def _beginning(events: list[Fit], too_much: int) -> list[Fit]:
    """The first of them, without the last ones that come to so many bytes; one at least."""
    lengths = [len(fit.text) + 1 for fit in events]
    room = sum(lengths) - too_much
    return events[: max(1, sum(end <= room for end in accumulate(lengths)))]


def outcomes(sent: Sent, now: datetime) -> list[Outcome]:
    """What an answer to a job means for each of its parts."""
    parts = sent.call.parts
    if not isinstance(sent.error, Rejected):
        return [
            decide(sent.error, part.due.delivery.tries + 1, (now - part.due.delivery.queued_at).total_seconds())
            for part in parts
        ]
    if is_too_long(sent) and len(parts) > 1:
        # The next job is half as long.
        return [AgainAsBefore()] * len(parts)
    entries = _entries(parts)
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
