"""The ground that the other tests stand on: fresh databases, an empty Redis, and nobody leaves this computer."""

import socket

import pytest
import requests
from redis import Redis
from sqlalchemy import inspect, text

from sandbox.redis_server import PrivateRedis
from vrio_klaviyo.store.db import Database, head


@pytest.mark.parametrize("_turn", [1, 2])
def test_every_test_gets_a_migrated_database_that_nobody_wrote_to(_turn: int, database: Database) -> None:
    assert database.revision() == head()
    with database.write() as session:
        session.execute(text("CREATE TABLE left_behind (id INTEGER)"))


def test_an_empty_database_has_no_tables_yet(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    try:
        assert inspect(database.engine).get_table_names() == []
        assert database.revision() is None
    finally:
        database.close()


def test_a_database_is_of_the_kind_that_the_test_is_named_after(
    database_url: str, request: pytest.FixtureRequest
) -> None:
    kind = request.node.callspec.id

    assert database_url.startswith(f"{kind}://")


@pytest.mark.parametrize("_turn", [1, 2])
def test_every_test_gets_an_empty_redis(_turn: int, redis_url: str) -> None:
    with Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")


@pytest.mark.parametrize("_turn", [1, 2])
def test_a_redis_that_a_test_stopped_runs_again_for_the_next(
    _turn: int, redis_url: str, redis_server: PrivateRedis
) -> None:
    with Redis.from_url(redis_url) as client:
        assert client.ping()
    redis_server.stop()


def test_a_test_that_looks_another_computer_up_fails() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"this one went to klaviyo\.example"):
        requests.get("https://klaviyo.example", timeout=1)


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")])
def test_a_test_that_calls_another_computer_fails(family: socket.AddressFamily, address: str) -> None:
    with socket.socket(family) as caller, pytest.raises(pytest.fail.Exception, match="may not leave this computer"):
        caller.connect((address, 443))
    with socket.socket(family) as caller, pytest.raises(pytest.fail.Exception, match="may not leave this computer"):
        caller.connect_ex((address, 443))


def test_this_computer_may_be_called_by_any_of_its_names() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        for name in ("127.0.0.1", "localhost"):
            with socket.create_connection((name, server.getsockname()[1]), timeout=1):
                pass
