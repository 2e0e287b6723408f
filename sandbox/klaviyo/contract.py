"""
The three bodies that the sandbox reads, checked whole: every complaint at once, or a document to be relied on.
"""

from collections.abc import Iterator
from typing import Any

from sandbox.klaviyo.documents import Path, broken_limits
from sandbox.klaviyo.problems import Refused
from sandbox.klaviyo.schemas import IDENTIFIERS, PROFILE_UPSERT, bulk_job, identified, single_event
from sandbox.klaviyo.shapes import Check, Findings, Rules

BULK_PATH: Path = ("data", "attributes", "events-bulk-create", "data")
MAX_BULK_EVENTS = 1_000


def check_event(document: Any, revision: str, rules: Rules) -> None:
    """
    Raises: Refused 400 with every complaint about the body of Create Event.
    """
    _finish(document, _run(single_event(revision), document, rules))


def check_profile(document: Any, rules: Rules) -> None:
    """
    Raises: Refused 400 with every complaint about the body of Create or Update Profile.
    """
    findings = _run(PROFILE_UPSERT, document, rules)
    identified(document.get("data") if isinstance(document, dict) else None, ("data",), findings)
    _finish(document, findings)


def check_bulk(document: Any, revision: str, rules: Rules) -> None:
    """
    Raises: Refused 400 with every complaint about the body of Bulk Create Events; the job is all or nothing.
    """
    findings = _run(bulk_job(revision), document, rules)
    if not findings.problems:
        _bulk_as_a_whole(document, findings)
    _finish(document, findings)


def _run(check: Check, document: Any, rules: Rules) -> Findings:
    findings = Findings(rules)
    check(document, (), findings)
    return findings


def _finish(document: Any, findings: Findings) -> None:
    for path, complaint in broken_limits(document):
        findings.add(path, complaint)
    if findings.problems:
        raise Refused(400, findings.problems)


def _bulk_as_a_whole(document: Any, findings: Findings) -> None:
    """
    What only the whole job shows: too many events, and a `unique_id` repeated for one profile and metric.
    """
    events = list(bulk_events(document))
    if len(events) > MAX_BULK_EVENTS:
        findings.add(BULK_PATH, f"No more than {MAX_BULK_EVENTS} events are allowed in one request.")
    seen = set()
    for profile, event, path in events:
        unique_id = event["attributes"].get("unique_id")
        key = (_person(profile), event["attributes"]["metric"]["data"]["attributes"]["name"], unique_id)
        if unique_id is not None and key in seen:
            # Klaviyo: the schema says that a repeat fails the request, a page says that it is skipped; here it fails.
            findings.add((*path, "attributes", "unique_id"), "The unique_id is repeated for this profile and metric.")
        seen.add(key)


def bulk_events(document: Any) -> Iterator[tuple[Any, Any, Path]]:
    """
    Every event of a checked bulk job with its profile's `data` and its own path.
    """
    for number, entry in enumerate(document["data"]["attributes"]["events-bulk-create"]["data"]):
        attributes = entry["attributes"]
        for index, event in enumerate(attributes["events"]["data"]):
            path = (*BULK_PATH, number, "attributes", "events", "data", index)
            yield attributes["profile"]["data"], event, path


def _person(profile: Any) -> tuple[str, str]:
    """
    The strongest identifier of a profile, which is enough to see that two entries mean the same person.
    """
    if profile.get("id"):
        return "id", profile["id"]
    attributes = profile["attributes"]
    name = next(name for name in IDENTIFIERS if attributes.get(name))
    return name, attributes[name].lower() if name == "email" else attributes[name]
