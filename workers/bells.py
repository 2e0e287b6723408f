"""
The bell: ask a worker to look at one source or lane. Only ever after the commit that made it necessary.

Redis is no memory here. A bell that is lost, doubled or late changes nothing but the hour: the clock's sweep rings for
whatever is stranded.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.job import Job

from vrio_klaviyo.health import RedisFacts

QUEUE = "work"
SERIALIZER = "json"

# Shorter than the clock's sweep, so that the bell of a job that died before it began does not keep the sweep's from
# ringing.
BELL_TTL_S = 0.9
# With Redis away every try costs up to the time-out; in between, webhooks are answered without one.
SILENT_AFTER_FAILURE_S = 3.0
# Written to see whether Redis takes anything in.
TRIAL = "bell:trial"
# What is asked for meanwhile is rung for together.
REST_S = 0.005


class Bells:
    """Rings over one Redis; safe in several threads."""

    def __init__(self, redis_url: str) -> None:
        # One second, one try: nobody waits for Redis.
        self._redis = redis.Redis.from_url(
            redis_url, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)
        )
        self._queue = Queue(QUEUE, connection=self._redis, serializer=SERIALIZER)
        self._silent_until = 0.0

    def ring(self, job: str, subject: str) -> bool:
        """
        Have `workers.jobs.<job>` look at the subject; False when Redis is away, which is nobody's loss.

        A bell that is ringing already is not rung again: the job takes it down before it looks.
        """
        if time.monotonic() < self._silent_until:
            return False
        try:
            if self._redis.set(_bell(job, subject), 1, nx=True, px=int(BELL_TTL_S * 1000)):
                self._queue.enqueue(
                    f"workers.jobs.{job}",
                    subject,
                    # RQ: without these a finished job stays 500 s in Redis and a failed one a year.
                    result_ttl=0,
                    failure_ttl=3600,
                    # Longer than a slice and all the time-outs in it; the lease outlives it.
                    job_timeout=30,
                    description=f"{job} {subject}",
                )
        except redis.exceptions.RedisError:
            self._silent_until = time.monotonic() + SILENT_AFTER_FAILURE_S
            return False
        return True

    def answered(self, job: str, subject: str) -> None:
        """Take the bell down; from now on it can be rung again."""
        self._redis.delete(_bell(job, subject))

    def waiting(self) -> int:
        """How many jobs wait for a worker. Raises redis.exceptions.RedisError."""
        return len(self._queue)

    def newest_waiting(self, most: int) -> set[tuple[str, str]]:
        """The jobs and subjects that wait for a worker; of many only the newest. Raises redis.exceptions.RedisError."""
        with self._redis.pipeline(transaction=False) as asking:
            for job_id in self._queue.get_job_ids(-most):
                asking.hget(Job.key_for(job_id), "description")
            told: list[bytes | None] = asking.execute()
        # RQ: workers pass over a job of which nothing is left but its place in the queue; it is to be rung for again.
        parts = [description.decode().partition(" ") for description in told if description]
        return {(job, subject) for job, _, subject in parts}

    def facts(self) -> RedisFacts | None:
        """What Redis says of itself; None when it is not there."""
        began = time.monotonic()
        try:
            about: Any = self._redis.info()
            took_ms = (time.monotonic() - began) * 1000
            seconds, micros = self._redis.time()
            ours = time.time()
            # A Redis that somebody else runs may not let us read its configuration, and tells this all the same.
            policy = str(about.get("maxmemory_policy", ""))
            return RedisFacts(
                version=str(about.get("redis_version", "")),
                took_ms=took_ms,
                policy=policy,
                used_bytes=int(about.get("used_memory", 0)),
                bells_waiting=self.waiting(),
                off_s=seconds + micros / 1e6 - ours,
                refuses=self._refuses(),
            )
        except redis.exceptions.RedisError:
            return None

    def answers(self) -> bool:
        """Whether Redis is there, and takes in what is rung."""
        try:
            return not self._refuses()
        except redis.exceptions.RedisError:
            return False

    def _refuses(self) -> str:
        """Why Redis takes nothing in, in its own words; empty when it does. Raises redis.exceptions.RedisError."""
        try:
            self._redis.set(TRIAL, 1, px=int(BELL_TTL_S * 1000))
        except redis.exceptions.ResponseError as error:
            # Redis: one that is full, or follows another one, answers whoever asks and takes nothing from anybody.
            return str(error).rstrip(".")
        return ""


class Ringer:
    """
    Rings in a thread of its own: who posts a webhook does not wait for Redis, and what comes together rings once.

    Shape:  the bell is rung after it was asked for, so after the commit that made it necessary. What a process that is
            killed did not come to ring for, the clock's sweep rings for.
    """

    def __init__(self, ring: Callable[[str, str], bool]) -> None:
        self._ring = ring
        self._asked: dict[tuple[str, str], None] = {}
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def ring(self, job: str, subject: str) -> bool:
        """Have the bell rung, at once but not by us; always True."""
        self._asked[job, subject] = None
        self._wanted.set()
        if self._thread is None:
            self._start()
        return True

    def _start(self) -> None:
        # Not earlier: a thread does not come along when a process forks.
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._go, name="ringer", daemon=True)
                self._thread.start()

    def _go(self) -> None:
        while self._wanted.wait():
            self._wanted.clear()
            while self._asked:
                self._ring(*self._asked.popitem()[0])
            time.sleep(REST_S)


def _bell(job: str, subject: str) -> str:
    return f"bell:{job}:{subject}"
