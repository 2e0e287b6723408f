"""Scale: more workers, more accounts, more rows; how much memory a process holds and how much disk a delivery."""

import sqlite3
import time
from contextlib import closing
from itertools import count
from statistics import median

from sqlalchemy import func, select, text

from benchmarks.draining import CALM, all_arrived_once
from benchmarks.house import POSTGRESQL, SQLITE, Ground, House, memory_mb
from benchmarks.load import pour
from benchmarks.report import Report
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
    "workers share, answers after 20 ms. Rows are those of the per-customer log, on SQLite."
)
WORKERS = (1, 2, 4)
LATENCY_MS = 20
LOOKS = 50

# Of as many customers and deliveries as such a log has, which need not be there to be in the way.
MORE_ROWS = """
    WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ?)
    INSERT INTO webhooks (id, delivery_id, connection_id, customer_id, inbound_event_id, number, trigger, started_at,
      duration_ms, method, url, request_headers, request_body, response_status, response_headers, response_body,
      exchange_id)
    SELECT printf('at_00%024d', n), printf('dl_00%024d', n), connection_id, printf('cu_00%024d', n / 12),
      printf('in_00%024d', n / 3), 1, 'first', started_at, 99, 'POST', url, '{}', x'7b7d', 202, '{}', x'',
      printf('at_00%024d', n)
    FROM counted, (SELECT connection_id, started_at, url FROM webhooks LIMIT 1)
"""


def measure(ground: Ground, size: Size) -> Report:
    """What grows with what."""
    report = Report("scale", TITLE, NOTES)
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
    with ground.house(SQLITE) as house:
        house.start("web", "clock")
        (worker,) = house.start_workers(1, rush_at=CALM)
        numbers = count(step=size.received)
        pour(house.address, mix(size.calm))
        house.wait_until_drained()
        report.add("database: bytes a delivery, all told", f"{_bytes_a_delivery(house):,.0f}", "webhook, log, indexes")
        report.add("memory of the web process and of the worker", f"{memory_mb(worker):.0f} MB", "the worker")
        found = {}
        for rows in (size.few_rows, size.many_rows):
            _fill(house, rows)
            found[rows] = _figures(house, size, numbers)
        few, many = found[size.few_rows], found[size.many_rows]
        for what, unit in (("receiving", "/s"), ("draining", "/s"), ("a customer's log", " ms")):
            slower = few[what] / many[what] if unit == "/s" else many[what] / few[what]
            report.add(
                f"{what} with {size.many_rows:,} rows in `webhooks`", f"{many[what]:.1f}{unit}",
                f"with {size.few_rows:,} rows {few[what]:.1f}{unit}, {slower:.2f} × slower",
                "at most 1.1 ×", slower <= 1.1,
            )  # fmt: skip


def _fill(house: House, rows: int) -> None:
    with closing(sqlite3.connect(str(house.db.engine.url.database), timeout=60)) as connection, connection:
        connection.execute("DELETE FROM webhooks WHERE id LIKE 'at_00%'")
        (there,) = connection.execute("SELECT count(*) FROM webhooks").fetchone()
        connection.execute(MORE_ROWS, (max(1, rows - there),))


def _figures(house: House, size: Size, numbers: "count[int]") -> dict[str, float]:
    received, drained = [], []
    for _ in range(size.rounds):
        received.append(pour(house.address, sales(size.calm, next(numbers), SALE)).rate)
        began = time.perf_counter()
        house.wait_until_drained()
        drained.append(size.calm / (time.perf_counter() - began))
    looks = []
    with house.db.read() as session:
        customers = list(session.scalars(select(Customer.id).order_by(Customer.id.desc()).limit(LOOKS)))
        for customer_id in customers:
            began = time.perf_counter()
            found = list_deliveries(session, customer_ids=[customer_id])
            assert attempts_of_deliveries(session, [delivery.id for delivery in found])
            looks.append((time.perf_counter() - began) * 1000)
    return {"receiving": median(received), "draining": median(drained), "a customer's log": median(looks)}


def _bytes_a_delivery(house: House) -> float:
    with house.db.read() as session:
        pages = session.scalar(text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"))
        return float(pages or 0) / (session.scalar(select(func.count()).select_from(Delivery)) or 1)
