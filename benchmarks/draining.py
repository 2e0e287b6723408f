"""Draining: from received webhooks to Klaviyo's last answer; the whole, and its two halves apart."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median
from threading import local
from typing import NamedTuple
from unittest.mock import patch

from redis import Redis
from rq import Queue
from sqlalchemy import create_engine, select

from benchmarks import plain
from benchmarks.house import DRAINED_WITHIN_S, Ground, House, cpu_s
from benchmarks.report import Report, ratio
from benchmarks.sizes import Size
from benchmarks.webhooks import mix
from benchmarks.worker import unlimited
from sandbox.klaviyo import GOOD_KEY
from sandbox.redis_server import PrivateRedis
from tests.product import ROOT, wait_until
from vrio_klaviyo import config
from vrio_klaviyo.calling import new_session
from vrio_klaviyo.intake import Intake
from vrio_klaviyo.klaviyo.requests import Known, Rendered, Style, loads, render
from vrio_klaviyo.sending import SENDERS
from vrio_klaviyo.store.deliveries import Delivery
from workers.tools import Tools, utc_now

TITLE = "Draining"
NOTES = (
    "Payments of a sandbox Vrio's month and as many first sales, some three requests each; Klaviyo's limits off, "
    "one worker process, SQLite; calm is every request on its own, rush is in bulk. "
    "The plain design is one RQ job a webhook on RQ's default worker, `requests.post` and an ORM commit a request; it "
    "was measured on fewer webhooks, and its mapping was given to it."
)
WHY = (
    "The lane commits every attempt before it is made and what came of it afterwards, which the bare pool does not; an "
    "answer that takes 0 ms leaves no time in which to do that beside it."
)
LATENCY_MS = 150
# Whatever waits is calm with the one, and a rush with the other.
CALM, RUSH = 10**9, 100

Wave = list[Rendered]


class Mode(NamedTuple):
    """How many webhooks are drained how: how many times as fast as the plain design, and from where on in bulk."""

    name: str
    webhooks: int
    goal: int
    rush_at: int


class Drained(NamedTuple):
    """Webhooks and requests a second, and the worker's processor time for each webhook."""

    rate: float
    requests: float
    cpu_ms: float


def measure(ground: Ground, size: Size) -> Report:
    """The whole at 0 and 150 ms against the plain design, then intake and lane apart."""
    report = Report("draining", TITLE, NOTES, WHY)
    waves = _intake(report, ground, size)
    for latency_ms, plain_count, calm, many in (
        (0, size.plain, size.drained, size.drained),
        (LATENCY_MS, size.plain_waited, size.calm, size.waited),
    ):
        modes = (Mode("calm", calm, 10, CALM), Mode("rush", many, 60, RUSH))
        theirs: list[float] = []
        ours: dict[Mode, list[Drained]] = {mode: [] for mode in modes}
        for _ in range(size.rounds):
            theirs.append(_plain(ground, waves[:plain_count], latency_ms))
            for mode in modes:
                ours[mode].append(_whole(ground, mode, latency_ms))
        beside = f"{size.rounds} × {plain_count} webhooks"
        report.add(f"plain design, {latency_ms} ms: webhooks a second", f"{median(theirs):.1f}/s", beside)
        for mode, drained in ours.items():
            times = ratio((one.rate for one in drained), theirs)
            requests, cpu_ms = (median(getattr(one, what) for one in drained) for what in ("requests", "cpu_ms"))
            report.add(
                f"whole, {mode.name}, {latency_ms} ms: webhooks a second",
                f"{median(one.rate for one in drained):.0f}/s",
                f"{size.rounds} × {mode.webhooks:,} webhooks, {requests:.0f} requests/s, {cpu_ms:.1f} ms CPU a "
                f"webhook; {times:.0f} × plain",
                f"at least {mode.goal} ×",
                times >= mode.goal,
            )
    _lane(report, ground, size)
    return report


def _whole(ground: Ground, mode: Mode, latency_ms: int) -> Drained:
    with ground.house(latency_ms=latency_ms) as house:
        house.start("clock")
        (worker,) = house.start_workers(1, rush_at=mode.rush_at)
        with house.frozen():
            house.receive(mix(mode.webhooks))
        began, cpu_before = time.perf_counter(), cpu_s(worker)
        house.bells.ring("intake", house.source.id)
        house.wait_until_drained()
        took = time.perf_counter() - began
        cpu_ms = 1000 * (cpu_s(worker) - cpu_before) / mode.webhooks
        return Drained(mode.webhooks / took, all_arrived_once(house) / took, cpu_ms)


def all_arrived_once(house: House) -> int:
    """How many deliveries there were; fails when Klaviyo does not hold exactly their events."""
    query = select(Delivery.status, Delivery.kind, Delivery.metric, Delivery.unique_id)
    with house.db.read() as session:
        rows = session.execute(query.where(Delivery.status != "skipped")).all()
    assert {row.status for row in rows} == {"accepted"}, Counter(row.status for row in rows)
    owed = Counter((row.metric, row.unique_id) for row in rows if row.kind == "event")
    held = house.klaviyo.events()
    assert Counter((event["metric"], event["unique_id"]) for event in held) == owed
    assert not any(event["repeats"] for event in held)
    return len(rows)


def _intake(report: Report, ground: Ground, size: Size) -> list[Wave]:
    """The intake alone; what follows from each webhook, as it would be sent one by one."""
    rates, cpus = [], []
    count = max(size.waited, size.plain)
    for _ in range(size.rounds):
        with ground.house() as house:
            house.receive(mix(count))
            rung = {"intake"}
            intake = Intake(db=house.db, ring=_noting(rung), now=utc_now)
            began, cpu_before = time.perf_counter(), time.process_time()
            while "intake" in rung:
                rung.clear()
                intake.drain(house.source.id, "benchmark")
            rates.append(count / (time.perf_counter() - began))
            cpus.append((time.process_time() - cpu_before) / count * 1000)
            waves = _waves(house)
    requests = sum(map(len, waves)) / count
    beside = f"{median(cpus):.2f} ms CPU each, {requests:.1f} requests each"
    report.add("intake alone: webhooks a second", f"{median(rates):.0f}/s", beside)
    return waves


def _noting(rung: set[str]) -> Callable[[str, str], bool]:
    def ring(job: str, _: str) -> bool:
        rung.add(job)
        return True

    return ring


def _waves(house: House) -> list[Wave]:
    waves: dict[str, Wave] = {}
    query = select(Delivery.inbound_event_id, Delivery.request).where(Delivery.status == "queued").order_by(Delivery.id)
    with house.db.read() as session:
        for inbound_event_id, request in session.execute(query):
            waves.setdefault(inbound_event_id, []).append(render(loads(request), Style(), Known()))
    return list(waves.values())


def _lane(report: Report, ground: Ground, size: Size) -> None:
    """The lane alone against a bare pool, calm."""
    for latency_ms in (0, LATENCY_MS):
        ours, theirs, cpus = [], [], []
        for _ in range(size.rounds):
            with ground.house(latency_ms=latency_ms) as house, _tools(house) as tools:
                house.receive(mix(size.calm))
                tools.intake.drain(house.source.id, "benchmark")
                bodies = [one for wave in _waves(house) for one in wave]
                lane = unlimited(tools, CALM)
                cpu_before, began = time.process_time(), time.perf_counter()
                while house.owes():
                    lane.drain(house.connection.account_id, "benchmark")
                ours.append(len(bodies) / (time.perf_counter() - began))
                cpus.append((time.process_time() - cpu_before) / len(bodies) * 1000)
                all_arrived_once(house)
            ground.klaviyo.reset(latency_ms=latency_ms)
            theirs.append(_ceiling(ground.klaviyo.url, bodies))
        share = ratio(ours, theirs)
        report.add(
            f"lane alone, calm, {latency_ms} ms: requests a second",
            f"{median(ours):.0f}/s",
            f"{median(cpus):.2f} ms CPU each; bare pool {median(theirs):.0f}/s, ratio {share:.2f}",
            "at least 0.6 of it",
            share >= 0.6,
        )


def _ceiling(url: str, bodies: Wave) -> float:
    """Requests a second of a bare thread pool that posts from memory and remembers nothing."""
    kept = local()

    def post(one: Rendered) -> None:
        if not hasattr(kept, "http"):
            kept.http = new_session()
        headers = {**one.headers, "authorization": f"Klaviyo-API-Key {GOOD_KEY}"}
        kept.http.post(url + one.path, data=one.body, headers=headers, timeout=10).raise_for_status()

    with ThreadPoolExecutor(SENDERS) as pool:
        began = time.perf_counter()
        list(pool.map(post, bodies))
        return len(bodies) / (time.perf_counter() - began)


def _plain(ground: Ground, waves: list[Wave], latency_ms: int) -> float:
    """Webhooks a second of the plain design."""
    ground.klaviyo.reset(latency_ms=latency_ms)
    database = f"sqlite:///{ground.folder / 'plain.db'}"
    engine = create_engine(database)
    plain.Base.metadata.drop_all(engine)
    plain.Base.metadata.create_all(engine)
    environment = {**os.environ, "PLAIN_DATABASE": database, "PLAIN_KLAVIYO": ground.klaviyo.url}
    with PrivateRedis() as server, Redis.from_url(server.url) as redis:
        queue = Queue("plain", connection=redis)
        for wave in waves:
            queue.enqueue("benchmarks.plain.send", [(one.path, dict(one.headers), one.body.decode()) for one in wave])
        command = [sys.executable, "-m", "rq.cli", "worker", "plain", "--url", server.url, "--quiet", "--path", "."]
        began = time.perf_counter()
        worker = subprocess.Popen(command, cwd=ROOT, env=environment)
        done = queue.finished_job_registry
        try:
            wait_until(lambda: len(done) == len(waves), "the plain design has sent all", DRAINED_WITHIN_S)
            took = time.perf_counter() - began
        finally:
            worker.terminate()
            worker.wait(30)
    return len(waves) / took


@contextmanager
def _tools(house: House) -> Iterator[Tools]:
    """What a worker works with, in this process; bells are rung in vain."""
    with patch.dict(os.environ, house.environment):
        tools = Tools(config.load())
    yield tools
    tools.db.close()
    tools.http.close()
