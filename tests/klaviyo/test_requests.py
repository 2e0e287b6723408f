"""Neutral requests: how they are kept, and the bytes that they become."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrio_klaviyo.klaviyo.requests import (
    REVISION,
    EventRequest,
    Known,
    Profile,
    ProfileRequest,
    Rendered,
    Request,
    Style,
    dumps,
    kind_of,
    loads,
    money,
    number,
    render,
    written,
)

JOHN = Profile(
    email="john@example.com",
    first_name="John",
    last_name="Doe",
    phone="+15551234567",
    properties={"CLV": Decimal("150.00"), "ActiveSubscriber": True},
)
ORDERED = EventRequest(
    metric="Ordered Product",
    unique_id="1668_1",
    time=datetime(2025, 8, 15, 12, 30, 7, 999_000, tzinfo=timezone(timedelta(hours=2))),
    value=Decimal("29.99"),
    currency="USD",
    profile=JOHN,
    properties={
        "$event_id": "1668_1",
        "$value": Decimal("29.99"),
        "Quantity": 1,
        "ProductCategories": ["Supplements"],
        "Items": [{"ItemPrice": Decimal("29.9"), "SKU": "VIT-D3"}],
        "Note": "Ünïcode 🌱",
    },
)


def rendered(request: Request, style: Style | None = None, known: Known | None = None) -> Rendered:
    return render(request, style or Style(), known or Known())


def data(request: Request, style: Style | None = None, known: Known | None = None) -> Any:
    body = json.loads(rendered(request, style, known).body)
    assert body.keys() == {"data"}
    return body["data"]


@pytest.mark.requirement("003-19", "003-20", "003-23", "003-56")
def test_an_event_is_one_body_with_its_profile_in_it() -> None:
    assert data(ORDERED) == {
        "type": "event",
        "attributes": {
            "unique_id": "1668_1",
            "time": "2025-08-15T10:30:07+00:00",
            "value": 29.99,
            "value_currency": "USD",
            "properties": {
                "$event_id": "1668_1",
                "$value": "29.99",
                "Quantity": "1",
                "ProductCategories": ["Supplements"],
                "Items": [{"ItemPrice": "29.90", "SKU": "VIT-D3"}],
                "Note": "Ünïcode 🌱",
            },
            "metric": {"data": {"type": "metric", "attributes": {"name": "Ordered Product"}}},
            "profile": {
                "data": {
                    "type": "profile",
                    "attributes": {
                        "email": "john@example.com",
                        "first_name": "John",
                        "last_name": "Doe",
                        "phone_number": "+15551234567",
                        "properties": {"CLV": "150.00", "ActiveSubscriber": True, "$phone_number": "+15551234567"},
                    },
                }
            },
        },
    }


def test_a_profile_is_one_body() -> None:
    assert data(ProfileRequest(profile=Profile(email="john@example.com", last_name="Doe"))) == {
        "type": "profile",
        "attributes": {"email": "john@example.com", "last_name": "Doe", "properties": {}},
    }


@pytest.mark.requirement("003-56")
@pytest.mark.parametrize(
    ("request_", "path"), [(ORDERED, "/api/events"), (ProfileRequest(profile=JOHN), "/api/profile-import")]
)
def test_each_kind_has_its_endpoint(request_: Request, path: str) -> None:
    sent = rendered(request_, Style(revision="2026-04-15"))
    assert (sent.method, sent.path, sent.phone) == ("POST", path, "+15551234567")
    assert sent.headers == {
        "accept": "application/vnd.api+json",
        "content-type": "application/vnd.api+json",
        "revision": "2026-04-15",
    }
    assert rendered(request_).headers["revision"] == REVISION


def test_numbers_are_numbers_for_a_typed_connection() -> None:
    properties = data(ORDERED, Style(typed=True))["attributes"]["properties"]
    assert properties["$value"] == 29.99
    assert properties["Quantity"] == 1
    assert properties["$event_id"] == "1668_1"
    assert properties["Items"] == [{"ItemPrice": 29.9, "SKU": "VIT-D3"}]


def test_an_event_without_a_value_has_no_currency_either() -> None:
    attributes = data(replace(ORDERED, value=None))["attributes"]
    assert not {"value", "value_currency"} & attributes.keys()


def test_a_value_of_zero_is_a_value() -> None:
    assert data(replace(ORDERED, value=Decimal("0.00")))["attributes"]["value"] == 0


@pytest.mark.requirement("003-59")
@pytest.mark.parametrize("request_", [ORDERED, ProfileRequest(profile=JOHN)])
def test_a_refused_number_is_left_out_of_both_places_and_another_is_not(request_: Request) -> None:
    without = rendered(request_, known=Known(refused_phone="+15551234567"))
    assert without.phone is None
    assert b"phone_number" not in without.body
    assert rendered(request_, known=Known(refused_phone="+15550000101")) == rendered(request_)


def test_an_overtaken_request_says_only_who_it_is_about() -> None:
    attributes = data(ORDERED, known=Known(overtaken=True))["attributes"]
    assert attributes["profile"]["data"]["attributes"] == {
        "email": "john@example.com",
        "properties": {},
    }
    assert attributes["properties"] == data(ORDERED)["attributes"]["properties"]


def test_properties_to_remove_stand_where_klaviyo_looks_for_them() -> None:
    profile = replace(JOHN, unset=("NextChargeDate",))
    meta = {"patch_properties": {"unset": ["NextChargeDate"]}}
    event = data(replace(ORDERED, profile=profile))
    assert event["attributes"]["profile"]["data"]["attributes"]["meta"] == meta
    assert data(ProfileRequest(profile=profile))["meta"] == meta
    assert "meta" not in data(replace(ORDERED, profile=profile), known=Known(overtaken=True))["attributes"]["profile"]


@pytest.mark.requirement("003-33")
@pytest.mark.parametrize(
    ("amount", "text", "json_number"),
    [
        ("29.99", "29.99", 29.99),
        ("29.9", "29.90", 29.9),
        ("30", "30.00", 30),
        ("0", "0.00", 0),
        ("0.00", "0.00", 0),
        ("29.995", "29.995", 29.995),
        ("29.9900", "29.99", 29.99),
        ("1E+2", "100.00", 100),
        ("1234567.5", "1234567.50", 1234567.5),
        ("-5.5", "-5.50", -5.5),
        ("99999999999999999999", "99999999999999999999.00", 1e20),
    ],
)
def test_an_amount_is_written_with_two_decimals_or_more(amount: str, text: str, json_number: float) -> None:
    assert money(Decimal(amount)) == text
    assert number(Decimal(amount)) == json_number
    assert type(number(Decimal(amount))) is type(json_number)


@pytest.mark.parametrize("value", [1.5, b"x", datetime(2025, 8, 15, tzinfo=UTC), {"a": {1, 2}}])
def test_what_json_has_no_word_for_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        written(value, Style())


@pytest.mark.parametrize(
    ("request_", "kind"), [(ORDERED, "event"), (ProfileRequest(profile=replace(JOHN, unset=("CLV",))), "profile")]
)
def test_a_request_comes_back_as_it_was_kept(request_: Request, kind: str) -> None:
    assert kind_of(request_) == kind
    assert loads(dumps(request_)) == request_


values = st.recursive(
    st.text() | st.integers() | st.booleans() | st.decimals(allow_nan=False, allow_infinity=False, places=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=5), values, max_size=4))
def test_any_properties_are_kept_exactly(properties: dict[str, Any]) -> None:
    request = replace(ORDERED, properties=properties)
    assert loads(dumps(request)) == request
    assert rendered(loads(dumps(request))) == rendered(request)
