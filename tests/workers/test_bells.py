"""The bell, on a real Redis: coalesced, quiet while Redis is away, and no door for strangers."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job

from sandbox.redis_server import PrivateRedis
from workers.bells import BELL_TTL_S, QUEUE, SERIALIZER, SILENT_AFTER_FAILURE_S, Bells, Ringer


@pytest.fixture
def client(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def bells(redis_url: str) -> Bells:
    return Bells(redis_url)


def queued(client: Redis) -> list[Job]:
    return Queue(QUEUE, connection=client, serializer=SERIALIZER).jobs


def test_a_bell_is_a_job_with_an_id_and_nothing_else(bells: Bells, client: Redis) -> None:
    assert bells.ring("intake", "so_1")

    (job,) = queued(client)
    assert (job.func_name, list(job.args), job.kwargs) == ("workers.jobs.intake", ["so_1"], {})
    assert job.description == "intake so_1"
    assert bells.waiting() == 1


def test_a_job_does_not_stay_in_redis(bells: Bells, client: Redis) -> None:
    bells.ring("intake", "so_1")

    (job,) = queued(client)
    assert (job.result_ttl, job.failure_ttl, job.ttl) == (0, 3600, None)
    assert job.timeout is not None
    assert job.retries_left is None


def test_a_bell_that_rings_is_not_rung_again(bells: Bells, client: Redis) -> None:
    bells.ring("intake", "so_1")
    (name,) = client.keys("bell:*")
    # It would fall silent by itself after less than a second.
    client.persist(name)
    assert all(bells.ring("intake", "so_1") for _ in range(500))

    assert bells.waiting() == 1


def test_each_job_and_subject_has_a_bell_of_its_own(bells: Bells, client: Redis) -> None:
    for job, subject in (("intake", "a"), ("lane", "a"), ("intake", "b")):
        bells.ring(job, subject)

    assert [job.description for job in queued(client)] == ["intake a", "lane a", "intake b"]


def test_a_bell_that_was_answered_can_be_rung_again(bells: Bells, client: Redis) -> None:
    bells.ring("intake", "so_1")
    bells.answered("intake", "so_1")
    bells.ring("intake", "so_1")

    assert bells.waiting() == 2


def test_a_bell_whose_job_was_lost_falls_silent_by_itself(bells: Bells, client: Redis) -> None:
    bells.ring("intake", "so_1")
    (name,) = client.keys("bell:*")

    assert 0 < client.pttl(name) <= BELL_TTL_S * 1000


def test_what_stands_in_redis_is_ids_only(bells: Bells, client: Redis) -> None:
    bells.ring("lane", "ka_1")

    (job,) = queued(client)
    assert json.loads(job.serializer.dumps(job.args)) == ["ka_1"]
    assert SERIALIZER == "json"


def test_with_redis_gone_ringing_is_in_vain(bells: Bells, redis_server: PrivateRedis) -> None:
    redis_server.stop()

    assert not any(bells.ring("intake", f"so_{number}") for number in range(100))
    assert not bells.answers()


def test_with_redis_frozen_only_the_first_ring_waits_for_it() -> None:
    """It takes the connection and never says a word; who waited for it would wait for ever."""
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        bells = Bells(f"redis://127.0.0.1:{frozen.getsockname()[1]}/0")
        assert not any(bells.ring("intake", f"so_{number}") for number in range(100))

        frozen.setblocking(False)
        first, _ = frozen.accept()
        first.close()
        with pytest.raises(BlockingIOError):
            frozen.accept()


def test_when_redis_is_back_bells_ring_again(redis_url: str, redis_server: PrivateRedis) -> None:
    bells = Bells(redis_url)
    redis_server.stop()
    assert not bells.ring("intake", "so_1")
    redis_server.start()
    time.sleep(SILENT_AFTER_FAILURE_S)

    assert bells.ring("intake", "so_1")
    assert bells.answers()
    assert bells.waiting() == 1


def test_redis_that_was_emptied_is_no_harm(bells: Bells, client: Redis) -> None:
    bells.ring("intake", "so_1")
    client.flushall()

    assert bells.ring("intake", "so_1")
    assert bells.waiting() == 1


def test_redis_tells_of_itself(bells: Bells, redis_server: PrivateRedis) -> None:
    bells.ring("intake", "so_1")
    facts = bells.facts()
    redis_server.stop()

    assert facts is not None
    assert (facts.policy, facts.bells_waiting) == ("noeviction", 1)
    assert facts.used_bytes > 0
    assert abs(facts.off_s) < 30
    assert bells.facts() is None


@pytest.mark.parametrize(
    "spoil",
    [lambda client: client.config_set("maxmemory", "100kb"), lambda client: client.replicaof("127.0.0.1", "9")],
    ids=["full", "replica"],
)
def test_redis_that_takes_nothing_in_does_not_count_as_there(
    bells: Bells, client: Redis, redis_server: PrivateRedis, spoil: Callable[[Redis], object]
) -> None:
    spoil(client)
    answers, facts, rings = bells.answers(), bells.facts(), bells.ring("intake", "so_1")
    redis_server.stop()

    assert not rings
    assert not answers
    assert facts is not None
    assert facts.refuses


def test_asking_redis_leaves_nothing_behind_for_long(bells: Bells, client: Redis) -> None:
    assert bells.answers()
    told = bells.facts()

    assert told is not None
    assert not told.refuses
    assert all(0 < client.pttl(name) <= 1000 for name in client.keys("*"))


def test_who_has_a_bell_rung_does_not_wait_for_it() -> None:
    asked, may_ring = threading.Event(), threading.Event()

    def ring(_job: str, _subject: str) -> bool:
        asked.set()
        return may_ring.wait(10)

    ringer = Ringer(ring)

    assert ringer.ring("intake", "so_1")
    assert asked.wait(10)
    assert not may_ring.is_set()
    may_ring.set()


def test_what_is_asked_for_while_a_bell_is_rung_is_rung_once_more() -> None:
    rung: list[tuple[str, str]] = []
    asked, may_ring, last = threading.Event(), threading.Event(), threading.Event()

    def ring(job: str, subject: str) -> bool:
        rung.append((job, subject))
        asked.set()
        if subject == "so_last":
            last.set()
        return may_ring.wait(10)

    ringer = Ringer(ring)
    ringer.ring("intake", "so_1")
    assert asked.wait(10)
    for subject in ("so_1", "so_2", "so_1", "so_2"):
        ringer.ring("intake", subject)
    may_ring.set()
    ringer.ring("intake", "so_last")
    assert last.wait(10)

    assert sorted(rung) == [("intake", "so_1"), ("intake", "so_1"), ("intake", "so_2"), ("intake", "so_last")]
