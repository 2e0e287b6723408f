"""
Every body that we can make, before three judges that know nothing of us: the models of Klaviyo's own library, the
limits that Klaviyo documents, and the sandbox.
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_client.models.event_create_query_v2 import EventCreateQueryV2
from openapi_client.models.profile_upsert_query import ProfileUpsertQuery
from pydantic import ValidationError
from werkzeug.test import TestResponse

from sandbox.klaviyo import GOOD_KEY, Settings, create_app
from tests.building import DECLINED, SALE, House, StandingClock, emptied, sample, standing_database
from vrio_klaviyo.errors import Answer, PhoneRejected
from vrio_klaviyo.klaviyo.client import PARTIAL_FAILURE, failure_of
from vrio_klaviyo.klaviyo.requests import (
    REVISION,
    EventRequest,
    Known,
    Profile,
    ProfileRequest,
    Rendered,
    Request,
    Style,
    loads,
    render,
)
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.vrio import routes
from vrio_klaviyo.vrio.completing import SourceDefaults, with_defaults
from vrio_klaviyo.vrio.schemas import load

ROOT = Path(__file__).parents[2]
CASES = sorted((ROOT / "tests" / "fixtures" / "vrio").iterdir())
SAMPLES = sorted((ROOT / "sandbox" / "samples").glob("*.json"))

# All that the cases and the samples tell of lies before it.
SENT_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)

PLACEMENTS = ("both", "attribute", "property")
STYLES = [
    Style(typed=typed, phone_placement=place, additional=typed) for typed in (False, True) for place in PLACEMENTS
]

MODELS = {"/api/events": EventCreateQueryV2, "/api/profile-import": ProfileUpsertQuery}

KB, MB = 1_000, 1_000_000
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", re.ASCII)


# The judges.


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


@pytest.fixture
def klaviyo() -> Sandbox:
    return Sandbox()


def verdicts(sent: Rendered, klaviyo: Sandbox) -> dict[str, list[str]]:
    """What each judge that has a complaint says; empty when all three accept."""
    told = {
        "library": told_by_the_library(sent.path, sent.body),
        "pages": told_by_the_pages(sent.path, sent.body),
        "sandbox": klaviyo.complaints(sent),
    }
    return {judge: complaints for judge, complaints in told.items() if complaints}


# What we can make.


def renderings(request: Request) -> Iterator[tuple[str, Rendered]]:
    """Every way in which a request can be written, with the name of the way."""
    profile = request.profile
    pictures = [profile]
    if not profile.unset:
        left = {name: value for name, value in profile.properties.items() if name != "NextChargeDate"}
        pictures.append(replace(profile, properties=left, unset=("NextChargeDate",)))
    knowns = [Known(), Known(overtaken=True)]
    if profile.phone:
        knowns += [replace(known, refused_phone=profile.phone) for known in knowns]
    for style, known, picture in product(STYLES, knowns, pictures):
        ways = {"profile": render(ProfileRequest(profile=picture), style, known)}
        if isinstance(request, EventRequest):
            ways[request.metric] = render(replace(request, profile=picture), style, known)
        for what, sent in ways.items():
            yield f"{what}: {style} {known} unset={picture.unset}", sent


def refused(requests: Sequence[Request]) -> list[tuple[str, dict[str, list[str]]]]:
    """The renderings that a judge refuses; each body is looked at once."""
    # A number that is another person's already is a conflict and no fault of the body.
    sandboxes: defaultdict[str, Sandbox] = defaultdict(Sandbox)
    bodies = {sent.body: (name, request, sent) for request in requests for name, sent in renderings(request)}
    found = [(name, verdicts(sent, sandboxes[request.profile.email])) for name, request, sent in bodies.values()]
    return [(name, told) for name, told in found if told]


def requests_of(body: bytes) -> list[Request]:
    """What a webhook comes to by itself, with nothing remembered."""
    webhook = load(body)
    if webhook.record is None:
        return []
    record, _ = with_defaults(webhook.record, SourceDefaults(zone=UTC), webhook.event_at or SENT_AT)
    return routes.requests_for(webhook.event, record)


@pytest.fixture(scope="module", params=["sqlite"])
def standing(request: pytest.FixtureRequest) -> Iterator[Database]:
    yield from standing_database(request)


@pytest.fixture
def house(standing: Database) -> Iterator[House]:
    house = House(emptied(standing))
    house.clock = StandingClock(datetime(2025, 1, 1, tzinfo=UTC))
    house.change(house.connect(), test_orders=True)
    house.clock.now = SENT_AT
    yield house
    house.close()


def owed_after(house: House, *webhooks: bytes) -> list[Request]:
    """All that the intake owes Klaviyo after these webhooks, one after the other."""
    for webhook in webhooks:
        house.post(webhook)
        house.take_in()
    return [loads(one.request) for one in house.deliveries() if one.status == "queued"]


# The contract.


@pytest.mark.requirement("003-19", "003-20", "003-22", "003-33", "003-56", "003-57")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_klaviyo_takes_every_case_in_every_way_of_writing_it(case: Path, house: House) -> None:
    told = [*sorted(case.glob("before/*.json")), *sorted(case.glob("webhook*.json"), key=lambda file: len(file.name))]
    requests = owed_after(house, *(file.read_bytes() for file in told))

    assert len(requests) >= len(json.loads((case / "klaviyo.json").read_bytes()))
    assert refused(requests) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_klaviyo_takes_what_was_typed_from_the_published_page(case: Path, klaviyo: Sandbox) -> None:
    headers = render(ProfileRequest(profile=Profile(email="john@acme.test")), Style(), Known()).headers
    for golden in json.loads((case / "klaviyo.json").read_bytes()):
        body = json.dumps(golden["body"]).encode()
        sent = Rendered(method="POST", path=golden["path"], headers=headers, body=body, phone=None)
        assert verdicts(sent, klaviyo) == {}


@pytest.mark.requirement("003-19", "003-20", "003-22", "003-33", "003-56", "003-57")
@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_klaviyo_takes_every_sample_in_every_way_of_writing_it(file: Path, house: House) -> None:
    by_itself = [request for request in requests_of(file.read_bytes()) if request.profile.email]
    of_the_sale = owed_after(house, json.dumps(sample(SALE)).encode())
    after_a_sale = owed_after(house, file.read_bytes())[len(of_the_sale) :]

    assert refused([*by_itself, *after_a_sale]) == []


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


# The judges themselves: each mistake is seen by those who can see it.

JOHN = Profile(email="john@acme.test", first_name="John", phone="+12125550123", properties={"CLV": "150.00"})
ORDER = EventRequest(
    metric="Placed Order",
    unique_id="1668",
    time=datetime(2026, 8, 15, 12, 30, tzinfo=UTC),
    value=None,
    profile=replace(JOHN, unset=("NextChargeDate",)),
    properties={"OrderId": "1253"},
)


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


# No event is lost to a phone number.

signs = st.text(st.sampled_from("0123456789+-(). x#/٣３\u200e\x00\ud800"), max_size=24)
# These are numbers nearly always, so that what comes after a refusal is tried as well.
likely = st.from_regex(
    r"(\+1|\+44|\+49|00|1|0)? ?[2-9][0-9]{2}[ .-]?[2-9][0-9]{2}[ .-]?[0-9]{4}( x[0-9]{1,3})?", fullmatch=True
)
phones = st.text(max_size=40) | signs | likely
countries = st.sampled_from(["US", "CA", "GB", "DE", "BR", "JP", "---", "XX"])


@pytest.mark.requirement("003-59", "003-60")
def test_whatever_the_phone_is_the_event_arrives() -> None:
    refuses, ignores = (Sandbox(refused_phones=("+1",), phone_mode=mode) for mode in ("reject", "partial"))
    ways: dict[Sandbox, set[str]] = {refuses: set(), ignores: set()}
    sent = []

    @settings(max_examples=1_000, database=None)
    @given(phones, countries, st.sampled_from(STYLES))
    def arrives(phone: str, country: str, style: Style) -> None:
        webhook = sample(DECLINED)
        transaction = webhook["webhook_data"]["transaction"]
        transaction["id"] = str(len(sent) + 1)
        transaction["customer"]["phone"] = phone
        transaction["customer_address_billing"]["country"] = country
        (request,) = requests_of(json.dumps(webhook).encode())
        sent.append(request.unique_id)
        for klaviyo, seen in ways.items():
            seen.add(way_of(klaviyo, request, style))

    arrives()

    assert len(sent) >= 1_000
    assert [klaviyo.event_ids() for klaviyo in ways] == [sent, sent]
    assert ways[refuses] == {"taken", "without", "refused"}
    assert ways[ignores] == {"taken", "without", "ignored"}


def way_of(klaviyo: Sandbox, request: Request, style: Style) -> str:
    """How an event got there: by one call, or by a second one without the phone where the first is refused for it."""
    first = render(request, style, Known())
    answer = klaviyo.answer(first)
    if answer.status_code == 202:
        return "without" if first.phone is None else "ignored" if PARTIAL_FAILURE in answer.headers else "taken"
    failure = failure_of(Answer(answer.status_code, {}, answer.data), has_phone=first.phone is not None)
    assert isinstance(failure, PhoneRejected)
    second = render(request, style, Known(refused_phone=first.phone))
    assert second.phone is None
    assert klaviyo.answer(second).status_code == 202
    return "refused"
