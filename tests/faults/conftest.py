"""A town for each test, or one that stands for all tests of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.redis_server import PrivateRedis
from tests.faults.town import Town
from tests.steered import Klaviyo, klaviyo_served


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


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lasting_town(
    request: pytest.FixtureRequest, redis_server: PrivateRedis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    """The same for all tests of a module."""
    kinds = request.getfixturevalue({"sqlite": "sqlite_files", "postgresql": "postgres_server"}[request.param])
    redis_server.start()
    with kinds.fresh(migrated=True) as url, klaviyo_served() as klaviyo:
        town = Town(url, redis_server, klaviyo, tmp_path_factory.mktemp("town"))
        yield town
        town.close()
