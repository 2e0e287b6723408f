"""
What any test may ask for: a Redis, a PostgreSQL, a database of each kind, a merchant's house, a Klaviyo that obeys.
Real ones, started at the first use.

With several processes (`-n`) each has servers of its own, so tests never meet.
"""

import os
import socket
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any

import freezegun
import hypothesis
import pytest
from redis import Redis

from sandbox.redis_server import PrivateRedis
from tests.building import House, emptied, standing_database
from tests.databases import PostgresServer, SqliteFiles
from tests.steered import Klaviyo, klaviyo_served
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.db import Database

# phonenumbers: hundreds of modules without a clock, which freezegun would search at every freeze. Nothing that calls
# our code may stand in this list: what is called from there gets the real time.
freezegun.configure(extend_ignore_list=["phonenumbers"])

hypothesis.settings.register_profile("ours", deadline=None, max_examples=60, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("ours")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[PrivateRedis]:
    """A Redis that this process has for itself. Who stops it need not start it again: `redis_url` does."""
    with PrivateRedis() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: PrivateRedis) -> str:
    """The URL of a Redis that runs and holds nothing."""
    redis_server.start()
    with Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture(scope="session")
def sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> SqliteFiles:
    """Where the tests' SQLite databases are made."""
    return SqliteFiles(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL that this process has for itself."""
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> SqliteFiles | PostgresServer:
    """Where databases come from; runs a test once with each kind."""
    return request.getfixturevalue({"sqlite": "sqlite_files", "postgresql": "postgres_server"}[request.param])


@pytest.fixture
def database_url(databases: SqliteFiles | PostgresServer) -> Iterator[str]:
    """The URL of a fresh, migrated database."""
    with databases.fresh(migrated=True) as url:
        yield url


@pytest.fixture
def empty_database_url(databases: SqliteFiles | PostgresServer) -> Iterator[str]:
    """The URL of a database that no migration has seen."""
    with databases.fresh(migrated=False) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh, migrated database, open."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def standing(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A migrated database of each kind for all tests of a module; who asks for it empties it first."""
    yield from standing_database(request)


@pytest.fixture(scope="module")
def served() -> Iterator[Klaviyo]:
    """A sandbox of this module."""
    with klaviyo_served() as klaviyo:
        yield klaviyo


@pytest.fixture
def klaviyo(served: Klaviyo) -> Klaviyo:
    """The module's sandbox, as new."""
    served.reset()
    return served


@pytest.fixture
def house(standing: Database, klaviyo: Klaviyo) -> Iterator[House]:
    """A merchant's house on an empty database of each kind, which sends to the sandbox."""
    house = House(emptied(standing), klaviyo.url)
    yield house
    house.close()


@pytest.fixture
def connection(house: House) -> Connection:
    """A connection of that house."""
    return house.connect()


@pytest.fixture(autouse=True)
def this_computer_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Fails a test that looks another computer up or calls it.

    Shape:  Python's own sockets, in this process. The failure is no `Exception`, so that no code takes it for a network
            that is down, and goes on.
    """

    def guarded(act: Callable[..., Any], host_in: Callable[..., str | None]) -> Callable[..., Any]:
        def acting(*args: Any, **kwargs: Any) -> Any:
            host = host_in(*args, **kwargs)
            if not _is_here(host):
                pytest.fail(f"A test may not leave this computer, and this one went to {host}")
            return act(*args, **kwargs)

        return acting

    def host_of_address(connecting: socket.socket, address: Any) -> str | None:
        return address[0] if connecting.family in (socket.AF_INET, socket.AF_INET6) else None

    def host_of_name(host: str | None, *_args: Any, **_kwargs: Any) -> str | None:
        return host

    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect, host_of_address))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex, host_of_address))
    monkeypatch.setattr(socket, "getaddrinfo", guarded(socket.getaddrinfo, host_of_name))


def _is_here(host: str | None) -> bool:
    if not host or host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
