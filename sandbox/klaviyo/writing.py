"""
The three writing endpoints: what an accepted body does to an account, and what is answered.
"""

from typing import Any

from flask import Response

from sandbox.klaviyo.contract import bulk_events, check_bulk, check_event, check_profile
from sandbox.klaviyo.documents import KB, MB, read_document
from sandbox.klaviyo.problems import empty_answer, json_answer, refused
from sandbox.klaviyo.profiles import DuplicateProfile, UnknownProfile
from sandbox.klaviyo.reading import profile_resource
from sandbox.klaviyo.shapes import Rules
from sandbox.klaviyo.state import AccountStore, Sandbox

MAX_PROFILE_BYTES = 100 * KB


def create_event(sandbox: Sandbox, store: AccountStore, body: bytes, revision: str, rules: Rules) -> Response:
    """
    202 and nothing more; whether the event was new, a repeat or for a test domain does not show.
    """
    document = read_document(body)
    check_event(document, revision, rules)
    attributes = document["data"]["attributes"]
    profile, patch, ignored = _split(attributes.pop("profile")["data"], rules)
    with sandbox.lock:
        _hold(sandbox, store, profile, patch, attributes, "single")
    return _noting(ignored, empty_answer(202))


def bulk_create_events(sandbox: Sandbox, store: AccountStore, body: bytes, revision: str, rules: Rules) -> Response:
    """
    202 for the whole job; there is no id and no status to ask for.
    """
    if len(body) > sandbox.settings.bulk_bytes:
        limit = f"{sandbox.settings.bulk_bytes / MB:g}MB"
        raise refused(413, "payload_too_large", f"The maximum allowed payload size is {limit}.", "/data/")
    document = read_document(body)
    check_bulk(document, revision, rules)
    ignored = False
    with sandbox.lock:
        for data, event, path in bulk_events(document):
            profile, patch, dropped = _split(data, rules)
            first_of_entry = path[-1] == 0
            _hold(sandbox, store, profile, patch if first_of_entry else {}, event["attributes"], "bulk")
            ignored = ignored or dropped
    return _noting(ignored, empty_answer(202))


def import_profile(sandbox: Sandbox, store: AccountStore, body: bytes, base: str, rules: Rules) -> Response:
    """
    201 with a new profile, 200 with an updated one.
    """
    if len(body) > MAX_PROFILE_BYTES:
        raise refused(413, "payload_too_large", "The maximum allowed payload size is 100KB.", "/data")
    document = read_document(body)
    check_profile(document, rules)
    data, patch, ignored = _split(document["data"], rules)
    with sandbox.lock:
        try:
            profile, created = store.profiles.upsert(data, patch, sandbox.now(), strict=True)
        except DuplicateProfile as clash:
            detail = "A profile already exists with one of these identifiers."
            meta = {"duplicate_profile_id": clash.owner_id}
            raise refused(409, "duplicate_profile", detail, "/data/attributes", meta=meta) from clash
        except UnknownProfile as lost:
            raise refused(404, "not_found", f"A profile with id {data['id']} does not exist.", "/data/") from lost
        resource = profile_resource(profile, base)
    return _noting(ignored, json_answer(201 if created else 200, {"data": resource, "links": resource["links"]}))


def _hold(
    sandbox: Sandbox,
    store: AccountStore,
    profile: dict[str, Any],
    patch: dict[str, Any],
    attributes: dict[str, Any],
    via: str,
) -> None:
    if sandbox.drops(profile):
        store.dropped += 1
    else:
        store.add_event(profile, patch, attributes, sandbox.now(), via)


def _split(data: dict[str, Any], rules: Rules) -> tuple[dict[str, Any], dict[str, Any], bool]:
    """
    A profile without its `meta`, the patch that stood in it, and whether a phone number was left out.
    """
    attributes = dict(data["attributes"])
    meta = attributes.pop("meta", None) or data.get("meta") or {}
    ignored = rules.ignores(attributes.get("phone_number"))
    if ignored:
        del attributes["phone_number"]
    return {"id": data.get("id"), "attributes": attributes}, meta.get("patch_properties") or {}, ignored


def _noting(ignored: bool, response: Response) -> Response:
    if ignored:
        response.headers["X-Klaviyo-Partial-Failure"] = "phone_number"
    return response
