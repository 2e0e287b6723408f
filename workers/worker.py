"""`flask worker`: takes bells from Redis and does the jobs, until it is told to stop."""

import os
import threading
import time
from contextlib import suppress
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue, SimpleWorker
from rq.job import Job

from vrio_klaviyo import log
from vrio_klaviyo.store import leases
from vrio_klaviyo.store.db import DatabaseError
from workers import jobs
from workers.bells import QUEUE, SERIALIZER
from workers.tools import Tools, utc_now

PRESENCE = "worker/"
PRESENCE_S = leases.WORKER_S
# Klaviyo may keep a call for ten seconds. Who stops us waits no longer than that, and a call cut off is sent again.
LAST_MOMENT_S = 9.0


class Worker(SimpleWorker):
    """RQ's worker without a fork for each job, so that connections to the database and to Klaviyo live on."""

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Does our own jobs only: who can write to Redis must not be able to run anything else here."""
        if job.func_name not in jobs.NAMES:
            log.error("job.refused", job=job.id)
            self.prepare_execution(job)
            self.handle_job_failure(job, queue, exc_string="not a job of ours")
            return
        super().execute_job(job, queue)

    def request_stop(self, signum: Any, frame: Any) -> None:
        """Told to stop: nothing new is begun, what is under way is finished."""
        jobs.tools().stopping = True
        last_moment = threading.Timer(LAST_MOMENT_S, os._exit, [0])
        last_moment.daemon = True
        last_moment.start()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def run() -> None:
    """Work until told to stop; a Redis that comes and goes is waited for."""
    tools = jobs.tools()
    tools.bury_the_dead()
    threading.Thread(target=_show_presence, args=[tools], daemon=True).start()
    log.info("worker.started", worker=tools.owner)
    while not tools.stopping:
        try:
            _work(tools)
        except redis.exceptions.RedisError as error:
            log.warning("worker.without_redis", worker=tools.owner, error=type(error).__name__)
        if not tools.stopping:
            # RQ's worker ends by itself when Redis blinks; whoever supervises us need not know.
            time.sleep(1)
    log.info("worker.stopped", worker=tools.owner)
    with tools.db.write() as session:
        leases.forget(session, PRESENCE + tools.owner)


def _work(tools: Tools) -> None:
    connection = redis.Redis.from_url(tools.settings.redis_url, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0))
    # RQ: one queue only; with two, a job that is being taken when the worker dies is in no list at all.
    queue = Queue(QUEUE, connection=connection, serializer=SERIALIZER)
    worker = Worker(
        [queue],
        connection=connection,
        serializer=SERIALIZER,
        worker_ttl=30,
        maintenance_interval=60,
        job_monitoring_interval=10,
    )
    worker.work(with_scheduler=False, logging_level="WARNING")


def _show_presence(tools: Tools) -> None:
    shown_at = -PRESENCE_S
    while not tools.stopping:
        # While the database is away nobody can ask it who lives, and `/readyz` says that it is away.
        with suppress(DatabaseError):
            tools.give_back()
            if time.monotonic() - shown_at > PRESENCE_S / 3:
                leases.keep(tools.db, PRESENCE + tools.owner, tools.owner, utc_now(), PRESENCE_S)
                shown_at = time.monotonic()
        time.sleep(1)
