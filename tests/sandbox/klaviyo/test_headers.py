"""
Keys, scopes, revisions and media types: what is refused before a body is looked at, and what the answers carry.
"""

import pytest

from sandbox.klaviyo import (
    GOOD_KEY,
    NO_ACCOUNTS_READ_KEY,
    NO_EVENTS_WRITE_KEY,
    OTHER_ACCOUNT_KEY,
    REVOKED_KEY,
    SECOND_KEY,
)

UNKNOWN_KEY = "pk_" + "0" * 34


def problem(response):
    [error] = response.get_json()["errors"]
    return response.status_code, error["code"], error["source"].get("pointer")


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "not_authenticated"),
        ("", "not_authenticated"),
        ("Klaviyo-API-Key", "not_authenticated"),
        (GOOD_KEY, "not_authenticated"),
        (f"Bearer {GOOD_KEY}", "not_authenticated"),
        (f"klaviyo-api-key {GOOD_KEY}", "not_authenticated"),
        (f"Klaviyo-API-Key {UNKNOWN_KEY}", "not_authenticated"),
        (f"Klaviyo-API-Key {GOOD_KEY[:-1]}", "not_authenticated"),
        (f"Klaviyo-API-Key {GOOD_KEY.upper()}", "not_authenticated"),
        (f"Klaviyo-API-Key {REVOKED_KEY}", "authentication_failed"),
    ],
)
def test_a_wrong_key_is_401_without_account_and_limits(klaviyo_with, event_body, authorization, code):
    response = klaviyo_with(rate_limits=True).event(event_body, Authorization=authorization)

    assert problem(response) == (401, code, "/data/")
    assert response.headers["WWW-Authenticate"] == "Bearer, Klaviyo-API-Key"
    assert response.headers["X-Klaviyo-Req-Id"]
    assert "Cid" not in response.headers
    assert not [name for name, _ in response.headers if name.startswith("RateLimit")]


@pytest.mark.parametrize("key", [f"{GOOD_KEY[:9]} {GOOD_KEY[9:]}", f" {GOOD_KEY}", f"{GOOD_KEY[:9]}\t", "pk_\u00e9"])
def test_a_misshapen_key_never_gets_past_the_proxy(klaviyo, event_body, key):
    response = klaviyo.event(event_body, Authorization=f"Klaviyo-API-Key {key}x")

    assert (response.status_code, response.mimetype) == (400, "text/html")
    assert "X-Klaviyo-Req-Id" not in response.headers


@pytest.mark.parametrize(
    ("key", "path", "scope"),
    [
        (NO_EVENTS_WRITE_KEY, "/api/events", "events:write"),
        (NO_EVENTS_WRITE_KEY, "/api/event-bulk-create-jobs", "events:write"),
        (NO_ACCOUNTS_READ_KEY, "/api/accounts", "accounts:read"),
    ],
)
def test_a_missing_scope_is_403_before_the_body_is_read(klaviyo, key, path, scope):
    response = klaviyo.get(path, key) if path == "/api/accounts" else klaviyo.post(path, b"nonsense", key)

    assert problem(response)[:2] == (403, "permission_denied")
    assert scope in response.get_json()["errors"][0]["detail"]
    assert response.headers["Cid"] == "SbxA01"


def test_each_key_may_do_the_rest(klaviyo, event_body, profile_body):
    assert klaviyo.get("/api/accounts", NO_EVENTS_WRITE_KEY).status_code == 200
    assert klaviyo.profile(profile_body, key=NO_EVENTS_WRITE_KEY).status_code == 201
    assert klaviyo.event(event_body, key=NO_ACCOUNTS_READ_KEY).status_code == 202
    assert klaviyo.get("/api/lists", NO_ACCOUNTS_READ_KEY).status_code == 200
    assert klaviyo.get("/api/profiles", NO_ACCOUNTS_READ_KEY).status_code == 200


@pytest.mark.parametrize(
    ("key", "account"), [(GOOD_KEY, "SbxA01"), (SECOND_KEY, "SbxA01"), (OTHER_ACCOUNT_KEY, "SbxB02")]
)
def test_the_account_is_told_by_its_id(klaviyo, event_body, key, account):
    assert klaviyo.event(event_body, key=key).headers["Cid"] == account
    assert [event["account"] for event in klaviyo.held()] == [account]


@pytest.mark.parametrize(
    "revision", [None, "", "2026", "2026-7-15", "15-07-2026", "2026-07-16", "2026-07-15.pre", "2027-01-15", "latest"]
)
def test_a_revision_that_is_none_is_refused(klaviyo, event_body, revision):
    assert problem(klaviyo.event(event_body, revision=revision)) == (400, "invalid", "/data/")


def test_a_retired_revision_is_served_by_the_oldest_living_one(klaviyo):
    response = klaviyo.get("/api/lists", revision="2023-10-15")
    assert (response.status_code, response.headers["X-Klaviyo-Api-Revision"]) == (200, "2024-10-15")

    response = klaviyo.get("/api/lists", revision="2023-10-15", X_Klaviyo_Revision_Fall_Forward_Opt_Out="1")
    assert problem(response)[:2] == (410, "gone")


def test_an_accepted_event_is_answered_with_nothing_but_headers(klaviyo_with, event_body):
    response = klaviyo_with(rate_limits=True).event(event_body)

    assert (response.status_code, response.data) == (202, b"")
    headers = {name: value for name, value in response.headers.items() if name != "X-Klaviyo-Req-Id"}
    assert headers == {
        "Cid": "SbxA01",
        "Content-Length": "0",
        "RateLimit-Limit": "350, 350;w=1, 3500;w=60",
        "RateLimit-Remaining": "349",
        "RateLimit-Reset": "1",
        "X-Klaviyo-Api-Retirement-Date": "2028-07-15",
        "X-Klaviyo-Api-Revision": "2026-07-15",
    }


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/json",
        "text/plain",
        "application/vnd.api+json; charset=utf-8",
        "application/x-www-form-urlencoded",
    ],
)
def test_a_body_of_another_type_is_415(klaviyo, event_body, content_type):
    assert problem(klaviyo.event(event_body, content_type=content_type))[:2] == (415, "unsupported_media_type")


def test_a_compressed_body_is_415(klaviyo, event_body):
    assert klaviyo.event(event_body, Content_Encoding="gzip").status_code == 415


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (None, 202),
        ("*/*", 202),
        ("text/html, application/vnd.api+json;q=0.5", 202),
        ("application/json", 406),
        ("text/html", 406),
        ("application/vnd.api+json;q=0", 406),
    ],
)
def test_the_answer_must_be_acceptable(klaviyo, event_body, accept, status):
    assert klaviyo.event(event_body, accept=accept).status_code == status


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/event", "/api/events/1", "/api/events//", "//api/events", "/nope"]
)
def test_any_other_path_is_404_in_json(klaviyo, path):
    response = klaviyo.get(path)
    assert problem(response)[:2] == (404, "not_found")
    assert response.mimetype == "application/vnd.api+json"


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "events"), ("DELETE", "events"), ("GET", "profile-import"), ("POST", "lists"), ("OPTIONS", "lists")],
)
def test_a_wrong_verb_is_405(klaviyo, method, path):
    response = klaviyo.http.open(f"/api/{path}", method=method, headers=klaviyo.headers())
    assert problem(response)[:2] == (405, "method_not_allowed")
    assert response.headers["Allow"]
