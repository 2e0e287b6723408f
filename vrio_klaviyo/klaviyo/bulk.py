"""
Event bulk jobs: many events in one request, one entry for each person, and which entries an answer complains of.

Source: Klaviyo API 2026-07-15, Bulk Create Events. A 202 is for the whole job, a 400 too; it names entries by pointer.
"""

import re
from collections.abc import Iterable, Sequence

from vrio_klaviyo.klaviyo.requests import (
    EventRequest,
    Known,
    Profile,
    Rendered,
    Style,
    compact,
    event_attributes,
    headers,
    profile_attributes,
    profile_meta,
)

PATH = "/api/event-bulk-create-jobs"
MOST_EVENTS = 1000
# Klaviyo: more than 5 MB is 413. A little less, because nobody says whether that means 5,000,000 or 5,242,880.
MOST_BYTES = 4_900_000

_POINTER = re.compile(r"/data/attributes/events-bulk-create/data/(\d{1,6})(?:/|$)")


def event_text(request: EventRequest, style: Style, known: Known) -> bytes:
    """One event as JSON."""
    return compact({"type": "event", "attributes": event_attributes(request, style, known)}).encode()


def profile_text(profile: Profile, style: Style) -> bytes:
    """One profile as JSON."""
    # Klaviyo: `meta` stands beside the attributes here.
    return compact(
        {"type": "profile", "attributes": profile_attributes(profile, style)} | profile_meta(profile)
    ).encode()


def entry(profile: bytes, events: Iterable[bytes]) -> bytes:
    """One person with these events; with a single event also what an attempt's row keeps of the job."""
    attributes = b'{"profile":{"data":%b},"events":{"data":[%b]}}' % (profile, b",".join(events))
    return b'{"type":"event-bulk-create","attributes":%b}' % attributes


def job(entries: Iterable[bytes], style: Style) -> Rendered:
    """The whole request."""
    attributes = b'{"events-bulk-create":{"data":[%b]}}' % b",".join(entries)
    body = b'{"data":{"type":"event-bulk-create-job","attributes":%b}}' % attributes
    return Rendered(method="POST", path=PATH, headers=headers(style), body=body, phone=None)


def part_of_job(fragment: bytes, style: Style, phone: str | None) -> Rendered:
    """What the log keeps of a job for one delivery: the entry as if it had this one event only."""
    return Rendered(method="POST", path=PATH, headers=headers(style), body=fragment, phone=phone)


def together(profiles: Sequence[Profile]) -> Profile:
    """
    What several pictures of one person come to when they are told one after another, the oldest first.

    A job's entries have no order that Klaviyo promises, so that a person has one entry and one picture in it.
    """
    told = profiles[0]
    for newer in profiles[1:]:
        told = Profile(
            email=newer.email,
            first_name=newer.first_name or told.first_name,
            last_name=newer.last_name or told.last_name,
            phone=newer.phone or told.phone,
            properties={k: v for k, v in told.properties.items() if k not in newer.unset} | dict(newer.properties),
            unset=(*(k for k in told.unset if k not in newer.properties and k not in newer.unset), *newer.unset),
        )
    return told


def entries_named(pointers: Iterable[str]) -> dict[int, bool]:
    """The entries that an answer complains of by these pointers; True where the phone is the only complaint."""
    named: dict[int, bool] = {}
    for pointer in pointers:
        found = _POINTER.match(pointer)
        if found:
            number = int(found[1])
            named[number] = named.get(number, True) and pointer.rstrip("/").endswith(
                ("/phone_number", "/$phone_number")
            )
    return named
