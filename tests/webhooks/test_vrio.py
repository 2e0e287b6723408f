"""POST /webhooks/vrio/<key>: what is answered, and that what was answered with 202 is kept, byte for byte."""

import io
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from sandbox.redis_server import PrivateRedis
from tests.building import DECLINED, SALE, House, declined, emptied, sample, standing_database
from vrio_klaviyo.store import inbound
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.inbound import InboundEvent, InboundStatus
from vrio_klaviyo.store.sources import webhook_path
from webhooks.vrio import LARGEST_BODY, Receiver, blueprint
from workers.bells import Bells

# Nothing of it is taken out before it is kept.
PLAIN = sample(SALE)
del PLAIN["webhook_data"]["transaction"]["customer_card"]

FINAL = set(InboundStatus) - {InboundStatus.RECEIVED, InboundStatus.WAITING}


class Post:
    """Vrio, posting to one source."""

    def __init__(self, house: House, ring: Any = None) -> None:
        app = Flask("tests", root_path=".")
        app.register_blueprint(blueprint(Receiver(house.db, ring or house.ring, house.clock)))
        self.http: FlaskClient = app.test_client()
        self.path = webhook_path(house.source, house.vault)

    def __call__(self, body: Any, path: str = "", **how: Any) -> TestResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(path or self.path, **{"data": raw, "content_type": "application/json"} | how)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def standing(request: pytest.FixtureRequest) -> Iterator[Database]:
    yield from standing_database(request)


@pytest.fixture
def database(standing: Database) -> Database:
    return emptied(standing)


@pytest.fixture
def house(database: Database) -> Iterator[House]:
    house = House(database)
    yield house
    house.close()


@pytest.fixture
def post(house: House) -> Post:
    return Post(house)


def kept(house: House) -> list[InboundEvent]:
    """Everything that is kept, oldest first."""
    with house.db.read() as session:
        return inbound.list_inbound(session, limit=999)[::-1]


def only(house: House) -> InboundEvent:
    (event,) = kept(house)
    return event


@pytest.mark.requirement("003-A")
def test_a_webhook_is_kept_and_rung_for(house: House, post: Post) -> None:
    body = json.dumps(PLAIN, indent=2).encode()
    answer = post(body)

    assert answer.status_code == 202
    assert answer.json == {"received": True, "id": only(house).id}
    event = only(house)
    assert event.body == body
    assert (event.type, event.event, event.event_id) == ("transaction", "transaction_completed", "6001")
    assert (event.status, event.received_at, event.source_id) == ("received", house.clock(), house.source.id)
    assert house.bells == [("intake", house.source.id)]


@pytest.mark.requirement("003-A")
def test_the_same_webhook_is_a_duplicate_of_the_first(house: House, post: Post) -> None:
    first = post(sample(SALE)).json
    again = post(sample(SALE))

    assert again.status_code == 200
    assert again.json == {"received": True, "duplicate": True, "id": first["id"]}
    assert len(kept(house)) == 1
    assert len(house.bells) == 1


def reordered(body: Any) -> Any:
    """The same JSON with its members the other way round."""
    if isinstance(body, dict):
        return {name: reordered(part) for name, part in reversed(body.items())}
    return [reordered(part) for part in body] if isinstance(body, list) else body


@pytest.mark.requirement("003-A")
@pytest.mark.parametrize(
    "again",
    [
        json.dumps(sample(SALE) | {"webhook_event_id": "6001"}).encode(),
        json.dumps(sample(SALE) | {"webhook_event_id": " 6001 "}).encode(),
        json.dumps(reordered(sample(SALE))).encode(),
        json.dumps(sample(SALE), indent=4).encode(),
        b"\n" + json.dumps(sample(SALE), separators=(",", ":")).encode() + b"\r\n",
        json.dumps(sample(SALE), ensure_ascii=False).encode(),
    ],
    ids=["id as text", "id with blanks", "other order", "other white space", "no white space", "other escapes"],
)
def test_these_are_the_same_webhook(house: House, post: Post, again: bytes) -> None:
    post(sample(SALE))

    assert post(again).status_code == 200
    assert len(kept(house)) == 1


@pytest.mark.requirement("003-A")
@pytest.mark.parametrize(
    "other",
    [
        sample(SALE) | {"webhook_event_id": 6002},
        sample(SALE) | {"webhook_type": "order"},
        sample(SALE) | {"webhook_event_date": "2025-08-15 10:30:01"},
        sample(SALE) | {"more": None},
        declined(1) | {"webhook_event_id": 6001},
    ],
)
def test_these_are_other_webhooks(house: House, post: Post, other: Any) -> None:
    first = post(sample(SALE)).json
    answer = post(other)

    assert answer.status_code == 202
    assert answer.json["id"] != first["id"]
    assert len(kept(house)) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"total": 1E1000000}', b'{"total": 1E1000001}'),
        (b'{"total": 29.99}', b'{"total": 29.990000000000000001}'),
        (b'{"total": ' + b"9" * 5000 + b"}", b'{"total": ' + b"9" * 4999 + b"8}"),
        (b'{"total": NaN}', b'{"total": null}'),
        (b'{"name": "\\ud800"}', b'{"name": "?"}'),
        (b'{"name": "\\u0000"}', b'{"name": ""}'),
        (b'{"total": 29.99}', b'{"total": "29.99"}'),
        (b'{"total": 29.90}', b'{"total": "29.90"}'),
    ],
)
def test_no_two_bodies_are_the_same_because_of_how_we_read_them(
    house: House, post: Post, one: bytes, other: bytes
) -> None:
    assert post(one).status_code == 202
    assert post(other).status_code == 202
    assert len(kept(house)) == 2


def test_without_an_id_the_body_tells_a_repeat(house: House, post: Post) -> None:
    body = sample(SALE)
    del body["webhook_event_id"]

    assert [post(body).status_code, post(body).status_code] == [202, 200]
    assert post(body | {"webhook_event_id": None}).status_code == 202


@pytest.mark.requirement("003-A")
@pytest.mark.parametrize("key", ["unknown", "A" * 43, "ключ", "%00", "%ff", "x" * 5000])
def test_an_unknown_key_is_not_found_and_nothing_is_kept(house: House, post: Post, key: str) -> None:
    answer = post(sample(SALE), path=f"/webhooks/vrio/{key}")

    assert answer.status_code == 404
    assert answer.json["error"]
    assert kept(house) == []
    assert house.bells == []


def test_the_key_is_looked_at_before_the_size(house: House, post: Post) -> None:
    assert post(b"x" * (LARGEST_BODY + 1), path="/webhooks/vrio/unknown").status_code == 404


def padded(size: int) -> bytes:
    body = json.dumps(PLAIN).encode()
    return body[:-1] + b', "more": "' + b"x" * (size - len(body) - 12) + b'"}'


def test_a_body_of_a_mebibyte_is_taken(house: House, post: Post) -> None:
    body = padded(LARGEST_BODY)
    assert len(body) == LARGEST_BODY

    assert post(body).status_code == 202
    assert only(house).body == body


def test_a_longer_body_is_refused_by_its_length(house: House, post: Post) -> None:
    answer = post(padded(LARGEST_BODY + 1))

    assert answer.status_code == 413
    assert kept(house) == []


def test_a_body_that_says_that_it_is_too_long_is_not_read(house: House, post: Post) -> None:
    unread, long = io.BytesIO(b"{}"), {"CONTENT_LENGTH": str(LARGEST_BODY + 1)}
    answer = post.http.post(post.path, input_stream=unread, environ_overrides=long)

    assert answer.status_code == 413
    assert unread.tell() == 0


def test_a_longer_body_is_refused_also_when_its_length_is_not_told(house: House, post: Post) -> None:
    for size, status in ((LARGEST_BODY + 1, 413), (LARGEST_BODY, 202)):
        stream = io.BytesIO(padded(size))
        # As web servers do for a body that comes in chunks.
        unmeasured = {"wsgi.input_terminated": True}
        answer = post.http.post(post.path, input_stream=stream, environ_overrides=unmeasured)
        assert answer.status_code == status


NO_OBJECT = [
    (b"", "empty"),
    (b" \n", "not JSON"),
    (b"hello", "not JSON"),
    (b"a=1&b=2", "not JSON"),
    (b'{"webhook_type": "transaction"', "not JSON"),
    (b"{'webhook_type': 'transaction'}", "not JSON"),
    (b'{"name": "\xff\xfe"}', "not JSON"),
    (b'{"name": "\xc3\x28"}', "not JSON"),
    (b"\x00\x01\x02\xff", "not JSON"),
    (b"[1, 2]", "no JSON object"),
    (b"[]", "no JSON object"),
    (b"null", "no JSON object"),
    (b"true", "no JSON object"),
    (b'"text"', "no JSON object"),
    (b"5325", "no JSON object"),
    (b"9" * 5000, "no JSON object"),
    (b"[" * 100_000, "nested too deeply"),
    (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
]


@pytest.mark.parametrize(("body", "reason"), NO_OBJECT, ids=[f"{body[:12]!r}" for body, _ in NO_OBJECT])
def test_what_is_no_json_object_is_refused_and_kept_all_the_same(
    house: House, post: Post, body: bytes, reason: str
) -> None:
    answer = post(body)

    event = only(house)
    assert answer.status_code == 400
    assert reason in answer.json["error"]
    assert answer.json == {"received": False, "id": event.id, "error": event.reason}
    assert (event.status, event.body, event.finished_at) == ("unreadable", body, house.clock())
    assert house.bells == []
    assert post(body).status_code == 400
    assert len(kept(house)) == 1


def deep(levels: int) -> bytes:
    return b'{"webhook_type": "order", "a": ' + b"[" * levels + b"]" * levels + b"}"


def test_forty_levels_are_not_too_deep(house: House, post: Post) -> None:
    assert post(deep(40)).status_code == 202
    assert only(house).status == "received"


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "", "application/xml"],
)
def test_a_body_that_parses_is_taken_whatever_it_says_it_is(house: House, post: Post, content_type: str) -> None:
    assert post(PLAIN, content_type=content_type).status_code == 202
    assert json.loads(only(house).body) == PLAIN


@pytest.mark.parametrize("missing", ["webhook_type", "webhook_event", "webhook_event_id", "webhook_data"])
def test_an_object_is_taken_whatever_it_lacks(house: House, post: Post, missing: str) -> None:
    body = sample(SALE)
    del body[missing]

    assert post(body).status_code == 202


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (None, ""),
        (True, ""),
        ([], ""),
        ({"a": 1}, ""),
        ("", ""),
        ("  6001\n", "6001"),
        (6001, "6001"),
        (0, "0"),
        ("a\x00b", "a\ufffdb"),
        ("\ud800", "\ufffd"),
        ("😀", "😀"),
        ("x" * 5000, "x" * 200),
        (10**999, "1" + "0" * 199),
    ],
)
def test_the_words_of_the_envelope_may_be_anything(house: House, post: Post, value: Any, word: str) -> None:
    body = {"webhook_type": value, "webhook_event": value, "webhook_event_id": value}

    assert post(body).status_code == 202
    event = only(house)
    assert (event.type, event.event, event.event_id) == (word, word, word)


def test_bytes_are_kept_as_they_came(house: House, post: Post) -> None:
    body = '\ufeff{"webhook_type" : "order",\t"name":"Zoë 😀 \\u0000 \\ud800", "a": 1e5, "b": 1.10}'.encode()

    assert post(body).status_code == 202
    assert only(house).body == body


def test_a_card_number_is_not_kept(house: House, post: Post) -> None:
    body = sample(SALE)
    body["webhook_data"]["transaction"]["customer_card"]["card_number"] = "4242424242424242"
    body["webhook_data"]["transaction"]["customer_card"]["cvv"] = "973"

    assert post(body).status_code == 202
    assert b"4242424242424242" not in only(house).body
    assert b"973" not in only(house).body
    assert post(body).status_code == 200


def test_what_cannot_be_stored_is_not_answered_with_202(house: House, post: Post) -> None:
    with house.db.write() as session:
        session.execute(text("ALTER TABLE inbound_events RENAME TO gone"))
    answers = [post(sample(SALE)) for _ in range(2)]
    with house.db.write() as session:
        session.execute(text("ALTER TABLE gone RENAME TO inbound_events"))

    for answer in answers:
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "received" not in answer.json
    assert post(sample(SALE)).status_code == 202
    assert house.bells == [("intake", house.source.id)]


def test_when_the_database_does_not_know_its_sources_nothing_is_refused_for_good(house: House, post: Post) -> None:
    with house.db.write() as session:
        session.execute(text("ALTER TABLE sources RENAME TO gone"))
    answer = post(sample(SALE))
    with house.db.write() as session:
        session.execute(text("ALTER TABLE gone RENAME TO sources"))

    assert answer.status_code == 503


def test_with_the_database_away_the_sender_is_told_to_come_again() -> None:
    away = Database("postgresql://nobody@127.0.0.1:9/none")
    app = Flask("tests", root_path=".")
    app.register_blueprint(blueprint(Receiver(away, lambda job, subject: True, lambda: None)))  # type: ignore[arg-type, return-value]
    answer = app.test_client().post("/webhooks/vrio/any", data=b"{}")
    away.close()

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def test_with_redis_away_webhooks_are_still_taken_and_quickly(
    house: House, redis_url: str, redis_server: PrivateRedis
) -> None:
    redis_server.stop()
    post = Post(house, Bells(redis_url).ring)
    began = time.monotonic()
    statuses = [post(declined(number)).status_code for number in range(20)]

    assert statuses == [202] * 20
    assert time.monotonic() - began < 2
    assert len(kept(house)) == 20


def test_the_same_webhook_posted_at_once_is_kept_once(house: House, post: Post) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: post(sample(DECLINED)), range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [202]
    assert {answer.json["id"] for answer in answers} == {only(house).id}


def test_many_webhooks_posted_at_once_are_all_kept(house: House, post: Post) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: post(declined(number)), range(40)))

    assert {answer.status_code for answer in answers} == {202}
    assert len({event.id for event in kept(house)}) == 40


def test_a_key_that_was_looked_up_a_moment_ago_is_not_looked_up_again(house: House, post: Post) -> None:
    post(declined(1))
    with house.db.write() as session:
        session.execute(text("UPDATE sources SET key_hash = 'another'"))

    assert post(declined(2)).status_code == 202
    assert Post(house)(declined(3)).status_code == 404


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_only_posts_are_taken(house: House, post: Post, method: str) -> None:
    assert getattr(post.http, method)(post.path).status_code == 405
    assert kept(house) == []


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
