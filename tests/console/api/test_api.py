"""The API's conventions: who may ask, what is refused and how, pages, keys, limits and masks."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import update

from console import api, pages
from console.api.problems import KINDS
from console.site import Site
from tests.building import House
from tests.console.api.conftest import Program
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.tokens import list_tokens, revoke_token
from vrio_klaviyo.store.workspaces import find_workspace

Programs = Callable[..., Program]


def is_problem(answer: Any, status: int, kind: str) -> bool:
    told = answer.get_json()
    assert answer.content_type == "application/problem+json"
    assert answer.status_code == told["status"] == status, told
    assert told["instance"].startswith("urn:request:")
    assert told["title"] == KINDS[kind][1]
    return bool(told["type"].endswith(f"#{kind}"))


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer vkt_wrong", "Basic dXNlcjpwYXNz", "vkt_wrong"])
def test_without_a_good_token_nothing_is_answered(app: Flask, header: str) -> None:
    answer = app.test_client().get("/api/v1/deliveries", headers={"Authorization": header} if header else {})

    assert is_problem(answer, 401, "not-authenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_token_is_none(program: Programs, site: Site) -> None:
    reader = program("read")
    reader.get("/deliveries")
    with site.db.write() as session:
        (token,) = list_tokens(session, find_workspace(session).id)
        revoke_token(session, token.id, site.now())

    assert is_problem(reader.call("GET", "/deliveries"), 401, "not-authenticated")


def test_a_token_is_kept_as_a_hash_and_its_last_use_is_told(program: Programs, site: Site) -> None:
    reader = program("read")
    reader.get("/deliveries")
    with site.db.read() as session:
        (token,) = list_tokens(session, find_workspace(session).id)

    text = reader.headers["Authorization"].removeprefix("Bearer ")
    assert token.used_at == site.now()
    assert text not in str(vars(token))
    assert text.endswith(token.hint)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/connections"), ("GET", "/audit"), ("POST", "/deliveries/dl_1/resend"), ("POST", "/replays")],
)
def test_a_token_may_do_what_it_was_given_and_no_more(program: Programs, method: str, path: str) -> None:
    assert is_problem(program("read", "read:pii").call(method, path, {}), 403, "scope-missing")


def test_what_is_not_there_is_a_problem_too(program: Programs) -> None:
    reader = program()

    assert is_problem(reader.call("GET", "/nothing"), 404, "not-found")
    assert is_problem(reader.call("GET", "/deliveries/dl_none"), 404, "not-found")
    refused = reader.call("DELETE", "/deliveries")
    assert is_problem(refused, 405, "method-not-allowed")
    assert "GET" in refused.headers["Allow"]


def test_a_parameter_that_is_not_known_is_refused_with_the_list_of_those_that_are(program: Programs) -> None:
    answer = program().call("GET", "/deliveries?state=failed")

    assert is_problem(answer, 400, "unknown-parameter")
    assert all(name in answer.get_json()["detail"] for name in ("state", "status", "cursor", "limit", "since"))


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "status=lost", "since=yesterday", "cursor=x", "status=failed&status=held"],
)
def test_a_parameter_that_cannot_be_taken_is_refused(program: Programs, query: str) -> None:
    assert is_problem(program().call("GET", f"/deliveries?{query}"), 400, "invalid-parameter")


def test_a_body_is_refused_value_by_value(program: Programs) -> None:
    answer = program().call("POST", "/connections", {"name": "", "campaigns": ["1", ""], "colour": "red"})

    assert is_problem(answer, 422, "invalid-body")
    pointers = {error["pointer"] for error in answer.get_json()["errors"]}
    assert pointers == {"#/name", "#/key", "#/campaigns/1", "#/colour"}


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[]", b"1", b'"x"', b"[" * 5000])
def test_a_body_that_is_no_object_is_refused(program: Programs, body: bytes) -> None:
    manager = program()
    headers = {**manager.headers, "Content-Type": "application/json"}
    answer = manager.client.post("/api/v1/connections", data=body, headers=headers)

    assert answer.status_code in (400, 422)
    assert answer.content_type == "application/problem+json"


def test_a_body_that_is_not_json_is_refused(program: Programs) -> None:
    manager = program()
    answer = manager.client.post("/api/v1/connections", data={"name": "x"}, headers=manager.headers)

    assert is_problem(answer, 415, "unsupported-media-type")


def test_pages_follow_each_other_by_cursor_and_by_link(program: Programs, house: House) -> None:
    connection = house.connect()
    owed = [house.owe(connection, number).id for number in range(1, 6)][::-1]
    reader = program("read")
    first = reader.call("GET", "/deliveries?limit=2&status=queued")
    next_url = first.headers["Link"].partition(">")[0].lstrip("<")
    second = reader.client.get(next_url, headers=reader.headers).get_json()
    third = reader.get("/deliveries", limit="2", cursor=second["page"]["next"])
    back = reader.get("/deliveries", limit="2", cursor=second["page"]["prev"])

    pages = [first.get_json(), second, third]
    assert [row["id"] for page in pages for row in page["data"]] == owed
    assert first.get_json()["page"]["prev"] is None
    assert third["page"]["next"] is None
    assert [row["id"] for row in back["data"]] == owed[:2]


def test_a_cursor_that_was_altered_is_refused(program: Programs, house: House) -> None:
    connection = house.connect()
    for number in (1, 2):
        house.owe(connection, number)
    reader = program("read")
    cursor = reader.get("/deliveries", limit="1")["page"]["next"]

    assert is_problem(reader.call("GET", f"/deliveries?cursor={cursor[:-1]}"), 400, "invalid-parameter")


def test_times_are_utc_with_milliseconds(program: Programs, house: House) -> None:
    house.owe(house.connect())
    (told,) = program("read").get("/deliveries")["data"]

    assert told["created_at"] == "2026-08-30T12:00:00.000Z"


def test_commas_mean_or_and_parameters_mean_and(program: Programs, house: House) -> None:
    connection = house.connect()
    one, two = house.owe(connection, 1), house.owe(connection, 2)
    with house.db.write() as session:
        session.execute(update(Delivery).where(Delivery.id == one.id).values(status="failed", reason="503"))
    reader = program("read")

    def ids(**query: str) -> list[str]:
        return [row["id"] for row in reader.get("/deliveries", **query)["data"]]

    assert ids(status="failed,queued") == [two.id, one.id]
    assert ids(status="failed,held", event="Declined Order") == [one.id]
    assert ids(status="failed", event="Placed Order") == []
    assert ids(cause="503") == [one.id]


def test_personal_data_is_masked_without_the_scope(program: Programs, house: House) -> None:
    owed = house.owe(house.connect())
    path = f"/customers/{owed.customer_id}"

    assert program("read").get(path)["email"] == "j••@acme.test"
    assert program("read").get(path)["first_name"] == "J••"
    assert program("read", "read:pii").get(path)["email"] == "john301@acme.test"


def test_who_may_not_see_people_may_not_find_them_out_either(program: Programs, house: House) -> None:
    owed = house.owe(house.connect())
    reader = program("read")

    assert is_problem(reader.call("GET", "/customers?q=john301@"), 403, "scope-missing")
    assert is_problem(reader.call("GET", "/deliveries?q=john"), 403, "scope-missing")
    assert [row["id"] for row in reader.get("/customers", q=str(owed.customer_id))["data"]] == [owed.customer_id]
    assert program().get("/customers", q="john301@")["data"][0]["id"] == owed.customer_id


def test_the_same_request_with_the_same_key_is_done_once(program: Programs) -> None:
    manager = program()
    body = {"name": "Shop", "key": "pk_0123456789012345678901234567890123", "paused": True}
    first = manager.call("POST", "/connections", body, Idempotency_Key="one")
    again = manager.call("POST", "/connections", body, Idempotency_Key="one")

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.data == again.data
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["ETag"] == first.headers["ETag"]
    assert len(manager.get("/connections")["data"]) == 1


def test_another_request_with_the_same_key_is_refused(program: Programs) -> None:
    manager = program()
    body = {"name": "Shop", "key": "pk_0123456789012345678901234567890123"}
    manager.call("POST", "/connections", body, Idempotency_Key="one")

    answer = manager.call("POST", "/connections", body | {"name": "Other"}, Idempotency_Key="one")
    assert is_problem(answer, 422, "key-used-before")


def test_a_refusal_is_kept_with_its_key_too(program: Programs) -> None:
    manager = program()
    first = manager.call("POST", "/connections/cn_none/pause", Idempotency_Key="one")

    assert is_problem(first, 404, "not-found")
    assert manager.call("POST", "/connections/cn_none/pause", Idempotency_Key="one").data == first.data


def test_a_key_is_free_again_after_a_day(program: Programs, house: House) -> None:
    manager = program()
    connection = house.connect()
    path = f"/connections/{connection.id}/pause"
    manager.call("POST", path, Idempotency_Key="one")
    house.clock.advance(hours=25)

    assert "Idempotency-Replayed" not in manager.call("POST", path, Idempotency_Key="one").headers


def test_what_must_not_be_done_twice_needs_a_key(program: Programs, house: House) -> None:
    owed = house.owe(house.connect())

    answer = program().call("POST", f"/deliveries/{owed.id}/resend", {})
    assert is_problem(answer, 400, "unreadable-request")


def test_a_token_that_asks_too_often_is_told_when_to_come_back(site: Site, program: Programs) -> None:
    app = Flask("vrio_klaviyo", static_folder=None)
    app.secret_key = "a secret of this test"
    pages.register(app, site)
    api.register(app, site, rate="3 per minute")
    often, seldom = (app.test_client() for _ in range(2))
    headers = [program("read").headers for _ in range(2)]
    answers = [often.get("/api/v1/replays", headers=headers[0]).status_code for _ in range(3)]
    refused = often.get("/api/v1/deliveries", headers=headers[0])

    assert api.RATE == "600 per minute"
    assert answers == [200, 200, 200]
    assert is_problem(refused, 429, "too-many-requests")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert seldom.get("/api/v1/deliveries", headers=headers[1]).status_code == 200


def test_without_redis_calls_are_answered_all_the_same(program: Programs, redis_server: Any) -> None:
    reader = program("read")
    redis_server.stop()

    assert reader.get("/deliveries")["data"] == []
    with pytest.raises(RedisError), Redis.from_url(redis_server.url) as client:
        client.ping()


def test_a_database_that_does_not_answer_is_a_problem_without_its_words(program: Programs, site: Site) -> None:
    reader = program("read")
    with site.db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE deliveries RENAME TO gone")
    try:
        answer = reader.call("GET", "/deliveries/dl_1")
    finally:
        with site.db.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO deliveries")

    assert is_problem(answer, 503, "database-away")
    assert "gone" not in answer.text
    assert answer.headers["Retry-After"] == "5"
