"""Receiving: the shipped web server, against a bare Flask view on the same server that does the same insert."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from statistics import median

from sqlalchemy import func, select

from benchmarks.house import KINDS, Ground, House, free_port, listens
from benchmarks.load import Poured, pour
from benchmarks.report import Report, ratio
from benchmarks.sizes import Size
from benchmarks.webhooks import sales
from tests.product import PATIENCE_S, ROOT, wait_until
from vrio_klaviyo.store.inbound import InboundEvent

TITLE = "Receiving"
WARM_UP = 30
# So many times as many as elsewhere, because each takes about a second.
ROUNDS = 3
NOTES = "Webhooks of 8 KB over 16 connections, one web process. The bare view does the same insert and nothing else."
WHY = (
    "Besides the insert, the product takes card numbers out of the body, reads it and hashes it, so that a repeat is "
    "known. With SQLite the commits that webhooks share outweigh that; PostgreSQL shares them for the bare view, too."
)


def measure(ground: Ground, size: Size) -> Report:
    """How many webhooks a second, and how long the slowest of them take."""
    report = Report("receiving", TITLE, NOTES, WHY)
    for kind in KINDS:
        with ground.house(kind) as house, _bare(house) as bare:
            house.start("web")
            numbers = count(step=size.received)
            first = pour(house.address, sales(WARM_UP, -WARM_UP))
            pour(bare, sales(WARM_UP))
            calm, beside = _side_by_side(house, bare, size, numbers)
            _tell(report, f"{kind}: webhooks a second", calm, beside)
            paced, paced_beside = [], []
            for number in range(10**6, 10**6 + size.rounds * size.paced, size.paced):
                bodies = sales(size.paced, number)
                paced.append(_at_half_of(calm, house.address, bodies))
                paced_beside.append(_at_half_of(beside, bare, bodies))
            p50, p99, bare_p99 = (
                median(poured.percentile_ms(percent) for poured in them)
                for them, percent in ((paced, 50), (paced, 99), (paced_beside, 99))
            )
            report.add(
                f"{kind}: p99 at half of that rate",
                f"{p99:.0f} ms",
                f"p50 {p50:.0f} ms; bare view at half of its own rate: p99 {bare_p99:.0f} ms",
                "under 50 ms",
                p99 < 50,
            )
            house.start_workers(1)
            house.bells.ring("intake", house.source.id)
            busy, beside = _side_by_side(house, bare, size, numbers)
            house.stop("worker 0")
            _tell(report, f"{kind}: the same while a worker is busy", busy, beside)
            _all_kept(house, [first, *calm, *paced, *busy])
    return report


def _side_by_side(house: House, bare: str, size: Size, numbers: Iterator[int]) -> tuple[list[Poured], list[Poured]]:
    ours, theirs = [], []
    for _ in range(ROUNDS * size.rounds):
        bodies = sales(size.received, next(numbers))
        ours.append(pour(house.address, bodies))
        theirs.append(pour(bare, bodies))
    return ours, theirs


def _at_half_of(fastest: list[Poured], url: str, bodies: list[bytes]) -> Poured:
    return pour(url, bodies, connections=64, rate=median(poured.rate for poured in fastest) / 2)


def _tell(report: Report, what: str, ours: list[Poured], theirs: list[Poured]) -> None:
    own, other = [poured.rate for poured in ours], [poured.rate for poured in theirs]
    share = ratio(own, other)
    # What SQLite could not take in time, because the worker wrote, is answered with 503 and comes again.
    refused = sum(poured.statuses[503] for poured in ours)
    beside = f"bare view {median(other):.0f}/s, ratio {share:.2f}" + (f"; {refused} told to come again" * bool(refused))
    report.add(what, f"{median(own):.0f}/s", beside, "at least 0.8 of it", share >= 0.8)


def _all_kept(house: House, poured: list[Poured]) -> None:
    assert {status for one in poured for status in one.statuses} <= {202, 503}
    kept = select(func.count()).select_from(InboundEvent).where(InboundEvent.type != "")
    with house.db.read() as session:
        assert session.scalar(kept) == sum(one.statuses[202] for one in poured)


@contextmanager
def _bare(house: House) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "rsgi", "benchmarks.bare:front", "--port", str(port)]
    environment = house.environment | {"BARE_SOURCE": house.source.id}
    process = subprocess.Popen([*command, "--log-level", "warning"], cwd=ROOT, env=environment)
    try:
        wait_until(lambda: listens(port), "the bare view answers")
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
