"""Neither half of the story reads more the more there is: whatever is looked for is found by an index, on SQLite."""

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import event

from tests.bodies import SALE, declined, sample
from tests.building import House
from tests.databases import SqliteFiles
from tests.steered import Klaviyo
from vrio_klaviyo.store.db import Database

# What grows with every webhook and every person.
LARGE = ("records", "inbound_events", "deliveries", "webhooks", "customers", "customer_words", "given_event_ids")
SCANNED = re.compile(rf"SCAN ({'|'.join(LARGE)})\b")
# One tenant's rows are as many as all of them, unless the index holds only what is not done yet.
ALL_OF_ONE = re.compile(rf"SEARCH ({'|'.join(LARGE)}) USING .*INDEX (\w+) \((?:source|workspace|connection)_id=\?\)$")


@pytest.fixture
def house(sqlite_files: SqliteFiles, klaviyo: Klaviyo) -> Iterator[House]:
    with (
        sqlite_files.fresh(migrated=True) as url,
        closing(Database(url)) as database,
        closing(House(database, klaviyo.url)) as opened,
    ):
        yield opened


def test_what_is_looked_for_is_found_by_an_index(house: House) -> None:
    connection = house.connect()
    asked: dict[str, Any] = {}

    @event.listens_for(house.db.engine, "before_cursor_execute")
    def note(_: Any, __: Any, statement: str, parameters: Any, ___: Any, is_many: bool) -> None:
        if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
            asked[statement] = parameters[0] if is_many else parameters

    for name in (SALE, "transaction_completed_refund_full", "shipment_shipped", "order_offer_updated_paused"):
        house.post(sample(name))
    house.post(declined(2))
    house.take_in()
    house.settle(connection)

    with house.db.engine.connect() as connected:
        run = connected.exec_driver_sql
        partial = set(run("SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'").scalars())
        plans = {one: [step[3] for step in run(f"EXPLAIN QUERY PLAN {one}", given)] for one, given in asked.items()}
    assert len(plans) > 20
    assert {one: plan for one, plan in plans.items() if any(reads_everything(step, partial) for step in plan)} == {}


def reads_everything(step: str, partial: set[str]) -> bool:
    searched = ALL_OF_ONE.match(step)
    return bool(SCANNED.match(step)) or (searched is not None and searched[2] not in partial)
