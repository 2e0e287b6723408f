"""
What each endpoint's body must look like, member by member.

Source: Klaviyo's OpenAPI description, revision 2026-07-15: EventCreateQueryV2, ProfileUpsertQuery, EventsBulkCreateJob;
        the limits stand on the overview pages of the events and profiles APIs.
"""

import json
from functools import cache
from typing import Any

from sandbox.klaviyo.documents import KB, Path
from sandbox.klaviyo.shapes import (
    INVALID_PHONE,
    Check,
    Findings,
    currency,
    either,
    email,
    exactly,
    free_object,
    list_of,
    moment,
    nullable,
    phone,
    resource,
    text,
)

MAX_EVENT_PROPERTIES = 400
MAX_EVENT_PROFILE_BYTES = 95 * KB
IDENTIFIERS = ("email", "phone_number", "external_id", "anonymous_id", "_kx")

# Klaviyo: `backfill` came with this revision; from the one after it the patch operations of Create Event stand beside
# the profile's attributes instead of among them.
BACKFILL_SINCE, META_OUTSIDE_SINCE = "2026-07-15", "2026-10-15"


def _unset(value: Any, path: Path, findings: Findings) -> None:
    """
    One name or a list of names.
    """
    name = text("unset")
    (list_of(name) if isinstance(value, list) else name)(value, path, findings)


_LOCATION = resource(
    "location",
    required={},
    optional={
        **{
            name: nullable(text(name))
            for name in ("address1", "address2", "city", "country", "region", "zip", "timezone", "ip")
        },
        "latitude": nullable(either(str, int, float)),
        "longitude": nullable(either(str, int, float)),
    },
)

_META = resource(
    "profile-meta",
    required={},
    optional={
        "patch_properties": nullable(
            resource(
                "profile-meta-patch-properties",
                required={},
                optional={
                    "append": nullable(free_object()),
                    "unappend": nullable(free_object()),
                    "unset": nullable(_unset),
                },
            )
        ),
        "patch_identifiers": nullable(
            resource("patch-identifiers", required={}, optional={"append": free_object(), "unappend": free_object()})
        ),
    },
)

_PROFILE_ATTRIBUTES: dict[str, Check] = {
    "email": nullable(email),
    "phone_number": nullable(phone),
    "external_id": nullable(text("external_id", at_least=1, at_most=255)),
    "_kx": nullable(text("_kx")),
    **{name: nullable(text(name)) for name in ("first_name", "last_name", "organization", "locale", "title", "image")},
    "location": nullable(_LOCATION),
    "properties": nullable(free_object()),
}

_METRIC = resource(
    "metric",
    required={
        "data": resource(
            "metric",
            required={
                "type": exactly("metric"),
                "attributes": resource(
                    "metric",
                    required={"name": text("name", at_least=1, at_most=127)},
                    optional={"service": nullable(text("service"))},
                ),
            },
        )
    },
)


def _event_attributes(revision: str) -> tuple[dict[str, Check], dict[str, Check]]:
    """
    The required and the optional attributes that single and bulk events share.
    """
    optional = {
        "time": nullable(moment),
        "value": nullable(either(int, float)),
        "value_currency": nullable(currency),
        "unique_id": nullable(text("unique_id", at_least=1, at_most=255)),
    }
    return {"properties": free_object(MAX_EVENT_PROPERTIES), "metric": _METRIC}, optional | _backfill(revision)


def _backfill(revision: str) -> dict[str, Check]:
    return {"backfill": nullable(either(bool))} if revision >= BACKFILL_SINCE else {}


def _event_profile(meta_outside: bool) -> Check:
    """
    The profile inside an event: what names the person, and where the patch operations stand.
    """
    meta = {"meta": nullable(_META)}
    attributes = _PROFILE_ATTRIBUTES | {"anonymous_id": nullable(text("anonymous_id"))} | ({} if meta_outside else meta)
    data = resource(
        "profile",
        required={"type": exactly("profile"), "attributes": resource("profile", {}, attributes)},
        optional={"id": nullable(text("id", at_least=1))} | (meta if meta_outside else {}),
    )

    def check(value: Any, path: Path, findings: Findings) -> None:
        data(value, path, findings)
        identified(value, path, findings)
        compact = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        if len(compact.encode("utf-8", "replace")) > MAX_EVENT_PROFILE_BYTES:
            findings.add(path, "The profile must be no larger than 95 KB.")

    return resource("profile", required={"data": check})


def identified(profile: Any, path: Path, findings: Findings) -> None:
    """
    At least one identifier; a phone number that is going to be ignored does not count.
    """
    attributes = profile.get("attributes") if isinstance(profile, dict) else None
    if not isinstance(attributes, dict):
        return
    known = {name for name in IDENTIFIERS if attributes.get(name)}
    if not known and not profile.get("id"):
        findings.add((*path, "attributes"), "One or more identifiers is required")
    if known == {"phone_number"} and not profile.get("id") and findings.rules.ignores(attributes["phone_number"]):
        findings.add((*path, "attributes", "phone_number"), INVALID_PHONE)


@cache
def single_event(revision: str) -> Check:
    """
    The body of Create Event.
    """
    required, optional = _event_attributes(revision)
    required["profile"] = _event_profile(meta_outside=revision >= META_OUTSIDE_SINCE)
    data = {"type": exactly("event"), "attributes": resource("event", required, optional)}
    return resource("event", required={"data": resource("event", required=data)})


@cache
def bulk_job(revision: str) -> Check:
    """
    The body of Bulk Create Events.
    """
    event = resource("event", {"type": exactly("event"), "attributes": resource("event", *_event_attributes(revision))})
    entry = resource(
        "event-bulk-create",
        required={
            "type": exactly("event-bulk-create"),
            "attributes": resource(
                "event-bulk-create",
                required={
                    # Klaviyo: in a bulk job the patch operations stand beside the attributes in every revision.
                    "profile": _event_profile(meta_outside=True),
                    "events": resource("event-bulk-create", required={"data": list_of(event, at_least=1)}),
                },
                optional=_backfill(revision),
            ),
        },
    )
    job = "event-bulk-create-job"
    entries = resource(job, required={"data": list_of(entry, at_least=1)})
    data = {"type": exactly(job), "attributes": resource(job, required={"events-bulk-create": entries})}
    return resource(job, required={"data": resource(job, required=data)})


PROFILE_UPSERT = resource(
    "profile",
    required={
        "data": resource(
            "profile",
            required={"type": exactly("profile"), "attributes": resource("profile", {}, _PROFILE_ATTRIBUTES)},
            optional={"id": nullable(text("id", at_least=1)), "meta": nullable(_META)},
        )
    },
)
