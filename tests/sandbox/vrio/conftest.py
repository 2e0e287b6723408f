"""A month that is told once, and a caller of the REST API."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sandbox.vrio import SANDBOX_KEY, World, create_app, tell_month


class Caller:
    """Asks with the right key unless told otherwise."""

    def __init__(self, http: FlaskClient) -> None:
        self.http = http

    def get(self, url: str, key: str | None = SANDBOX_KEY) -> TestResponse:
        return self.http.get(url, headers={} if key is None else {"X-Api-Key": key})

    def json(self, url: str) -> Any:
        answer = self.get(url)
        assert answer.status_code == 200, answer.get_json()
        return answer.get_json()

    def error(self, url: str, key: str | None = SANDBOX_KEY) -> tuple[int, str]:
        answer = self.get(url, key)
        return answer.status_code, answer.get_json()["error"]["code"]

    def fault(self, **fault: Any) -> None:
        assert self.http.post("/sandbox/faults", json=fault).status_code == 201


@pytest.fixture(scope="session")
def month() -> World:
    return tell_month(500, seed=7)


@pytest.fixture
def vrio(month: World) -> Caller:
    return Caller(create_app(month).test_client())


@pytest.fixture
def vrio_with() -> Callable[..., Caller]:
    """A caller of a sandbox over this world, made as told."""

    def make(world: World, *settings: Any) -> Caller:
        return Caller(create_app(world, *settings).test_client())

    return make
