"""
Faults on request: each spoils the next matching answers and nothing else.
"""

import pytest


def test_a_status_fault_strikes_once_and_changes_nothing(klaviyo, event_body):
    klaviyo.fault(fault="status", status=503)
    response = klaviyo.event(event_body)

    [error] = response.get_json()["errors"]
    assert (response.status_code, error["status"]) == (503, 503)
    assert error["id"]
    assert klaviyo.held() == []
    assert klaviyo.event(event_body).status_code == 202
    assert klaviyo.held("faults") == []


def test_a_fault_strikes_as_often_as_it_is_told(klaviyo, event_body):
    klaviyo.fault(fault="status", status=500, times=2)
    assert [klaviyo.event(event_body).status_code for _ in range(3)] == [500, 500, 202]

    klaviyo.fault(fault="status", status=500, times=None)
    assert [klaviyo.event(event_body).status_code for _ in range(5)] == [500] * 5
    assert klaviyo.http.delete("/sandbox/faults").status_code == 204
    assert klaviyo.event(event_body).status_code == 202


def test_a_status_fault_may_say_anything(klaviyo, event_body):
    body = {"errors": [{"code": "odd"}]}
    klaviyo.fault(fault="status", status=418, body=body, headers={"X-Odd": "yes"})
    response = klaviyo.event(event_body)

    assert (response.status_code, response.get_json(), response.headers["X-Odd"]) == (418, body, "yes")


def test_a_processed_fault_takes_effect_behind_its_bad_answer(klaviyo, event_body):
    klaviyo.fault(fault="status", status=504, processed=True)

    assert klaviyo.event(event_body).status_code == 504
    assert len(klaviyo.held()) == 1


@pytest.mark.parametrize(
    ("match", "struck"),
    [
        ({"path": "/api/events"}, "event"),
        ({"path": "/api/profile-import"}, "profile"),
        ({"path": "/api/event-bulk-create-jobs"}, "bulk"),
        ({"method": "GET"}, "lists"),
        ({"metric": "Placed Order"}, "event bulk"),
        ({"metric": "Refunded Order"}, ""),
        ({"unique_id": "1668"}, "event"),
        ({"unique_id": "2"}, "bulk"),
        ({"email": "JOHN@example.com"}, "event profile bulk"),
        ({"email": "jane@example.com"}, "bulk"),
        ({"email": "john@example.com", "unique_id": "3"}, ""),
        ({"email": "jane@example.com", "path": "/api/events"}, ""),
    ],
)
def test_a_fault_strikes_what_it_matches_only(klaviyo, event_body, profile_body, bulk_body, match, struck):
    klaviyo.fault(fault="status", status=500, match=match, times=None)
    statuses = {
        "event": klaviyo.event(event_body).status_code,
        "profile": klaviyo.profile(profile_body).status_code,
        "bulk": klaviyo.bulk(bulk_body).status_code,
        "lists": klaviyo.get("/api/lists").status_code,
    }

    assert [name for name, status in statuses.items() if status == 500] == struck.split()


def test_the_criteria_must_be_met_by_one_event(klaviyo, bulk_body):
    entries = bulk_body["data"]["attributes"]["events-bulk-create"]["data"]
    entries[1]["attributes"]["events"]["data"][0]["attributes"]["unique_id"] = "77"
    klaviyo.fault(fault="status", status=500, match={"email": "john@example.com", "unique_id": "77"})

    assert klaviyo.bulk(bulk_body).status_code == 202


def test_the_proxy_answers_in_html(klaviyo, event_body):
    klaviyo.fault(fault="html")
    klaviyo.fault(fault="html", status=502)
    challenge, gateway = klaviyo.event(event_body), klaviyo.event(event_body)

    assert (challenge.status_code, challenge.mimetype) == (403, "text/html")
    assert challenge.headers["cf-mitigated"] == "challenge"
    assert (gateway.status_code, gateway.mimetype) == (502, "text/html")
    assert "cf-mitigated" not in gateway.headers


def test_a_throttle_has_a_retry_after_or_none(klaviyo, event_body):
    klaviyo.fault(fault="throttle", retry_after=7)
    klaviyo.fault(fault="throttle", retry_after=None)
    told, untold = klaviyo.event(event_body), klaviyo.event(event_body)

    assert (told.status_code, told.headers["Retry-After"]) == (429, "7")
    assert told.get_json()["errors"][0]["code"] == "throttled"
    assert untold.status_code == 429
    assert "Retry-After" not in untold.headers


@pytest.mark.parametrize(("processed", "held"), [(False, 0), (True, 1)])
@pytest.mark.parametrize(("fault", "waits"), [("reset", []), ("hang", [12])])
def test_a_connection_can_be_cut_before_or_after(klaviyo, event_body, fault, waits, processed, held):
    klaviyo.fault(fault=fault, seconds=12, processed=processed)
    with pytest.raises(ConnectionResetError):
        klaviyo.event(event_body)

    assert klaviyo.waits == waits
    assert len(klaviyo.held()) == held
    assert klaviyo.held("requests")[-1]["status"] is None


def test_garbage_looks_like_json_but_is_none(klaviyo):
    klaviyo.fault(fault="garbage")
    response = klaviyo.get("/api/accounts")

    assert (response.status_code, response.mimetype) == (200, "application/vnd.api+json")
    with pytest.raises(ValueError):
        response.get_json(force=True)


def test_latency_delays_a_good_answer(klaviyo, event_body):
    klaviyo.fault(fault="latency", ms=250)
    klaviyo.settings(latency_ms=100)

    assert klaviyo.event(event_body).status_code == 202
    assert klaviyo.waits == [0.1, 0.25]


def test_a_partial_failure_ignores_a_good_number(klaviyo, event_body, profile_body, bulk_body):
    klaviyo.fault(fault="partial_failure", times=3)
    for response in (klaviyo.event(event_body), klaviyo.profile(profile_body), klaviyo.bulk(bulk_body)):
        assert response.status_code in (200, 202)
        assert response.headers["X-Klaviyo-Partial-Failure"] == "phone_number"
    assert not [profile for profile in klaviyo.held("profiles") if "phone_number" in profile["attributes"]]


@pytest.mark.parametrize(
    "fault",
    [
        {},
        [],
        {"fault": "explode"},
        {"fault": "status"},
        {"fault": "status", "status": "503"},
        {"fault": "reset", "times": 0},
        {"fault": "reset", "times": True},
        {"fault": "reset", "match": {"colour": "red"}},
        {"fault": "reset", "match": {"unique_id": 1668}},
        {"fault": "reset", "seconds_": 1},
        {"fault": "reset", "id": 1},
    ],
)
def test_a_misspelt_fault_is_refused(klaviyo, fault):
    response = klaviyo.http.post("/sandbox/faults", json=[{"fault": "reset"}, fault])

    assert response.status_code == 400
    assert response.get_json()["error"]
    assert klaviyo.held("faults") == []
