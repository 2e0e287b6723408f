"""Which bodies are taken: not too long, and a JSON object, whatever is in it."""

import io
import json
from typing import Any

import pytest

from tests.bodies import SALE, sample
from tests.building import House
from tests.webhooks.posting import NO_OBJECT, PLAIN, Post, deep, kept, only
from webhooks.vrio import LARGEST_BODY


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
