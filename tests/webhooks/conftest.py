"""A merchant's house that sends nothing, and somebody who posts to it."""

from collections.abc import Iterator

import pytest

from tests.building import House, emptied
from tests.webhooks.posting import Post
from vrio_klaviyo.store.db import Database


@pytest.fixture
def house(standing: Database) -> Iterator[House]:
    """A merchant's house on an empty database of each kind."""
    house = House(emptied(standing))
    yield house
    house.close()


@pytest.fixture
def post(house: House) -> Post:
    """Vrio, posting to its source."""
    return Post(house)
