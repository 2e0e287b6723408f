"""
A sandbox Klaviyo for each test, with a clock that stands still and bodies that it accepts.
"""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sandbox.klaviyo import GOOD_KEY, Settings, create_app

MEDIA_TYPE = "application/vnd.api+json"
NOON = 1_788_091_200.0  # 2026-08-30 12:00:00 UTC


class Clock:
    def __init__(self) -> None:
        self.now_s = NOON

    def __call__(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds


class Klaviyo:
    """
    A client that does everything right unless told otherwise.
    """

    def __init__(self, http: FlaskClient, waits: list[float]) -> None:
        self.http = http
        self.waits = waits

    def headers(self, key: str = GOOD_KEY, **changes: str | None) -> dict[str, str]:
        """
        The right headers; a keyword with None leaves one out, an underscore stands for a hyphen.
        """
        right: dict[str, str | None] = {
            "Authorization": f"Klaviyo-API-Key {key}",
            "revision": "2026-07-15",
            "content-type": MEDIA_TYPE,
            "accept": MEDIA_TYPE,
        }
        right |= {name.replace("_", "-"): value for name, value in changes.items()}
        return {name: value for name, value in right.items() if value is not None}

    def post(self, path: str, body: Any, key: str = GOOD_KEY, **changes: str | None) -> TestResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(path, data=data, headers=self.headers(key, **changes))

    def get(self, path: str, key: str = GOOD_KEY, **changes: str | None) -> TestResponse:
        return self.http.get(path, headers=self.headers(key, content_type=None, **changes))

    def event(self, body: Any, **changes: str | None) -> TestResponse:
        return self.post("/api/events", body, **changes)

    def profile(self, body: Any, **changes: str | None) -> TestResponse:
        return self.post("/api/profile-import", body, **changes)

    def bulk(self, body: Any, **changes: str | None) -> TestResponse:
        return self.post("/api/event-bulk-create-jobs", body, **changes)

    def fault(self, **fault: Any) -> None:
        assert self.http.post("/sandbox/faults", json=fault).status_code == 201

    def settings(self, **settings: Any) -> None:
        assert self.http.post("/sandbox/settings", json=settings).status_code == 200

    def held(self, what: str = "events", **filters: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.http.get(f"/sandbox/{what}", query_string=filters).get_json()
        return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def klaviyo_with(clock: Clock) -> Callable[..., Klaviyo]:
    """
    A sandbox with these settings; the rate limits are off unless asked for.
    """

    def make(**settings: Any) -> Klaviyo:
        waits: list[float] = []
        app = create_app(Settings(**{"rate_limits": False, **settings}), clock, waits.append)
        return Klaviyo(app.test_client(), waits)

    return make


@pytest.fixture
def klaviyo(klaviyo_with: Callable[..., Klaviyo]) -> Klaviyo:
    return klaviyo_with()


@pytest.fixture
def event_body() -> dict[str, Any]:
    return copy.deepcopy(EVENT)


@pytest.fixture
def profile_body() -> dict[str, Any]:
    return copy.deepcopy(PROFILE)


@pytest.fixture
def bulk_body() -> dict[str, Any]:
    return copy.deepcopy(BULK)


METRIC = {"data": {"type": "metric", "attributes": {"name": "Placed Order"}}}
PROFILE = {
    "data": {
        "type": "profile",
        "attributes": {
            "email": "john@example.com",
            "phone_number": "+15551234567",
            "external_id": "vrio-9001",
            "first_name": "John",
            "last_name": "Doe",
            "locale": "en-US",
            "location": {"address1": "89 E 42nd St", "city": "New York", "latitude": 40.75, "longitude": "-73.97"},
            "properties": {"CLV": 150.0, "skus": ["VIT-D3"], "$phone_number": "not a number"},
        },
        "meta": {"patch_properties": {"append": {"tags": "buyer"}, "unappend": {"old": ["a"]}, "unset": ["Gone"]}},
    }
}
EVENT = {
    "data": {
        "type": "event",
        "attributes": {
            "unique_id": "1668",
            "time": "2026-08-30T11:03:11+00:00",
            "value": 29.99,
            "value_currency": "USD",
            "backfill": False,
            "properties": {
                "OrderId": "1253",
                "Items": [{"SKU": "VIT-D3", "Quantity": 1}],
                "Discount": 0,
                "Gift": False,
            },
            "metric": METRIC,
            "profile": {
                "data": {
                    "type": "profile",
                    "attributes": {
                        "email": "john@example.com",
                        "phone_number": "+15551234567",
                        "location": {"zip": "10017"},
                        "properties": {"CLV": 150.0},
                        "meta": {"patch_properties": {"unset": "Gone"}},
                    },
                }
            },
        },
    }
}
BULK = {
    "data": {
        "type": "event-bulk-create-job",
        "attributes": {
            "events-bulk-create": {
                "data": [
                    {
                        "type": "event-bulk-create",
                        "attributes": {
                            "backfill": True,
                            "profile": {
                                "data": {
                                    "type": "profile",
                                    "attributes": {"email": email, "phone_number": phone},
                                    "meta": {"patch_properties": {"append": {"tags": "buyer"}}},
                                }
                            },
                            "events": {
                                "data": [
                                    {
                                        "type": "event",
                                        "attributes": {
                                            "unique_id": unique_id,
                                            "time": "2026-08-30T11:03:11Z",
                                            "value": 10,
                                            "properties": {},
                                            "metric": METRIC,
                                        },
                                    }
                                    for unique_id in ("1", "2")
                                ]
                            },
                        },
                    }
                    for email, phone in (("john@example.com", "+15551234567"), ("jane@example.com", "+442071234567"))
                ]
            }
        },
    }
}
