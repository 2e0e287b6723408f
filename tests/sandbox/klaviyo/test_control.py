"""
The control routes: what they show and what they change.
"""

import pytest

from sandbox.klaviyo import GOOD_KEY, OTHER_ACCOUNT_KEY

NEW_KEY = "pk_" + "a" * 34


def test_the_state_shows_everything(klaviyo, event_body):
    klaviyo.event(event_body)
    klaviyo.event(event_body)
    klaviyo.fault(fault="reset")
    state = klaviyo.held("state")

    assert [(account["id"], account["events"], account["repeats"]) for account in state["accounts"]] == [
        ("SbxA01", 1, 1),
        ("SbxB02", 0, 0),
    ]
    [profile] = state["accounts"][0]["profiles"]
    assert [event["metric"] for event in profile["events"]] == ["Placed Order"]
    assert state["settings"]["refused_phones"] == ["+1555000"]
    assert len(state["keys"]) == 6
    assert [fault["fault"] for fault in state["faults"]] == ["reset"]


def test_events_can_be_asked_for(klaviyo, event_body, bulk_body):
    klaviyo.event(event_body)
    klaviyo.bulk(bulk_body)

    assert len(klaviyo.held(metric="Placed Order")) == 5
    assert len(klaviyo.held(email="JOHN@example.com")) == 3
    assert len(klaviyo.held(email="john@example.com", unique_id="2")) == 1
    assert klaviyo.held(metric="placed order") == []


def test_a_timeline_has_the_newest_event_first(klaviyo, event_body):
    for unique_id, time in (
        ("1", "2026-01-02T00:00:00Z"),
        ("2", "2026-01-03T00:00:00Z"),
        ("3", "2026-01-01T00:00:00Z"),
    ):
        event_body["data"]["attributes"] |= {"unique_id": unique_id, "time": time}
        klaviyo.event(event_body)

    [profile] = klaviyo.held("profiles", email="john@example.com")
    assert [event["unique_id"] for event in profile["events"]] == ["2", "1", "3"]
    assert klaviyo.http.get(f"/sandbox/profiles/{profile['id']}").get_json() == profile
    assert klaviyo.http.get("/sandbox/profiles/none").status_code == 404


def test_requests_are_kept_as_they_came_without_the_key(klaviyo, event_body):
    klaviyo.event(event_body)
    klaviyo.post("/api/events/", b'{"broken', OTHER_ACCOUNT_KEY)
    klaviyo.event(event_body, key=NEW_KEY)
    klaviyo.get("/api/lists?page[size]=1", Authorization=None)
    requests = klaviyo.held("requests")

    assert [(entry["number"], entry["key"], entry["status"]) for entry in requests] == [
        (1, "good", 202),
        (2, "other_account", 400),
        (3, "unknown", 401),
        (4, None, 401),
    ]
    assert (requests[1]["method"], requests[1]["path"], requests[1]["body"]) == ("POST", "/api/events/", '{"broken')
    assert requests[0]["headers"]["Revision"] == "2026-07-15"
    assert GOOD_KEY not in str(requests)
    assert NEW_KEY not in str(requests)
    assert [entry["number"] for entry in klaviyo.held("requests", since="2")] == [3, 4]


def test_the_journal_is_bounded_by_number_and_by_size(klaviyo_with):
    klaviyo = klaviyo_with(journal_entries=3, journal_bytes=100)
    for size in (1, 2, 3, 4):
        klaviyo.event(b"x" * size)
    assert [entry["number"] for entry in klaviyo.held("requests")] == [2, 3, 4]

    klaviyo.event(b"x" * 96)
    assert [entry["number"] for entry in klaviyo.held("requests")] == [4, 5]
    klaviyo.event(b"x" * 1000)
    assert [entry["number"] for entry in klaviyo.held("requests")] == [6]


def test_reset_forgets_everything(klaviyo, event_body):
    klaviyo.settings(phone_mode="partial")
    klaviyo.event(event_body)
    klaviyo.fault(fault="reset")

    assert klaviyo.http.post("/sandbox/reset").status_code == 204
    state = klaviyo.held("state")
    assert [account["profiles"] for account in state["accounts"]] == [[], []]
    assert state["settings"]["phone_mode"] == "reject"
    assert state["faults"] == klaviyo.held("requests") == []


def test_keys_can_be_added_limited_and_revoked(klaviyo, event_body):
    key = {"name": "new", "key": NEW_KEY, "account": "SbxC03", "scopes": ["events:write"]}
    assert klaviyo.http.post("/sandbox/keys", json=key).status_code == 201
    assert klaviyo.event(event_body, key=NEW_KEY).headers["Cid"] == "SbxC03"
    assert klaviyo.get("/api/accounts", NEW_KEY).status_code == 403

    klaviyo.http.post("/sandbox/keys", json=key | {"revoked": True})
    assert klaviyo.event(event_body, key=NEW_KEY).status_code == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("keys", {"name": "new", "key": NEW_KEY}),
        ("keys", {"name": "new", "key": NEW_KEY, "account": "A", "scopes": ["everything"]}),
        ("keys", []),
        ("settings", {"phone_mode": "perhaps"}),
        ("settings", {"rate_limits": "no"}),
        ("settings", {"refused_phones": [1]}),
        ("settings", {"refused_phones": [""]}),
        ("settings", {"colour": "red"}),
    ],
)
def test_misspelt_changes_are_refused(klaviyo, path, body):
    before = klaviyo.held("state")
    response = klaviyo.http.post(f"/sandbox/{path}", json=body)

    assert response.status_code == 400
    assert response.get_json()["error"]
    assert klaviyo.held("state") == before


def test_only_this_computer_may_steer(klaviyo):
    for route in ("/sandbox/state", "/sandbox/requests"):
        response = klaviyo.http.get(route, environ_base={"REMOTE_ADDR": "203.0.113.7"})
        assert response.status_code == 403
    assert klaviyo.http.post("/sandbox/settings", data="{}").status_code == 415
