"""Odd bodies, from the door through the intake: each comes to an end, and a bad field costs itself alone."""

import json
from typing import Any

import pytest

from tests.bodies import SALE, declined, sample
from tests.building import House
from tests.webhooks.posting import NO_OBJECT, Post, deep, kept
from vrio_klaviyo.store.inbound import InboundEvent, InboundStatus

FINAL = set(InboundStatus) - {InboundStatus.RECEIVED, InboundStatus.WAITING}


def with_fields(**changes: Any) -> dict[str, Any]:
    """A sale in which these fields have odd values; those of the customer begin with `customer__`."""
    body = sample(SALE)
    transaction = body["webhook_data"]["transaction"]
    for name, value in changes.items():
        place, _, field = name.rpartition("__")
        (transaction[place] if place else transaction)[field] = value
    return body


def everywhere(value: Any) -> dict[str, Any]:
    """A sale in which every single value is this one, but for what tells it what it is."""

    def put(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: put(inner) for name, inner in part.items()}
        return [put(inner) for inner in part] if isinstance(part, list) else value

    body = sample(SALE)
    return body | {"webhook_data": put(body["webhook_data"])}


AMOUNTS = ["1,234.56", "", None, -0, "-0", "0", 0, "0.00", "abc", "1E1000000", "NaN", "Infinity", "-5", [], {}, True]
DATES = ["0000-00-00 00:00:00", "---", "", None, "yesterday", "2025-02-30 10:00:00", "9999-12-31 23:59:59", 0, 1e300]
NAMES = [
    "Zoë",
    "山田太郎",
    "محمد",
    "Иван",
    "👩‍👩‍👧",
    "a\x00b",
    "\ud800",
    "",
    None,
    7,
    [],
    "x" * 5000,
    "\u202egnp.exe",
    "{{7*7}}",
]
EMAILS = [
    " john@acme.test ",
    "john doe@acme.test",
    "",
    None,
    "none",
    "JOHN@ACME.TEST",
    "a@b",
    7,
    [],
    "x" * 5000 + "@a.co",
]
PHONES = ["", None, "0000000000", "N/A", "+", "٠١٢٣٤٥٦٧٨٩", "1" * 5000, 15551234567, [], "\x00"]
EVERYTHING: list[Any] = [None, "", 0, "0", "\x00", "\ud800", [], {}, True, 1e300]
RAW = {
    "a huge exponent": b'"transaction_total": 1E1000000',
    "a negative zero": b'"transaction_total": -0',
    "five thousand digits": b'"transaction_total": ' + b"7" * 5000,
    "no number": b'"transaction_total": NaN',
    "no end": b'"transaction_total": -Infinity',
    "half a pair": b'"transaction_total": "\\ud800"',
    "a nul": b'"transaction_total": "\\u0000"',
    "a duplicate": b'"transaction_total": "1.00", "transaction_total": "2.00"',
}
ODD = {
    **{f"amount {value!r:.20}": with_fields(transaction_total=value, transaction_price=value) for value in AMOUNTS},
    **{f"date {value!r:.20}": with_fields(date_complete=value, date_modified=value) for value in DATES},
    **{f"event date {value!r:.20}": sample(SALE) | {"webhook_event_date": value} for value in DATES},
    **{f"name {value!a:.20}": with_fields(customer__first_name=value, customer__last_name=value) for value in NAMES},
    **{f"email {value!r:.20}": with_fields(customer__email=value) for value in EMAILS},
    **{f"phone {value!r:.20}": with_fields(customer__phone=value) for value in PHONES},
    **{f"everywhere {value!a:.20}": everywhere(value) for value in EVERYTHING},
    "no customer": with_fields(customer=None),
    "no order": with_fields(order=None),
    "no offers": with_fields(transaction_order_offers=None),
    "offers that are none": with_fields(transaction_order_offers=[None, 1, "x", [], {}]),
    "no data": sample(SALE) | {"webhook_data": None},
    "data that is a list": sample(SALE) | {"webhook_data": []},
    "no type": sample(SALE) | {"webhook_type": None},
    "another type": sample(SALE) | {"webhook_type": "invoice"},
    "another event": sample(SALE) | {"webhook_event": "transaction_exploded"},
    "an empty object": {},
}  # fmt: skip


def ends(house: House, post: Post, *bodies: Any) -> list[InboundEvent]:
    """Post these, run the intake, and see that each ended and said why."""
    for body in bodies:
        assert post(body).status_code in (202, 400)
    # A run ends after its slice of time, and rings.
    while ("intake", house.source.id) in house.bells:
        house.bells.clear()
        house.take_in()
    events = kept(house)
    assert len(events) == len(bodies)
    for event in events:
        assert event.status in FINAL - {InboundStatus.FAILED}, event.body[:200]
        assert event.finished_at == house.clock()
        assert event.status == InboundStatus.PROCESSED or event.reason
    for delivery in house.deliveries():
        assert delivery.status in ("queued", "skipped")
        assert delivery.status == "queued" or delivery.reason
    return events


def test_every_odd_body_comes_to_an_end(house: House, post: Post) -> None:
    house.connect()
    bodies = [body | {"webhook_event_id": f"odd {number}"} for number, body in enumerate(ODD.values())]

    ends(house, post, *bodies)


@pytest.mark.parametrize("oddity", RAW)
def test_an_odd_spelling_of_a_number_comes_to_an_end(house: House, post: Post, oddity: str) -> None:
    house.connect()
    body = json.dumps(declined(1)).encode()
    start = body.index(b'"transaction_total"')
    odd = body[:start] + RAW[oddity] + body[body.index(b",", start) :]
    (event,) = ends(house, post, odd)

    # One bad field never costs the event.
    assert event.status == "processed"
    assert house.delivery().status == "queued"


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"customer__email": ""}, "skipped", "no_email"),
        ({"customer__email": None}, "skipped", "no_email"),
        ({"customer__email": "john doe@acme.test"}, "skipped", "invalid_email"),
        ({"customer__email": "none"}, "skipped", "invalid_email"),
        ({"customer__email": " JOHN@acme.test "}, "queued", ""),
        ({"customer__phone": "N/A"}, "queued", ""),
        ({"customer__first_name": "\x00\ud800"}, "queued", ""),
        ({"transaction_total": "1,234.56"}, "queued", ""),
        ({"transaction_total": "0.00"}, "queued", ""),
        ({"transaction_total": "abc"}, "queued", ""),
        ({"date_complete": "0000-00-00 00:00:00"}, "queued", ""),
        ({"date_complete": "1066-10-14 09:00:00"}, "skipped", "invalid_time"),
    ],
)
def test_one_bad_field_costs_itself_and_not_the_event(
    house: House, post: Post, changes: dict[str, Any], status: str, reason: str
) -> None:
    house.connect()
    ends(house, post, with_fields(**changes))

    assert {(delivery.status, delivery.reason) for delivery in house.deliveries()} == {(status, reason)}
    assert len(house.deliveries()) == 3


def test_every_depth_of_nesting_comes_to_an_end(house: House, post: Post) -> None:
    ends(house, post, *[deep(levels) for levels in (1, 40, 200, 500, 900, 950, 990, 1000, 1100, 5000)])


@pytest.mark.parametrize(("body", "reason"), NO_OBJECT, ids=[f"{body[:12]!r}" for body, _ in NO_OBJECT])
def test_what_is_no_json_object_is_left_alone_by_the_intake(house: House, post: Post, body: bytes, reason: str) -> None:
    (event,) = ends(house, post, body)

    assert event.starts == 0
