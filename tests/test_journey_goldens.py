"""
Webhooks in, one after the other, through the real intake; what the last one comes to, compared whole with what was
typed from the published page.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.building import House, StandingClock
from tests.databases import SqliteFiles
from vrio_klaviyo.klaviyo.requests import Known, Style, loads, render
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.vrio.routes import BEYOND

FIXTURES = Path(__file__).parent / "fixtures" / "vrio"
CASES = sorted(case.parent for case in FIXTURES.glob("*/before"))
ACTIVATED_AT = datetime(2025, 8, 1, 12, tzinfo=UTC)


@pytest.fixture
def house(sqlite_files: SqliteFiles) -> Iterator[House]:
    with sqlite_files.fresh(migrated=True) as url:
        database = Database(url)
        house = House(database)
        house.clock = StandingClock(ACTIVATED_AT)
        yield house
        house.close()
        database.close()


@pytest.fixture
def connection(house: House, case: Path | None) -> Connection:
    """One that has switched on what the case is about, where that is beyond the published page, and nothing else."""
    connection = house.connect()
    own = [metric for metric in BEYOND if case and metric == case.name.split("__")[0].replace("_", " ").title()]
    house.change(connection, metrics_on=own)
    return connection


@pytest.fixture
def case() -> None:
    """None where a test is about no case."""


def taken_in(house: House, webhook: Path) -> str:
    """Post a webhook a few seconds after its date and run the intake; the id of its inbound event."""
    dated = datetime.fromisoformat(json.loads(webhook.read_bytes())["webhook_event_date"]).replace(tzinfo=UTC)
    house.clock.now = dated + timedelta(seconds=4)
    inbound_id = house.post(webhook.read_bytes())
    house.take_in()
    return inbound_id


def bodies(house: House, inbound_id: str) -> list[dict[str, Any]]:
    """What is owed because of this inbound event, as it would be sent."""
    requests = [loads(one.request) for one in house.deliveries() if one.inbound_event_id == inbound_id]
    rendered = [render(request, Style(), Known()) for request in requests]
    return [{"path": one.path, "body": json.loads(one.body, parse_float=Decimal)} for one in rendered]


def expected(case: Path) -> list[dict[str, Any]]:
    golden: list[dict[str, Any]] = json.loads((case / "klaviyo.json").read_bytes(), parse_float=Decimal)
    return golden


@pytest.mark.requirement("003-C", "003-21", "003-22", "003-24", "003-37", "003-38", "003-39", "003-40")
@pytest.mark.requirement("003-16", "003-18", "003-45", "003-46", "003-47", "003-48", "003-50", "003-52")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_was_told_before_is_in_what_klaviyo_is_told_now(house: House, connection: Connection, case: Path) -> None:
    for webhook in sorted((case / "before").iterdir()):
        taken_in(house, webhook)

    assert bodies(house, taken_in(house, case / "webhook.json")) == expected(case)


@pytest.mark.requirement("003-B", "003-37")
def test_a_parcel_says_the_same_in_both_of_vrios_ways(house: House, connection: Connection) -> None:
    case = FIXTURES / "fulfilled_order"
    taken_in(house, case / "before" / "01_sale.json")

    assert bodies(house, taken_in(house, case / "webhook__v2.json")) == expected(case)


@pytest.mark.requirement("003-53")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_webhook_that_comes_again_promises_nothing_more(house: House, connection: Connection, case: Path) -> None:
    for webhook in sorted((case / "before").iterdir()):
        taken_in(house, webhook)
    taken_in(house, case / "webhook.json")
    promised = len(house.deliveries())
    again = json.loads((case / "webhook.json").read_bytes()) | {"webhook_event_id": "again"}
    house.post(again)
    house.take_in()

    assert len(house.deliveries()) == promised
