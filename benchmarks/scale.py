"""Scale: more workers, more accounts, more rows; how much memory a process holds and how much disk a delivery."""

import os
import sqlite3
import time
from contextlib import closing
from itertools import count, islice
from statistics import median
from typing import NamedTuple

from sqlalchemy import func, select, text

from benchmarks.draining import CALM, all_arrived_once
from benchmarks.house import POSTGRESQL, SQLITE, Ground, House, memory_mb
from benchmarks.load import pour
from benchmarks.report import Report, ratio
from benchmarks.sizes import Size
from benchmarks.webhooks import SALE, mix, sales
from vrio_klaviyo.store.attempts import attempts_of_deliveries
from vrio_klaviyo.store.customers import Customer
from vrio_klaviyo.store.deliveries import Delivery, list_deliveries
from vrio_klaviyo.store.sources import Source
from vrio_klaviyo.store.workspaces import add_workspace

TITLE = "Scale"
NOTES = (
    "Accounts each with a workspace, a source and a connection of their own, on PostgreSQL; the sandbox, which all "
    "workers share, answers after 20 ms. Rows are those of the per-customer log, on SQLite, beside as many webhooks "
    "received and things remembered. The database grows with the deliveries, for as long as they are kept; the memory "
    "of a process with neither accounts nor rows."
)
WHY = (
    "A webhook goes into indexes that are a hundred times as large, at places as random as its hash, and of those "
    "SQLite keeps two megabytes in a connection's memory."
)
WORKERS = (1, 2, 4)
LATENCY_MS = 20
LOOKS = 50
ROUNDS_OF_ROWS = 3

COUNTED = "WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ?)"
# Of each table the rows that are in the way: how they are made, and how they are known. Whose deliveries and customers
# they are of need not be there.
MORE_ROWS = {
    "webhooks": (
        """
        INSERT INTO webhooks (id, delivery_id, connection_id, customer_id, inbound_event_id, number, trigger,
          started_at, duration_ms, method, url, request_headers, request_body, response_status, response_headers,
          response_body, exchange_id)
        SELECT printf('at_00%024d', n), printf('dl_00%024d', n), connection_id, printf('cu_00%024d', n / 12),
          printf('in_00%024d', n / 3), 1, 'first', started_at, 99, 'POST', url, '{}', x'7b7d', 202, '{}', x'',
          printf('at_00%024d', n)
        FROM counted, (SELECT connection_id, started_at, url FROM webhooks LIMIT 1)
        """,
        "id LIKE 'at_00%'",
    ),
    "inbound_events": (
        """
        INSERT INTO inbound_events (id, source_id, type, event, event_id, received_at, body, dedup_key, status, reason,
          notes, starts, finished_at, waits_for)
        SELECT substr(id, 1, 13) || printf('%016d', n), source_id, type, event, 'x' || n, received_at, x'7b7d',
          'x' || n, status, '', '[]', 1, finished_at, ''
        FROM counted, (SELECT * FROM inbound_events WHERE status = 'processed' LIMIT 1)
        """,
        "dedup_key LIKE 'x%'",
    ),
    "records": (
        """
        INSERT INTO records (source_id, kind, vrio_id, vrio_customer_id, as_of, body)
        SELECT source_id, 'transaction', 'x' || n, 'x' || n / 12, as_of, x'7b7d'
        FROM counted, (SELECT source_id, as_of FROM records LIMIT 1)
        """,
        "vrio_id LIKE 'x%'",
    ),
}


class Worked(NamedTuple):
    """Webhooks a second: received while a worker drains them, and drained from then on."""

    received: float
    drained: float


def measure(ground: Ground, size: Size) -> Report:
    """What grows with what."""
    report = Report("scale", TITLE, NOTES, WHY)
    _workers(report, ground, size)
    _rows(report, ground, size)
    return report


def _workers(report: Report, ground: Ground, size: Size) -> None:
    first = 0.0
    for workers in WORKERS:
        with ground.house(POSTGRESQL, latency_ms=LATENCY_MS) as house:
            accounts = [_account(house, number) for number in range(size.accounts)]
            house.start("clock")
            processes = house.start_workers(workers, rush_at=CALM)
            with house.frozen():
                for source in accounts:
                    house.receive(sales(size.each, sample=SALE), source)
            began = time.perf_counter()
            for source in accounts:
                house.bells.ring("intake", source.id)
            house.wait_until_drained()
            rate = len(accounts) * size.each / (time.perf_counter() - began)
            all_arrived_once(house)
            first = first or rate
            held = max(map(memory_mb, processes))
            beside = f"{rate / first:.2f} × one worker; {held:.0f} MB a worker"
            report.add(f"{size.accounts} accounts, workers: {workers}; webhooks a second", f"{rate:.0f}/s", beside)


def _account(house: House, number: int) -> Source:
    with house.db.write() as session:
        workspace = add_workspace(session, f"Merchant {number}")
    return house.settle(workspace, house.klaviyo.account(number))[0]


def _rows(report: Report, ground: Ground, size: Size) -> None:
    """Two installations side by side, one with few rows and one with many; each works while the other rests."""
    with ground.house(SQLITE) as few, ground.house(SQLITE) as many:
        for house in (few, many):
            house.start("web", "clock")
            house.start_workers(1, rush_at=CALM)
            pour(house.address, mix(size.calm))
            house.wait_until_drained()
        report.add("database: bytes a delivery, all told", f"{_bytes_a_delivery(few):,.0f}", "webhook, log, indexes")
        web, clock, worker = (memory_mb(few.process(name)) for name in ("web", "clock", "worker 0"))
        report.add("memory of the worker", f"{worker:.0f} MB", f"web {web:.0f} MB, clock {clock:.0f} MB")
        _fill(few, size.few_rows)
        _fill(many, size.many_rows)
        numbers = count(size.calm, step=size.calm)
        # A worker writes beside what is received, now more and now less: it takes more rounds than others.
        rounds = [
            (_worked(few, size, first), _worked(many, size, first))
            for first in islice(numbers, ROUNDS_OF_ROWS * size.rounds)
        ]
        _beside(report, size, "receiving", "/s", [(one.received, other.received) for one, other in rounds])
        _beside(report, size, "draining", "/s", [(one.drained, other.drained) for one, other in rounds])
        _beside(report, size, "a customer's log", " ms", list(zip(_looks(few), _looks(many), strict=True)))


def _beside(report: Report, size: Size, what: str, unit: str, rounds: list[tuple[float, float]]) -> None:
    few, many = zip(*rounds, strict=True)
    slower = ratio(few, many) if unit == "/s" else ratio(many, few)
    report.add(
        f"{what} with {size.many_rows:,} rows in `webhooks`", f"{median(many):.1f}{unit}",
        f"with {size.few_rows:,} rows {median(few):.1f}{unit}, {slower:.2f} × slower",
        "at most 1.1 ×", slower <= 1.1,
    )  # fmt: skip


def _fill(house: House, rows: int) -> None:
    with closing(sqlite3.connect(str(house.db.engine.url.database), timeout=60)) as connection:
        for table, (more, known) in MORE_ROWS.items():
            # One after the other, so that the worker need not wait for all of it.
            with connection:
                connection.execute(f"DELETE FROM {table} WHERE {known}")
                (there,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
                connection.execute(COUNTED + more, (max(1, rows - there),))
        # What is measured next must not wait for what was filled in.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.sync()


def _worked(house: House, size: Size, first: int) -> Worked:
    received = pour(house.address, sales(size.calm, first, SALE)).rate
    began = time.perf_counter()
    house.wait_until_drained()
    return Worked(received, size.calm / (time.perf_counter() - began))


def _looks(house: House) -> list[float]:
    """Milliseconds that each look at a customer's log took."""
    looks = []
    with house.db.read() as session:
        for customer_id in session.scalars(select(Customer.id).order_by(Customer.id.desc()).limit(LOOKS)).all():
            began = time.perf_counter()
            found = list_deliveries(session, customer_ids=[customer_id])
            assert attempts_of_deliveries(session, [delivery.id for delivery in found])
            looks.append((time.perf_counter() - began) * 1000)
    return looks


def _bytes_a_delivery(house: House) -> float:
    with house.db.read() as session:
        pages = session.scalar(text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"))
        return float(pages or 0) / (session.scalar(select(func.count()).select_from(Delivery)) or 1)
