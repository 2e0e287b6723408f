"""
A right body passes; a wrong one is refused at the right place.
"""

import json
from functools import reduce
from typing import Any

import pytest

MISSING = object()
INVALID_PAYLOAD = "The payload provided in the request is invalid."

EVENT_PROFILE = "/data/attributes/profile/data"
ENTRY = "/data/attributes/events-bulk-create/data/1"
BULK_EVENT = f"{ENTRY}/attributes/events/data/0"


def change(body: Any, pointer: str, value: Any) -> Any:
    """
    Put a value at a pointer of a body, or take out what is there.
    """
    *path, last = [int(step) if step.isdecimal() else step for step in pointer.split("/")[1:]]
    parent = reduce(lambda node, step: node[step], path, body)
    if value is MISSING:
        del parent[last]
    else:
        parent[last] = value
    return body


def complaints(response: Any) -> list[tuple[str, str]]:
    return [(error["source"]["pointer"], error["detail"]) for error in response.get_json()["errors"]]


def nested(levels: int) -> dict[str, Any]:
    return {"a": nested(levels - 1)} if levels > 1 else {}


@pytest.mark.parametrize("slash", ["", "/"])
def test_right_bodies_pass(klaviyo, event_body, profile_body, bulk_body, slash):
    assert klaviyo.post(f"/api/events{slash}", event_body).status_code == 202
    assert klaviyo.post(f"/api/event-bulk-create-jobs{slash}", bulk_body).status_code == 202
    assert klaviyo.post(f"/api/profile-import{slash}", profile_body).status_code == 200


# Where, the value there, and what is complained about; the complaint stands at the same place.
WRONG_EVENTS = [
    ("/data", MISSING, "'data' is a required field for the resource 'event'."),
    ("/data", [], INVALID_PAYLOAD),
    ("/data/type", MISSING, "'type' is a required field for the resource 'event'."),
    ("/data/type", "events", "The value must be 'event'."),
    ("/data/id", "1", "'id' is not a valid field for the resource 'event'."),
    ("/data/relationships", {}, "'relationships' is not a valid field for the resource 'event'."),
    ("/extra", 1, "'extra' is not a valid field for the resource 'event'."),
    ("/data/attributes", MISSING, "'attributes' is a required field for the resource 'event'."),
    ("/data/attributes", None, INVALID_PAYLOAD),
    ("/data/attributes/customer_properties", {}, None),
    ("/data/attributes/event", "Placed Order", None),
    ("/data/attributes/properties", MISSING, "'properties' is a required field for the resource 'event'."),
    ("/data/attributes/properties", None, INVALID_PAYLOAD),
    ("/data/attributes/properties", [], INVALID_PAYLOAD),
    ("/data/attributes/properties", {str(n): n for n in range(401)}, "The number of properties must not exceed 400."),
    ("/data/attributes/properties", nested(11), "Properties must not be nested deeper than 10 levels."),
    ("/data/attributes/properties/Text", "x" * 100_001, "Strings must be no larger than 100 KB."),
    ("/data/attributes/properties/Text", "\u00e9" * 50_001, "Strings must be no larger than 100 KB."),
    ("/data/attributes/properties/Items", [0] * 4001, "Arrays must have no more than 4000 items."),
    ("/data/attributes/properties/Number", 2**63, "Integers must fit in 64 bits."),
    ("/data/attributes/properties/Number", -(2**63) - 1, "Integers must fit in 64 bits."),
    ("/data/attributes/properties/Text", "a\0b", "Null characters are not allowed."),
    ("/data/attributes/properties/Text", "\ud800", "The text is not valid Unicode."),
    ("/data/attributes/value", "29.99", INVALID_PAYLOAD),
    ("/data/attributes/value", True, INVALID_PAYLOAD),
    ("/data/attributes/value_currency", "usd", None),
    ("/data/attributes/value_currency", "US", None),
    ("/data/attributes/value_currency", "USD\n", None),
    ("/data/attributes/backfill", "true", INVALID_PAYLOAD),
    ("/data/attributes/backfill", 1, INVALID_PAYLOAD),
    ("/data/attributes/unique_id", 1668, "unique_id must be a string."),
    ("/data/attributes/unique_id", "", None),
    ("/data/attributes/unique_id", "x" * 256, "Length of unique_id must be no more than 255 characters."),
    ("/data/attributes/time", 1_788_091_200, None),
    ("/data/attributes/time", "", None),
    ("/data/attributes/time", "2026-08-30", None),
    ("/data/attributes/time", "2026-08-30 11:03:11", None),
    ("/data/attributes/time", "08/30/2026T11:03:11", None),
    ("/data/attributes/time", "2026-02-30T11:03:11Z", None),
    ("/data/attributes/time", "2026-08-30T25:03:11Z", None),
    ("/data/attributes/time", "1989-12-31T23:59:59Z", None),
    ("/data/attributes/time", "2027-08-30T12:00:01Z", None),
    ("/data/attributes/time", "0001-01-01T00:00:00+14:00", None),
    ("/data/attributes/metric", MISSING, "'metric' is a required field for the resource 'event'."),
    ("/data/attributes/metric", "Placed Order", INVALID_PAYLOAD),
    ("/data/attributes/metric/data/type", "event", "The value must be 'metric'."),
    ("/data/attributes/metric/data/attributes/name", MISSING, None),
    ("/data/attributes/metric/data/attributes/name", None, "name must be a string."),
    ("/data/attributes/metric/data/attributes/name", "", None),
    ("/data/attributes/metric/data/attributes/name", "x" * 128, None),
    ("/data/attributes/metric/data/attributes/value", 1, "'value' is not a valid field for the resource 'metric'."),
    ("/data/attributes/profile", MISSING, "'profile' is a required field for the resource 'event'."),
    (f"{EVENT_PROFILE}/attributes", MISSING, "'attributes' is a required field for the resource 'profile'."),
    (f"{EVENT_PROFILE}/attributes", {}, "One or more identifiers is required"),
    (f"{EVENT_PROFILE}/attributes", {"first_name": "John"}, "One or more identifiers is required"),
    (f"{EVENT_PROFILE}/attributes", {"email": None}, "One or more identifiers is required"),
    (f"{EVENT_PROFILE}/meta", {}, "'meta' is not a valid field for the resource 'profile'."),
    (f"{EVENT_PROFILE}/attributes/$email", "a@b.co", "'$email' is not a valid field for the resource 'profile'."),
    (f"{EVENT_PROFILE}/attributes/city", "Oslo", "'city' is not a valid field for the resource 'profile'."),
    (f"{EVENT_PROFILE}/attributes/meta/patch_properties/unset", 1, None),
    (f"{EVENT_PROFILE}/attributes/meta/patch_properties/append", "skus", None),
    (f"{EVENT_PROFILE}/attributes/meta/patch_properties/remove", {}, None),
    (f"{EVENT_PROFILE}/attributes/location/postal_code", "1", None),
    (f"{EVENT_PROFILE}/attributes/location/zip", 10017, None),
    (f"{EVENT_PROFILE}/attributes/location/latitude", False, None),
    (f"{EVENT_PROFILE}/attributes/external_id", 9001, "external_id must be a string."),
    (f"{EVENT_PROFILE}/attributes/external_id", "x" * 256, None),
    (f"{EVENT_PROFILE}/attributes/first_name", ["John"], "first_name must be a string."),
    *[
        (f"{EVENT_PROFILE}/attributes/email", address, "Invalid email address")
        for address in (
            "",
            "john",
            "john@",
            "@example.com",
            "john@example",
            "john doe@example.com",
            " john@example.com",
            "john@example.com\n",
            "john@exa_mple.com",
            "john..doe@example.com",
            "john@example..com",
            "john@-example.com",
            "john,jane@example.com",
            "j\u00f6hn@example.com",
            "x" * 89 + "@example.com",
            7,
        )
    ],
]


@pytest.mark.parametrize(("pointer", "value", "detail"), WRONG_EVENTS)
def test_a_wrong_event_is_refused_where_it_is_wrong(klaviyo, event_body, pointer, value, detail):
    response = klaviyo.event(change(event_body, pointer, value))

    assert response.status_code == 400
    [(place, text)] = complaints(response)
    assert place == pointer
    assert detail in (None, text)
    assert klaviyo.held("profiles") == []


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/data/attributes/properties", {}),
        ("/data/attributes/properties", {str(n): n for n in range(400)}),
        ("/data/attributes/properties", nested(10)),
        ("/data/attributes/properties/Text", "x" * 100_000),
        ("/data/attributes/properties/Items", [0] * 4000),
        ("/data/attributes/properties/Number", 2**63 - 1),
        ("/data/attributes/value", None),
        ("/data/attributes/value", 0),
        ("/data/attributes/value", -5),
        ("/data/attributes/value_currency", None),
        ("/data/attributes/unique_id", "x" * 255),
        ("/data/attributes/unique_id", None),
        ("/data/attributes/time", None),
        ("/data/attributes/time", MISSING),
        ("/data/attributes/time", "1990-01-01T00:00:00Z"),
        ("/data/attributes/time", "2027-08-30T12:00:00Z"),
        ("/data/attributes/time", "2026-08-30T11:03:11.123456-04:00"),
        ("/data/attributes/time", "2026-08-30T11:03:11"),
        ("/data/attributes/metric/data/attributes/name", "x" * 127),
        ("/data/attributes/metric/data/attributes/service", "api"),
        (f"{EVENT_PROFILE}/attributes/email", "x" * 88 + "@example.com"),
        (f"{EVENT_PROFILE}/attributes/email", "John.O'Doe+vrio@Mail.Example.co"),
        (f"{EVENT_PROFILE}/attributes/location", None),
        (f"{EVENT_PROFILE}/attributes", {"external_id": "9001"}),
        (f"{EVENT_PROFILE}/attributes", {"phone_number": "+15551234567"}),
    ],
)
def test_what_is_just_allowed_passes(klaviyo, event_body, pointer, value):
    assert klaviyo.event(change(event_body, pointer, value)).status_code == 202


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"event"',
        b"\xef\xbb\xbf{}",
        b'{"data": "\xff"}',
        b"[" * 100_000 + b"]" * 100_000,
        b"[" * 400 + b"]" * 400,
        b'{"data":' * 60 + b"1" + b"}" * 60,
    ],
)
def test_what_is_no_readable_object_is_refused_whole(klaviyo, body):
    response = klaviyo.event(body)

    assert response.status_code == 400
    assert complaints(response)[0] == ("/data", INVALID_PAYLOAD)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "9" * 5000])
def test_a_number_that_json_or_a_float_cannot_hold_is_refused(klaviyo, event_body, number):
    body = json.dumps(event_body).replace("29.99", number, 1).encode()

    assert klaviyo.event(body).status_code == 400


def test_a_profile_inside_an_event_has_a_limit_of_its_own(klaviyo, event_body):
    change(event_body, f"{EVENT_PROFILE}/attributes/properties", {"Text": "x" * 95_000})

    assert complaints(klaviyo.event(event_body)) == [(EVENT_PROFILE, "The profile must be no larger than 95 KB.")]


def test_several_complaints_come_at_once_and_the_first_has_the_request_id(klaviyo, event_body):
    attributes = event_body["data"]["attributes"]
    attributes |= {"value": "29.99", "Extra/~": 1}
    attributes["profile"]["data"]["attributes"]["phone_number"] = "555-1234"
    response = klaviyo.event(event_body)

    assert {pointer for pointer, _ in complaints(response)} == {
        "/data/attributes/value",
        "/data/attributes/Extra~1~0",
        "/data/attributes/profile/data/attributes/phone_number",
    }
    errors = response.get_json()["errors"]
    assert errors[0]["id"] == response.headers["X-Klaviyo-Req-Id"]
    assert len({error["id"] for error in errors}) == 3
    assert set(errors[0]) == {"id", "status", "code", "title", "detail", "source", "links", "meta"}
    assert (errors[0]["status"], errors[0]["code"], errors[0]["title"]) == (400, "invalid", "Invalid input.")


@pytest.mark.parametrize(
    ("pointer", "value", "detail"),
    [
        ("/data/type", "event", "The value must be 'profile'."),
        ("/data/attributes", {}, "One or more identifiers is required"),
        ("/data/attributes/email", "john@", "Invalid email address"),
        ("/data/attributes/anonymous_id", "a", "'anonymous_id' is not a valid field for the resource 'profile'."),
        ("/data/attributes/meta", {}, "'meta' is not a valid field for the resource 'profile'."),
        ("/data/attributes/company", "Acme", "'company' is not a valid field for the resource 'profile'."),
        ("/data/attributes/properties", nested(11), "Properties must not be nested deeper than 10 levels."),
        ("/data/meta/patch_properties/unset/0", 1, None),
        ("/data/meta/patch_properties/append", [], None),
        ("/data/id", 7, "id must be a string."),
    ],
)
def test_a_wrong_profile_is_refused_where_it_is_wrong(klaviyo, profile_body, pointer, value, detail):
    response = klaviyo.profile(change(profile_body, pointer, value))

    assert response.status_code == 400
    [(place, text)] = complaints(response)
    assert place == pointer
    assert detail in (None, text)


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/data/type", "event-bulk-create"),
        ("/data/attributes/events-bulk-create/data", []),
        ("/data/attributes/events", []),
        ("/data/attributes/events-bulk-create/meta", {}),
        (f"{ENTRY}/type", "event"),
        (f"{ENTRY}/attributes/metric", {}),
        (f"{ENTRY}/attributes/backfill", "yes"),
        (f"{ENTRY}/attributes/profile/data/attributes/email", "jane@"),
        (f"{ENTRY}/attributes/profile/data/attributes/phone_number", "0207 123 4567"),
        (f"{ENTRY}/attributes/profile/data/attributes/meta", {}),
        (f"{ENTRY}/attributes/events/data", []),
        (f"{ENTRY}/attributes/events/data", {}),
        (f"{BULK_EVENT}/type", "event-bulk-create"),
        (f"{BULK_EVENT}/attributes/profile", {}),
        (f"{BULK_EVENT}/attributes/metric", MISSING),
        (f"{BULK_EVENT}/attributes/value", "10"),
    ],
)
def test_one_wrong_member_refuses_the_whole_bulk_job(klaviyo, bulk_body, pointer, value):
    response = klaviyo.bulk(change(bulk_body, pointer, value))

    assert response.status_code == 400
    [(place, _)] = complaints(response)
    assert place == pointer
    assert klaviyo.held("profiles") == klaviyo.held() == []


def test_a_bulk_job_takes_a_thousand_events_and_not_one_more(klaviyo, bulk_body):
    [entry, _] = bulk_body["data"]["attributes"]["events-bulk-create"]["data"]
    event = entry["attributes"]["events"]["data"][0]
    events = [{**event, "attributes": {**event["attributes"], "unique_id": str(number)}} for number in range(1001)]
    bulk_body["data"]["attributes"]["events-bulk-create"]["data"] = [entry]
    entry["attributes"]["events"]["data"] = events

    response = klaviyo.bulk(bulk_body)
    assert [place for place, _ in complaints(response)] == ["/data/attributes/events-bulk-create/data"]
    assert klaviyo.held() == []

    entry["attributes"]["events"]["data"] = events[:1000]
    assert klaviyo.bulk(bulk_body).status_code == 202
    assert len(klaviyo.held()) == 1000


def test_a_unique_id_may_not_be_repeated_across_two_entries_of_one_person(klaviyo, bulk_body):
    entries = bulk_body["data"]["attributes"]["events-bulk-create"]["data"]
    entries[1]["attributes"]["profile"]["data"]["attributes"] = {"email": "JOHN@example.com"}

    assert [place for place, _ in complaints(klaviyo.bulk(bulk_body))] == [
        f"{ENTRY}/attributes/events/data/{number}/attributes/unique_id" for number in (0, 1)
    ]


def test_the_sizes_of_bodies_are_limited(klaviyo, event_body, profile_body):
    event_body["data"]["attributes"]["properties"] = {str(n): "x" * 99_990 for n in range(51)}
    assert klaviyo.event(event_body).status_code == 413

    del event_body["data"]["attributes"]["properties"]["0"]
    del event_body["data"]["attributes"]["properties"]["1"]
    assert klaviyo.event(event_body).status_code == 202

    profile_body["data"]["attributes"]["properties"] = {"Text": "x" * 99_990}
    assert klaviyo.profile(profile_body).status_code == 413


def test_how_long_a_bulk_job_may_be_can_be_set(klaviyo, bulk_body):
    klaviyo.settings(bulk_bytes=len(json.dumps(bulk_body)) - 1)
    refused = klaviyo.bulk(bulk_body)
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (413, "payload_too_large")
    assert klaviyo.held() == []

    klaviyo.settings(bulk_bytes=5_000_000)
    assert klaviyo.bulk(bulk_body).status_code == 202


def test_members_follow_the_revision(klaviyo, event_body):
    profile = event_body["data"]["attributes"]["profile"]["data"]
    assert klaviyo.event(event_body, revision="2026-10-15").status_code == 400

    profile["meta"] = profile["attributes"].pop("meta")
    assert klaviyo.event(event_body, revision="2026-10-15").status_code == 202
    assert klaviyo.event(event_body, revision="2026-07-15").status_code == 400

    del profile["meta"]
    response = klaviyo.event(event_body, revision="2026-04-15")
    assert complaints(response) == [
        ("/data/attributes/backfill", "'backfill' is not a valid field for the resource 'event'.")
    ]
