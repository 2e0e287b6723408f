"""
The bell: ask a worker to look at one source or lane. Only ever after the commit that made it necessary.

Redis is no memory here. A bell that is lost, doubled or late changes nothing but the hour: the clock's sweep rings for
whatever is stranded.
"""

import time

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue

QUEUE = "work"
SERIALIZER = "json"

# Shorter than the clock's sweep, so that the bell of a job that died before it began does not keep the sweep's from
# ringing.
BELL_TTL_S = 0.9
# With Redis away every try costs up to the time-out; in between, webhooks are answered without one.
SILENT_AFTER_FAILURE_S = 3.0


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

    def answers(self) -> bool:
        """Whether Redis is there."""
        try:
            return bool(self._redis.ping())
        except redis.exceptions.RedisError:
            return False


def _bell(job: str, subject: str) -> str:
    return f"bell:{job}:{subject}"
