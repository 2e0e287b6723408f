"""A merchant's house of which the clock knows, and two clocks of one installation."""

from collections.abc import Iterator

import pytest

from tests.building import House
from tests.workers.rounds import NOW, tools_for
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.db import Database
from workers.clock import Clock


@pytest.fixture
def clock(database_url: str, redis_url: str) -> Iterator[Clock]:
    tools = tools_for(database_url, redis_url, "here/1")
    yield Clock(tools)
    tools.db.close()
    tools.http.close()


@pytest.fixture
def second_clock(database_url: str, redis_url: str) -> Iterator[Clock]:
    tools = tools_for(database_url, redis_url, "here/2")
    yield Clock(tools)
    tools.db.close()
    tools.http.close()


@pytest.fixture
def house(database: Database) -> Iterator[House]:
    house = House(database)
    house.clock.now = NOW
    yield house
    house.close()


@pytest.fixture
def connection(house: House) -> Connection:
    return house.connect()
