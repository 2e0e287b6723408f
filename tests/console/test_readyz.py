"""`/readyz`: 503 while nothing can be kept, else 200 with what is away by its name."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from redis import Redis

from console import probes
from sandbox.redis_server import PrivateRedis
from vrio_klaviyo.store import leases
from vrio_klaviyo.store.db import Database, head
from workers.bells import Bells

NOW = datetime.now(UTC)
LENGTHS = {"worker/host/1": leases.WORKER_S, "clock": leases.CLOCK_S}
NO_LONGER = pytest.mark.parametrize(
    "at", [NOW - timedelta(hours=1), NOW + timedelta(hours=1)], ids=["an_hour_ago", "before_the_clock_was_set_back"]
)


def asked(database: Database, redis_url: str, now: datetime = NOW) -> tuple[int, Any]:
    """What is answered at this moment."""
    app = Flask(__name__)
    app.register_blueprint(probes.blueprint(database, Bells(redis_url), lambda: now))
    answer = app.test_client().get("/readyz")
    return answer.status_code, answer.json


def lives(database: Database, *names: str, at: datetime = NOW) -> None:
    for name in names:
        leases.keep(database, name, "host/1", at, LENGTHS[name])


def degraded(*names: str, workers: int = 1) -> tuple[int, Any]:
    return 200, {"status": "degraded", "degraded": list(names), "workers": workers}


def test_while_all_work_it_is_ok(database: Database, redis_url: str) -> None:
    lives(database, *LENGTHS)

    assert asked(database, redis_url) == (200, {"status": "ok", "degraded": [], "workers": 1})


@NO_LONGER
def test_a_clock_that_shows_no_life_is_named(database: Database, redis_url: str, at: datetime) -> None:
    lives(database, "worker/host/1")
    lives(database, "clock", at=at)

    assert asked(database, redis_url) == degraded("clock")


@NO_LONGER
def test_workers_none_of_which_shows_life_are_named(database: Database, redis_url: str, at: datetime) -> None:
    lives(database, "worker/host/1", at=at)
    lives(database, "clock")

    assert asked(database, redis_url) == degraded("worker", workers=0)


def test_a_redis_that_is_away_is_named(database: Database, redis_url: str, redis_server: PrivateRedis) -> None:
    lives(database, *LENGTHS)
    redis_server.stop()

    assert asked(database, redis_url) == degraded("redis")


@pytest.mark.parametrize(
    "spoil",
    [lambda client: client.config_set("maxmemory", "100kb"), lambda client: client.replicaof("127.0.0.1", "9")],
    ids=["full", "replica"],
)
def test_a_redis_that_takes_nothing_in_is_named(
    database: Database, redis_url: str, redis_server: PrivateRedis, spoil: Callable[[Redis], object]
) -> None:
    """It answers a PING all the same."""
    lives(database, *LENGTHS)
    with Redis.from_url(redis_url) as client:
        spoil(client)
        assert client.ping()
        told = asked(database, redis_url)
    redis_server.stop()

    assert told == degraded("redis")


def test_all_that_is_away_is_named(database: Database, redis_url: str, redis_server: PrivateRedis) -> None:
    redis_server.stop()

    assert asked(database, redis_url) == degraded("redis", "worker", "clock", workers=0)


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:9/none", "sqlite:///{folder}"])
def test_without_a_database_it_is_not_ready(redis_url: str, tmp_path: Path, url: str) -> None:
    database = Database(url.format(folder=tmp_path))

    assert asked(database, redis_url) == (503, {"status": "not ready", "reason": "database"})
    database.close()


def test_on_a_database_that_is_not_migrated_it_is_not_ready(empty_database_url: str, redis_url: str) -> None:
    database = Database(empty_database_url)
    told = asked(database, redis_url)
    database.close()

    assert told == (503, {"status": "not ready", "reason": "migrations", "at": None, "needed": head()})
