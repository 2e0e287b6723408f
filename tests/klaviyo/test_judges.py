"""The judges know our revision, and each mistake in a body is seen by those who can see it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.klaviyo.judges import SENT_AT, Sandbox, told_by_the_pages, verdicts, written
from vrio_klaviyo.klaviyo.requests import REVISION, EventRequest, Known, Profile, ProfileRequest, Style, render

JOHN = Profile(email="john@acme.test", first_name="John", phone="+12125550123", properties={"CLV": "150.00"})
ORDER = EventRequest(
    metric="Placed Order",
    unique_id="1668",
    time=datetime(2026, 8, 15, 12, 30, tzinfo=UTC),
    value=None,
    profile=replace(JOHN, unset=("NextChargeDate",)),
    properties={"OrderId": "1253"},
)


@pytest.fixture
def klaviyo() -> Sandbox:
    return Sandbox()


def test_the_library_speaks_our_revision_and_sends_to_our_endpoints() -> None:
    # Here and not above: these are hundreds of modules, and only this test wants them.
    from klaviyo_api.wrapper import KlaviyoAPI
    from openapi_client.api.events_api import EventsApi
    from openapi_client.api.profiles_api import ProfilesApi
    from openapi_client.api_client import ApiClient

    about = Profile(email="john@acme.test")
    event = EventRequest(metric="Placed Order", unique_id="1668", time=SENT_AT, profile=about, properties={})
    shared: dict[str, Any] = {"_request_auth": None, "_content_type": None, "_headers": None, "_host_index": 0}
    client = ApiClient()
    theirs = {
        "event": EventsApi(client)._create_event_serialize(event_create_query_v2=None, **shared),
        "profile": ProfilesApi(client)._create_or_update_profile_serialize(
            additional_fields_profile=None, fields_profile=None, profile_upsert_query=None, **shared
        ),
    }
    assert KlaviyoAPI._REVISION == REVISION
    for name, ours in {"event": event, "profile": ProfileRequest(profile=about)}.items():
        method, url, headers, *_ = theirs[name]
        sent = render(ours, Style(), Known())
        assert (sent.method, f"https://a.klaviyo.com{sent.path}") == (method, url)
        assert sent.headers["accept"] in headers["Accept"]


def event_body() -> Any:
    body = json.loads(render(ORDER, Style(), Known()).body)
    body["data"]["attributes"] |= {"value": 29.99, "value_currency": "USD"}
    return body


def put(path: str, value: Any) -> Callable[[Any], None]:
    """A mistake: this value at this place of an event's attributes."""

    def make(body: Any) -> None:
        *steps, last = path.split("/")
        place = body["data"]["attributes"]
        for step in steps:
            place = place[step]
        place[last] = value

    make.__name__ = f"{path}={str(value)[:20]}".replace("\0", "NUL")
    return make


def nested(levels: int) -> Any:
    tree: Any = "x"
    for _ in range(levels):
        tree = {"in": tree}
    return tree


WHO = "profile/data/attributes"
LIBRARY, PAGES, SANDBOX = "library", "pages", "sandbox"


@pytest.mark.parametrize(
    ("mistake", "judges"),
    [
        (put("surprise", 1), {LIBRARY, SANDBOX}),
        (put("metric/data/attributes/surprise", 1), {LIBRARY, SANDBOX}),
        (put(f"{WHO}/surprise", 1), {LIBRARY, SANDBOX}),
        (put(f"{WHO}/meta/surprise", 1), {LIBRARY, SANDBOX}),
        (put(f"{WHO}/meta/patch_properties/surprise", 1), {LIBRARY, SANDBOX}),
        (put("profile/data/meta", {"patch_properties": {"unset": ["CLV"]}}), {LIBRARY, SANDBOX}),
        (put(f"{WHO}/subscriptions", {}), {LIBRARY, PAGES, SANDBOX}),
        (put("profile/data/type", "person"), {LIBRARY, SANDBOX}),
        (put("value", "29.99"), {LIBRARY, PAGES, SANDBOX}),
        (put("value", True), {LIBRARY, PAGES, SANDBOX}),
        (put("value", 2**63), {PAGES, SANDBOX}),
        (put("value_currency", 840), {LIBRARY, PAGES, SANDBOX}),
        (put("value_currency", "usd"), {PAGES, SANDBOX}),
        (put("value_currency", "US$"), {PAGES, SANDBOX}),
        (put("value_currency", None), {PAGES}),
        (put("unique_id", 1668), {LIBRARY, PAGES, SANDBOX}),
        (put("unique_id", ""), {PAGES, SANDBOX}),
        (put("unique_id", "1" * 256), {PAGES, SANDBOX}),
        (put("metric/data/attributes/name", ""), {PAGES, SANDBOX}),
        (put("metric/data/attributes/name", "x" * 128), {PAGES, SANDBOX}),
        (put("time", "yesterday"), {LIBRARY, PAGES, SANDBOX}),
        (put("time", "2026-08-15T12:30:00"), {PAGES}),
        (put("time", "1989-12-31T23:59:59+00:00"), {PAGES, SANDBOX}),
        (put("time", "2027-11-21T12:00:01+00:00"), {PAGES, SANDBOX}),
        (put("properties", []), {LIBRARY, SANDBOX}),
        (put("properties", {f"p{n}": "1" for n in range(401)}), {PAGES, SANDBOX}),
        (put("properties/Text", "x" * 100_001), {PAGES, SANDBOX}),
        (put("properties/Text", "\0"), {PAGES, SANDBOX}),
        (put("properties/Deep", nested(10)), {PAGES, SANDBOX}),
        (put("properties/Items", ["x"] * 4_001), {PAGES, SANDBOX}),
        (put("properties/Nothing", None), {PAGES}),
        (put(f"{WHO}/email", ""), {PAGES, SANDBOX}),
        (put(f"{WHO}/email", "john@acme"), {PAGES, SANDBOX}),
        (put(f"{WHO}/email", f"{'j' * 60}@{'a' * 40}.test"), {PAGES, SANDBOX}),
        (put(f"{WHO}/email", 1), {LIBRARY, PAGES, SANDBOX}),
        (put(f"{WHO}/first_name", None), {PAGES}),
        (put(f"{WHO}/phone_number", "(212) 555-0123"), {PAGES, SANDBOX}),
        (put(f"{WHO}/phone_number", "+123456"), {PAGES, SANDBOX}),
        (put(f"{WHO}/phone_number", "+1234567890123456"), {PAGES, SANDBOX}),
        (put(f"{WHO}/properties/$phone_number", "212 555 0123"), {PAGES}),
        (put(f"{WHO}/properties", {f"p{n}": "x" * 1_000 for n in range(95)}), {PAGES, SANDBOX}),
        (put(f"{WHO}/meta/patch_properties/unset", [1]), {PAGES, SANDBOX}),
        (put(f"{WHO}/meta/patch_properties/unset", ["CLV"]), {PAGES}),
    ],
)  # fmt: skip
def test_a_mistake_is_seen(mistake: Callable[[Any], None], judges: set[str], klaviyo: Sandbox) -> None:
    body = event_body()
    right = replace(render(ORDER, Style(), Known()), body=written(body))
    assert verdicts(right, klaviyo) == {}

    mistake(body)
    assert verdicts(replace(right, body=written(body)), klaviyo).keys() == judges


@pytest.mark.parametrize(
    ("mistake", "judges"),
    [
        (put("surprise", 1), {LIBRARY, SANDBOX}),
        (put("meta", {"patch_properties": {"unset": ["Old"]}}), {LIBRARY, SANDBOX}),
        (put("anonymous_id", "1"), {LIBRARY, SANDBOX}),
        (put("email", None), {PAGES, SANDBOX}),
        (put("phone_number", "+1 212 555 0123"), {PAGES, SANDBOX}),
        (put("properties", {f"p{n}": "x" * 1_000 for n in range(100)}), {PAGES, SANDBOX}),
    ],
)
def test_a_mistake_in_a_profile_is_seen(mistake: Callable[[Any], None], judges: set[str], klaviyo: Sandbox) -> None:
    right = render(ProfileRequest(profile=replace(JOHN, phone=None)), Style(), Known())
    body = json.loads(right.body)
    assert verdicts(right, klaviyo) == {}

    mistake(body)
    assert verdicts(replace(right, body=written(body)), klaviyo).keys() == judges


def test_a_body_that_is_too_large_is_seen(klaviyo: Sandbox) -> None:
    body = event_body()
    body["data"]["attributes"]["properties"] = {str(n): "x" * 99_000 for n in range(51)}
    sent = replace(render(ORDER, Style(), Known()), body=written(body))

    assert told_by_the_pages(sent.path, sent.body) == ["5 MB"]
    assert klaviyo.answer(sent).status_code == 413
