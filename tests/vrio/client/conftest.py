"""A client of Vrio's REST API, and a Vrio that answers as told."""

from collections.abc import Iterator
from datetime import UTC

import pytest
import requests
import responses

from tests.vrio.client.played import API, KEY
from vrio_klaviyo.calling import new_session
from vrio_klaviyo.vrio.client import VrioClient


@pytest.fixture
def http() -> Iterator[requests.Session]:
    """What the product calls others with."""
    with new_session() as session:
        yield session


@pytest.fixture
def vrio() -> Iterator[responses.RequestsMock]:
    """A Vrio that answers as told."""
    with responses.RequestsMock() as played:
        yield played


@pytest.fixture
def waits() -> list[float]:
    """How long the client wanted to sleep; it did not."""
    return []


@pytest.fixture
def client(http: requests.Session, waits: list[float]) -> VrioClient:
    """A client of it, whose dates are in UTC."""
    return VrioClient(API, KEY, http, UTC, wait=waits.append)
