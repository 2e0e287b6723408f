"""The tools of the console's web process: real ones, on an empty database of each kind, with a clock that obeys."""

from collections.abc import Iterator

import pytest

from console.site import Site, limiter
from tests.building import House, emptied, settings_for
from tests.console.shop import klaviyo
from vrio_klaviyo.config import Settings
from vrio_klaviyo.store.db import Database
from workers.bells import Bells


@pytest.fixture
def klaviyo_url() -> Iterator[str]:
    with klaviyo() as (url, _):
        yield url


@pytest.fixture
def house(standing: Database) -> Iterator[House]:
    """A merchant's house in the workspace `default`; its clock and its vault are the site's. There is no Klaviyo."""
    house = House(emptied(standing))
    yield house
    house.close()


@pytest.fixture
def settings(house: House, redis_url: str) -> Settings:
    return settings_for(house.db.engine.url.render_as_string(hide_password=False), redis_url)


@pytest.fixture
def site(settings: Settings, house: House) -> Site:
    return Site(
        settings=settings,
        db=house.db,
        vault=house.vault,
        http=house.http,
        bells=Bells(settings.redis_url),
        now=house.clock,
        limiter=limiter(settings.redis_url),
    )
