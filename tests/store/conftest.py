"""One database of each kind for all tests of a module, emptied before each of them."""

from collections.abc import Iterator

import pytest

from tests.building import House, emptied
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.db import Database


@pytest.fixture
def database(standing: Database) -> Database:
    return emptied(standing)


@pytest.fixture
def house(database: Database) -> Iterator[House]:
    house = House(database)
    yield house
    house.close()


@pytest.fixture
def connection(house: House) -> Connection:
    return house.connect()
