"""The jobs as a real worker does them: from a bell in Redis to rows in the database, and nothing but our own."""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis
from rq import Queue
from rq.registry import FailedJobRegistry
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from sandbox.klaviyo import REVOKED_KEY
from tests.bodies import declined
from tests.building import House
from tests.steered import Klaviyo
from vrio_klaviyo import replaying
from vrio_klaviyo.store import leases
from vrio_klaviyo.store.connections import KeyStatus
from vrio_klaviyo.store.crypto import Vault, new_key
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.key_checks import record_key
from vrio_klaviyo.store.listing import Wanted
from workers import jobs
from workers.bells import QUEUE, SERIALIZER
from workers.tools import Tools
from workers.worker import Worker

KEY = new_key()


@pytest.fixture
def house(database: Database, klaviyo: Klaviyo) -> Iterator[House]:
    house = House(database, klaviyo.url)
    house.vault = Vault([KEY])
    house.clock.now = datetime.now(UTC)
    yield house
    house.close()


@pytest.fixture
def tools(house: House, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tools]:
    """What the jobs of this process work with, by the environment, as when it runs."""
    environment = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": "secret",
        "ENCRYPTION_KEYS": KEY,
        "KLAVIYO_API_URL": house.klaviyo_url,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    jobs.tools.cache_clear()
    tools = jobs.tools()
    yield tools
    jobs.tools.cache_clear()
    tools.db.close()
    tools.http.close()


@pytest.fixture
def work(tools: Tools, redis_url: str) -> Iterator[Callable[[], None]]:
    """A real worker, that works until nothing is left to do."""
    # RQ: it takes the signals for itself and does not give them back.
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with Redis.from_url(redis_url) as connection:

        def work() -> None:
            queue = Queue(QUEUE, connection=connection, serializer=SERIALIZER)
            worker = Worker([queue], connection=connection, serializer=SERIALIZER)
            worker.work(burst=True, with_scheduler=False, logging_level="ERROR")

        yield work
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_bell_takes_a_webhook_all_the_way(
    house: House, tools: Tools, work: Callable[[], None], klaviyo: Klaviyo
) -> None:
    house.connect()
    house.post(declined())
    tools.bells.ring("intake", house.source.id)
    work()

    assert [event["unique_id"] for event in klaviyo.events()] == ["1001"]
    assert house.delivery().status == "accepted"
    assert tools.bells.waiting() == 0


def test_a_bell_is_answered_before_the_work(house: House, tools: Tools, work: Callable[[], None]) -> None:
    tools.bells.ring("intake", house.source.id)
    work()

    assert tools.bells.ring("intake", house.source.id)
    assert tools.bells.waiting() == 1


@pytest.mark.parametrize("job", ["intake", "lane", "recheck", "replay", "retention"])
def test_a_bell_for_what_is_not_there_is_no_harm(tools: Tools, work: Callable[[], None], job: str) -> None:
    tools.bells.ring(job, "gone")
    work()

    assert tools.bells.waiting() == 0


def test_a_crash_is_noted_on_the_webhook_and_the_worker_lives(
    house: House, tools: Tools, work: Callable[[], None]
) -> None:
    connection = house.connect()
    inbound_id = house.post(declined())
    house.change(connection, campaigns=7)
    tools.bells.ring("intake", house.source.id)
    work()

    crashed = house.inbound(inbound_id)
    assert (crashed.status, crashed.starts) == ("received", 1)
    assert "TypeError" in crashed.reason
    with house.db.read() as session:
        assert session.get_one(leases.LeaseRow, f"intake/{house.source.id}").owner is None
    house.change(connection, campaigns=[])
    tools.bells.ring("intake", house.source.id)
    work()

    assert (house.inbound(inbound_id).status, house.inbound(inbound_id).reason) == ("processed", "")


@pytest.mark.requirement("003-70")
def test_a_refused_key_is_asked_about_again_and_what_was_held_goes_on(
    house: House, tools: Tools, work: Callable[[], None], klaviyo: Klaviyo
) -> None:
    connection = house.connect()
    klaviyo.fault("status", status=401)
    house.post(declined())
    house.take_in()
    house.send(connection)
    assert house.delivery().status == "held"
    house.change(connection, checked_at=house.clock() - timedelta(hours=1))
    tools.bells.ring("recheck", connection.id)
    work()

    assert house.connection(connection).key_status == KeyStatus.ACCEPTED
    assert house.delivery().status == "queued"
    tools.bells.ring("lane", connection.account_id)
    work()
    assert house.delivery().status == "accepted"


def test_a_key_that_is_still_refused_is_left_for_an_hour(house: House, tools: Tools, work: Callable[[], None]) -> None:
    connection = house.connect(key=REVOKED_KEY)
    with house.db.write() as session:
        record_key(session, connection.id, KeyStatus.REJECTED, "401", house.clock() - timedelta(hours=2))
    tools.bells.ring("recheck", connection.id)
    work()

    checked = house.connection(connection)
    assert checked.key_status == KeyStatus.REJECTED
    assert checked.checked_at is not None
    assert checked.checked_at > house.clock() - timedelta(minutes=5)


@pytest.mark.parametrize(
    "function", ["os.getpid", "os.system", "workers.jobs.tools", "workers.jobs._do", "builtins.eval"]
)
def test_a_job_that_is_not_ours_is_refused(
    tools: Tools, work: Callable[[], None], redis_url: str, function: str, tmp_path: os.PathLike[str]
) -> None:
    written = os.path.join(tmp_path, "written")
    with Redis.from_url(redis_url) as connection:
        queue = Queue(QUEUE, connection=connection, serializer=SERIALIZER)
        arguments = {"os.system": [f"touch {written}"], "builtins.eval": [f"open({written!r}, 'w')"]}
        job = queue.enqueue(function, args=arguments.get(function, []), result_ttl=60)
        work()

        assert job.return_value() is None
        assert job.id in FailedJobRegistry(queue=queue)
    assert not os.path.exists(written)


def test_the_worker_goes_on_after_a_job_that_is_not_ours(
    house: House, tools: Tools, work: Callable[[], None], redis_url: str
) -> None:
    house.connect()
    house.post(declined())
    with Redis.from_url(redis_url) as connection:
        Queue(QUEUE, connection=connection, serializer=SERIALIZER).enqueue("os.getpid")
    tools.bells.ring("intake", house.source.id)
    work()

    with house.db.read() as session:
        assert session.scalars(select(InboundEvent.status)).all() == ["processed"]


def test_the_jobs_are_these() -> None:
    names = {f"workers.jobs.{name}" for name in ("intake", "lane", "recheck", "replay", "retention")}
    assert names <= jobs.NAMES
    assert "workers.jobs.tools" not in jobs.NAMES


def test_a_replay_is_advanced_by_its_bell(
    house: House, tools: Tools, work: Callable[[], None], klaviyo: Klaviyo
) -> None:
    connection = house.connect()
    klaviyo.fault("status", status=400)
    house.post(declined())
    house.take_in()
    house.send(connection)
    with house.db.write() as session:
        replay = replaying.start(session, connection, Wanted(status=["failed"]), house.clock(), started_by="me")
    tools.bells.ring("replay", replay.id)
    work()

    assert [event["unique_id"] for event in klaviyo.events()] == ["1001"]
    assert [attempt.trigger for attempt in house.attempts()] == ["first", "replay"]


def test_what_is_old_is_removed_by_its_bell(house: House, tools: Tools, work: Callable[[], None]) -> None:
    house.clock.advance(days=-31)
    inbound_id = house.post(b"nonsense")
    tools.bells.ring("retention", "daily")
    work()

    assert house.inbound(inbound_id).body == b""
    with house.db.read() as session:
        assert "periodic/retention" in leases.resting(session, datetime.now(UTC))


def test_what_a_job_held_when_the_database_went_away_is_given_back(house: House, tools: Tools) -> None:
    def holding() -> None:
        assert leases.acquire(house.db, "lane/ka_1", tools.owner, house.clock())
        raise OperationalError("UPDATE leases", {}, ConnectionError("the server closed the connection"))

    jobs._do("lane", "ka_1", holding)
    tools.give_back()

    assert leases.acquire(house.db, "lane/ka_1", "somebody/2", house.clock())


def test_what_a_job_holds_is_not_given_back_while_it_is_at_work(house: House, tools: Tools) -> None:
    def holding() -> None:
        tools.left_behind = True
        assert leases.acquire(house.db, "lane/ka_1", tools.owner, house.clock())
        tools.give_back()

    jobs._do("lane", "ka_1", holding)

    assert leases.acquire(house.db, "lane/ka_1", "somebody/2", house.clock()) is None
