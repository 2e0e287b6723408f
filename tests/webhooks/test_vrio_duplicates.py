"""What is the same webhook once more, and what only looks like it."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.bodies import DECLINED, SALE, declined, sample
from tests.building import House
from tests.webhooks.posting import Post, kept, only


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


def test_the_same_webhook_posted_at_once_is_kept_once(house: House, post: Post) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: post(sample(DECLINED)), range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [202]
    assert {answer.json["id"] for answer in answers} == {only(house).id}
