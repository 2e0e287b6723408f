"""A town for each test, or one that stands for all tests of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.redis_server import PrivateRedis
from tests.building import Klaviyo, klaviyo_served
from tests.faults.town import Town


@pytest.fixture
def klaviyo() -> Iterator[Klaviyo]:
    """A sandbox without rate limits."""
    with klaviyo_served() as klaviyo:
        yield klaviyo


@pytest.fixture
def town(
    database_url: str, redis_url: str, redis_server: PrivateRedis, klaviyo: Klaviyo, tmp_path: Path
) -> Iterator[Town]:
    """An installation that is migrated and connected, and of which nothing runs."""
    town = Town(database_url, redis_server, klaviyo, tmp_path)
    yield town
    town.close()
