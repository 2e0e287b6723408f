"""POST /webhooks/vrio/<key>: what is answered, and that what was answered with 202 is kept, byte for byte."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from sandbox.redis_server import PrivateRedis
from tests.bodies import SALE, declined, sample
from tests.building import House, StandingClock
from tests.webhooks.posting import PLAIN, Post, app_over, kept, only
from vrio_klaviyo.store.db import Database
from webhooks.vrio import LARGEST_BODY, Receiver
from workers.bells import Bells


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
@pytest.mark.parametrize("key", ["unknown", "A" * 43, "ключ", "%00", "%ff", "x" * 5000])
def test_an_unknown_key_is_not_found_and_nothing_is_kept(house: House, post: Post, key: str) -> None:
    answer = post(sample(SALE), path=f"/webhooks/vrio/{key}")

    assert answer.status_code == 404
    assert answer.json["error"]
    assert kept(house) == []
    assert house.bells == []


def test_the_key_is_looked_at_before_the_size(house: House, post: Post) -> None:
    assert post(b"x" * (LARGEST_BODY + 1), path="/webhooks/vrio/unknown").status_code == 404


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
    app = app_over(Receiver(away, lambda job, subject: True, StandingClock()))
    answer = app.test_client().post("/webhooks/vrio/any", data=b"{}")
    away.close()

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def test_with_redis_away_webhooks_are_still_taken(house: House, redis_url: str, redis_server: PrivateRedis) -> None:
    redis_server.stop()
    post = Post(house, Bells(redis_url).ring)
    statuses = [post(declined(number)).status_code for number in range(20)]

    assert statuses == [202] * 20
    assert len(kept(house)) == 20


def test_many_webhooks_posted_at_once_are_all_kept(house: House, post: Post) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: post(declined(number)), range(40)))

    assert {answer.status_code for answer in answers} == {202}
    assert len({event.id for event in kept(house)}) == 40
