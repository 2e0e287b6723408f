"""Pages: what a person waits for, with few and with very many rows in the log."""

import sqlite3
import time
from contextlib import closing
from statistics import median

import requests
from sqlalchemy import select

from benchmarks.house import SQLITE, Ground, House
from benchmarks.load import pour
from benchmarks.report import Report
from benchmarks.sizes import Size
from benchmarks.webhooks import SALE, sales
from vrio_klaviyo.store import people, sessions
from vrio_klaviyo.store.customers import Customer
from vrio_klaviyo.store.people import Role
from workers.tools import utc_now

TITLE = "Pages"
NOTES = (
    "Milliseconds until the whole page is there, asked for over HTTP, on SQLite. One customer has as many requests as "
    "there are rows in the smaller of the two logs; the others have twelve each. One request in fifty failed."
)
LOOKS = 15
REQUESTS_OF_A_WEBHOOK = 3
REQUESTS_OF_A_CUSTOMER = 12
CAUSES = 20
TOO_SLOW = 1.5

# No list reads a body, so that these need not be long.
BODY = "x'7b7d'"
# What the rows that are filled in do not have from the one that a sale has left in each table; n is the row's number.
CUSTOMER = f"printf('cu_00%024d', n / {REQUESTS_OF_A_CUSTOMER})"
OWNER = f"CASE WHEN n <= :of_one THEN customer_id ELSE {CUSTOMER} END"
WEBHOOK = f"printf('in_00%024d', (n - 1) / {REQUESTS_OF_A_WEBHOOK})"
FAILED = "n % 50 = 0"
NEWS = {
    "customers": {"id": CUSTOMER, "vrio_id": "'f' || n", "email": "'f' || n || '@acme.test'"},
    "inbound_events": {
        "id": WEBHOOK,
        "dedup_key": "'f' || n",
        "event_id": "'f' || n",
        "customer_id": OWNER,
        "body": BODY,
    },
    "deliveries": {
        "id": "printf('dl_00%024d', n)",
        "inbound_event_id": WEBHOOK,
        "customer_id": OWNER,
        "dedup_key": "'f' || n",
        "unique_id": "'f' || n",
        "request": BODY,
        "status": f"CASE WHEN {FAILED} THEN 'failed' ELSE status END",
        "reason": f"CASE WHEN {FAILED} THEN '400 invalid ' || (n / 50 % {CAUSES}) ELSE reason END",
    },
    "webhooks": {
        "id": "printf('at_00%024d', n)",
        "delivery_id": "printf('dl_00%024d', n)",
        "inbound_event_id": WEBHOOK,
        "customer_id": OWNER,
        "exchange_id": "printf('at_00%024d', n)",
        "request_body": BODY,
        "response_status": f"CASE WHEN {FAILED} THEN 400 ELSE response_status END",
    },
}
FILL = """
    WITH RECURSIVE counted(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM counted WHERE n < :last)
    INSERT OR IGNORE INTO {table} ({columns})
    SELECT {values} FROM counted, (SELECT * FROM {table} WHERE substr(id, 4, 2) <> '00' LIMIT 1)
"""


def measure(ground: Ground, size: Size) -> Report:
    """How long the pages take that support staff have open all day."""
    report = Report("pages", TITLE, NOTES)
    with ground.house(SQLITE) as house:
        house.start("web", "clock")
        house.start_workers(1)
        pour(house.address, sales(1, sample=SALE))
        house.wait_until_drained()
        # Nobody else writes while the log is filled.
        house.stop("clock", "worker 0")
        with house.db.read() as session:
            customer_id = session.scalars(select(Customer.id)).one()
        paths = {
            "a customer's Webhooks tab": f"/customers/{customer_id}/webhooks",
            "the same, looking for one event": f"/customers/{customer_id}/webhooks?q=f7",
            "Failed": "/failed",
            "a connection's deliveries": f"/connections/{house.connection.id}/deliveries",
        }
        browser, there = _signed_in(house), 0
        found: dict[int, dict[str, float]] = {}
        for rows in (size.few_rows, size.many_rows):
            _fill(house, there + 1, rows, size.few_rows)
            found[rows], there = {what: _took_ms(browser, house.url + path) for what, path in paths.items()}, rows
    few, many = found[size.few_rows], found[size.many_rows]
    for what in paths:
        slower = many[what] / few[what]
        report.add(
            f"{what} with {size.many_rows:,} rows", f"{many[what]:.0f} ms",
            f"with {size.few_rows:,} rows {few[what]:.0f} ms, {slower:.2f} × slower",
            f"at most {TOO_SLOW} ×", slower <= TOO_SLOW,
        )  # fmt: skip
    return report


def _signed_in(house: House) -> requests.Session:
    with house.db.write() as session:
        user = people.add_user(session, "support@northwind.example")
        people.set_role(session, user, house.connection.workspace_id, Role.SUPPORT)
        token = sessions.sign_in(session, user, utc_now(), agent="benchmark", address="127.0.0.1")
    browser = requests.Session()
    browser.trust_env = False
    browser.cookies["console"] = token
    return browser


def _took_ms(browser: requests.Session, url: str) -> float:
    looks = []
    # The first one warms up what is kept in memory.
    for _ in range(1 + LOOKS):
        began = time.perf_counter()
        answer = browser.get(url, timeout=120, allow_redirects=False)
        looks.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, f"{url}: {answer.status_code}"
    return median(looks[1:])


def _fill(house: House, first: int, last: int, of_one: int) -> None:
    """Rows from the first to the last number; those up to `of_one` are one customer's."""
    numbers = {"first": first, "last": last, "of_one": of_one}
    with closing(sqlite3.connect(str(house.db.engine.url.database), timeout=60)) as connection, connection:
        for table, news in NEWS.items():
            # What the database computes itself is hidden or marked.
            told = connection.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", (table,))
            values = {name: news.get(name, name) for (name,) in told}
            fill = FILL.format(table=table, columns=", ".join(values), values=", ".join(values.values()))
            connection.execute(fill, numbers)
