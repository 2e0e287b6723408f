"""
Three judges of a body, who know nothing of us: the models of Klaviyo's own library, the limits that Klaviyo documents,
and the sandbox.
"""

import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from flask.testing import FlaskClient
from openapi_client.models.event_create_query_v2 import EventCreateQueryV2
from openapi_client.models.profile_upsert_query import ProfileUpsertQuery
from pydantic import ValidationError
from werkzeug.test import TestResponse

from sandbox.klaviyo import GOOD_KEY, Settings, create_app
from vrio_klaviyo.klaviyo.requests import Rendered

# All that the cases and the samples tell of lies before it.
SENT_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)

MODELS = {"/api/events": EventCreateQueryV2, "/api/profile-import": ProfileUpsertQuery}

KB, MB = 1_000, 1_000_000
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", re.ASCII)


def told_by_the_library(path: str, body: bytes) -> list[str]:
    """What the models of Klaviyo's library complain about; members that they do not know count."""
    try:
        # By alias only: the models would also take their own names for members, which Klaviyo does not.
        MODELS[path].model_validate_json(body, strict=True, extra="forbid", by_alias=True, by_name=False)
    except ValidationError as error:
        return [".".join(map(str, found["loc"])) for found in error.errors()]
    return []


def told_by_the_pages(path: str, body: bytes) -> list[str]:
    """
    Which of the documented limits a body breaks, by name; beside them what only looks right to a machine.

    Source: Klaviyo's overview pages of the events and profiles APIs, and the descriptions in its OpenAPI document.
    """
    data = json.loads(body)["data"]
    broken = dict(_of_any(data))
    if path == "/api/events":
        event = data["attributes"]
        broken |= dict(_of_an_event(event)) | dict(_of_a_profile(event["profile"]["data"]))
        broken["5 MB"] = len(body) > 5 * MB
        broken["95 KB for the profile"] = len(written(event["profile"]["data"])) > 95 * KB
    else:
        broken |= _of_a_profile(data)
        broken["100 KB for a profile"] = len(body) > 100 * KB
    return sorted(name for name, is_broken in broken.items() if is_broken)


def _of_any(data: Any) -> Iterator[tuple[str, bool]]:
    values = list(nodes(data))
    texts = [value for value in values if isinstance(value, str)]
    yield "100 KB for a string", any(len(text.encode(errors="replace")) > 100 * KB for text in texts)
    yield "readable text", any(re.search(r"[\0\ud800-\udfff]", text) for text in texts)
    yield "4,000 items", any(isinstance(value, list) and len(value) > 4_000 for value in values)
    whole = [value for value in values if isinstance(value, int)]
    yield "64 bit", any(not -(2**63) <= value < 2**63 for value in whole)
    yield "JSON's numbers", any(isinstance(value, float) and not math.isfinite(value) for value in values)
    # Klaviyo: null clears an attribute.
    yield "null", None in values
    yield "consent", any(isinstance(value, dict) and {"subscriptions", "consent"} & value.keys() for value in values)


def _of_an_event(event: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    yield "400 properties", len(event["properties"]) > 400
    yield "10 levels", depth(event["properties"]) > 10
    yield "unique_id", not is_text(event.get("unique_id"), 255)
    yield "metric name", not is_text(event["metric"]["data"]["attributes"]["name"], 127)
    yield "time", not is_time(event["time"])
    yield "value", type(event.get("value", 0)) not in (int, float)
    currency = event.get("value_currency")
    yield "value_currency", ("value" in event) != bool(is_text(currency, 3) and re.fullmatch("[A-Z]{3}", currency))


def _of_a_profile(profile: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    attributes = profile["attributes"]
    email, phones = (
        attributes.get("email"),
        [attributes.get("phone_number"), attributes["properties"].get("$phone_number")],
    )
    yield "e-mail", not is_text(email, 100) or not re.fullmatch(r"[^@\s]+@[^@\s]+\.[a-z]{2,}", email)
    yield "E.164", any(phone is not None and not E164.fullmatch(phone) for phone in phones)
    yield "10 levels in the profile", depth(attributes["properties"]) > 10
    meta = attributes.get("meta", profile.get("meta", {}))
    unset = meta.get("patch_properties", {}).get("unset", ["one"])
    yield (
        "unset",
        not unset or not all(isinstance(name, str) and name not in attributes["properties"] for name in unset),
    )


def nodes(tree: Any) -> Iterator[Any]:
    """Every value in a JSON tree, and every name."""
    yield tree
    parts = [*tree.keys(), *tree.values()] if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    for part in parts:
        yield from nodes(part)


def depth(tree: Any) -> int:
    """How many levels of objects and arrays lie in one another."""
    if not isinstance(tree, dict | list):
        return 0
    return 1 + max(map(depth, tree.values() if isinstance(tree, dict) else tree), default=0)


def is_text(value: Any, at_most: int) -> bool:
    """Whether this is text, with something in it and not too long."""
    return isinstance(value, str) and 1 <= len(value) <= at_most


def is_time(text: str) -> bool:
    """Whether this is a moment with an offset that Klaviyo takes."""
    if not TIME.fullmatch(text):
        return False
    return datetime(1990, 1, 1, tzinfo=UTC) <= datetime.fromisoformat(text) <= SENT_AT + timedelta(days=365)


def written(document: Any) -> bytes:
    """JSON as short as it gets, whatever is in it."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode(errors="surrogatepass")


class Sandbox:
    """The sandbox, over its test client and without a network; time stands still in it."""

    def __init__(self, **chosen: Any) -> None:
        app = create_app(Settings(**{"rate_limits": False, "refused_phones": ()} | chosen), SENT_AT.timestamp)
        self.http: FlaskClient = app.test_client()

    def answer(self, sent: Rendered) -> TestResponse:
        """What the sandbox says to exactly these bytes."""
        headers = {**sent.headers, "authorization": f"Klaviyo-API-Key {GOOD_KEY}"}
        return self.http.open(sent.path, method=sent.method, data=sent.body, headers=headers)

    def complaints(self, sent: Rendered) -> list[str]:
        """Where the sandbox finds something wrong."""
        answer = self.answer(sent)
        if answer.status_code in (200, 201, 202):
            return []
        return [error["source"]["pointer"] for error in answer.get_json()["errors"]]

    def event_ids(self) -> list[str]:
        """The ids of the events that it holds."""
        return [event["unique_id"] for event in self.http.get("/sandbox/events?limit=10000").get_json()]


def verdicts(sent: Rendered, klaviyo: Sandbox) -> dict[str, list[str]]:
    """What each judge that has a complaint says; empty when all three accept."""
    told = {
        "library": told_by_the_library(sent.path, sent.body),
        "pages": told_by_the_pages(sent.path, sent.body),
        "sandbox": klaviyo.complaints(sent),
    }
    return {judge: complaints for judge, complaints in told.items() if complaints}
