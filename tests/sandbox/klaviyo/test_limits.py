"""
The fixed windows: who shares them, what the headers say, and when the next request may come.
"""

import pytest

from sandbox.klaviyo import GOOD_KEY, OTHER_ACCOUNT_KEY, SECOND_KEY
from sandbox.klaviyo.limits import Limit, RateLimiter


@pytest.fixture
def klaviyo(klaviyo_with):
    return klaviyo_with(rate_limits=True)


def reported(response):
    return [response.headers.get(f"RateLimit-{name}") for name in ("Limit", "Remaining", "Reset")]


def test_a_full_second_is_429_until_the_next_one(klaviyo, clock):
    clock.advance(0.4)
    first, second = klaviyo.get("/api/accounts"), klaviyo.get("/api/accounts")

    assert reported(first) == ["1, 1;w=1, 15;w=60", "0", "0"]
    assert (second.status_code, second.headers["Retry-After"]) == (429, "1")
    assert second.get_json()["errors"][0]["code"] == "throttled"
    assert reported(second) == [None, None, None]
    assert second.headers["Cid"] == "SbxA01"
    clock.advance(0.6)
    assert klaviyo.get("/api/accounts").status_code == 200


def test_a_full_minute_tells_how_long_it_lasts(klaviyo, clock):
    clock.advance(0.5)
    statuses = []
    for _ in range(16):
        response = klaviyo.get("/api/accounts")
        statuses.append(response.status_code)
        clock.advance(1)

    assert statuses == [200] * 15 + [429]
    assert response.headers["Retry-After"] == "45"
    clock.advance(44)
    assert klaviyo.get("/api/accounts").status_code == 200


def test_the_tightest_window_is_the_one_reported():
    limiter, limit = RateLimiter(), Limit(burst=5, steady=6)
    headers = [limiter.take("A", "e", limit, now_s).headers for now_s in (60, 60.5, 61, 61, 61)]

    assert headers[0] == {"RateLimit-Limit": "5, 5;w=1, 6;w=60", "RateLimit-Remaining": "4", "RateLimit-Reset": "1"}
    assert [header["RateLimit-Remaining"] for header in headers] == ["4", "3", "3", "2", "1"]
    assert headers[4] == {"RateLimit-Limit": "6, 5;w=1, 6;w=60", "RateLimit-Remaining": "1", "RateLimit-Reset": "59"}


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/api/events", "350, 350;w=1, 3500;w=60"),
        ("/api/profile-import", "75, 75;w=1, 750;w=60"),
        ("/api/event-bulk-create-jobs", "10, 10;w=1, 150;w=60"),
    ],
)
def test_even_a_refused_body_uses_its_endpoints_limit(klaviyo, path, limit):
    response = klaviyo.post(path, {})

    assert response.status_code == 400
    assert response.headers["RateLimit-Limit"] == limit


def test_keys_of_one_account_share_and_accounts_and_endpoints_do_not(klaviyo):
    assert klaviyo.get("/api/accounts", GOOD_KEY).status_code == 200
    assert klaviyo.get("/api/accounts", SECOND_KEY).status_code == 429
    assert klaviyo.get("/api/accounts", OTHER_ACCOUNT_KEY).status_code == 200
    assert klaviyo.get("/api/lists", SECOND_KEY).status_code == 200


def test_reading_and_writing_events_are_two_endpoints(klaviyo, event_body):
    klaviyo.event(event_body)
    assert klaviyo.get("/api/events").headers["RateLimit-Remaining"] == "349"


def test_limits_can_be_scaled_and_switched_off(klaviyo):
    klaviyo.settings(rate_limit_scale=2)
    assert [klaviyo.get("/api/accounts").status_code for _ in range(3)] == [200, 200, 429]

    klaviyo.settings(rate_limits=False)
    response = klaviyo.get("/api/accounts")
    assert (response.status_code, reported(response)) == (200, [None, None, None])
