"""Upcoming Order: announced once for each day on which something will be charged, to those who want it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from tests.building import House, StandingClock, emptied
from tests.test_journey_goldens import FIXTURES, taken_in
from vrio_klaviyo import upcoming
from vrio_klaviyo.klaviyo.requests import EventRequest, loads
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.next_charges import NextCharge
from vrio_klaviyo.store.sources import Source

DUE_AT = datetime(2025, 9, 14, 10, 30, tzinfo=UTC)
SOON = DUE_AT - timedelta(days=3)


@pytest.fixture
def house(standing: Database) -> Iterator[House]:
    house = House(emptied(standing))
    house.clock = StandingClock(datetime(2025, 8, 1, 12, tzinfo=UTC))
    yield house
    house.close()


@pytest.fixture
def connection(house: House) -> Connection:
    connection = house.connect()
    house.change(connection, metrics_on=[upcoming.METRIC])
    return connection


@pytest.fixture(autouse=True)
def planned(house: House, connection: Connection) -> None:
    """A sale, and the date of the next charge."""
    for webhook in sorted((FIXTURES / "upcoming_order" / "before").iterdir()):
        taken_in(house, webhook)


def changed(house: House, at: str, **changes: Any) -> None:
    body = json.loads((FIXTURES / "upcoming_order" / "before" / "02_planned.json").read_bytes())
    body |= {"webhook_event_id": f"{at} {changes}", "webhook_event_date": at}
    body["webhook_data"]["order_offer"] |= {"date_modified": at} | changes
    house.post(body)
    house.take_in()


def announced(house: House, at: datetime) -> list[str]:
    """The ids of all that was announced, after a round of the clock at that time."""
    house.clock.now = at
    with house.db.write() as session:
        upcoming.announce(session, at)
    house.take_in()
    return [one.unique_id for one in house.deliveries() if one.metric == upcoming.METRIC]


def test_it_comes_three_days_before_the_charge_and_once(house: House) -> None:
    assert announced(house, SOON - timedelta(seconds=1)) == []
    assert announced(house, SOON) == ["4001_2025-09-14"]
    assert announced(house, SOON + timedelta(hours=1)) == ["4001_2025-09-14"]


def test_it_says_when_and_how_soon(house: House) -> None:
    announced(house, SOON + timedelta(days=1))

    request = loads(house.deliveries()[-1].request)
    assert isinstance(request, EventRequest)
    assert request.properties["ChargeDate"] == "2025-09-14"
    assert request.properties["DaysUntilCharge"] == 2
    assert request.time == SOON + timedelta(days=1)


def test_a_source_says_how_many_days(house: House) -> None:
    with house.db.write() as session:
        session.get_one(Source, house.source.id).upcoming_days = 7

    assert announced(house, DUE_AT - timedelta(days=7)) == ["4001_2025-09-14"]


def test_a_date_that_was_put_off_is_announced_anew(house: House) -> None:
    announced(house, SOON)
    changed(house, "2025-09-12 09:00:00", next_recurring_date="2025-09-20 10:30:00")

    assert announced(house, SOON + timedelta(days=1)) == ["4001_2025-09-14"]
    assert announced(house, datetime(2025, 9, 18, tzinfo=UTC)) == ["4001_2025-09-14", "4001_2025-09-20"]


def test_a_date_that_was_put_off_and_back_is_announced_once(house: House) -> None:
    announced(house, SOON)
    changed(house, "2025-09-12 09:00:00", next_recurring_date="2025-09-20 10:30:00")
    changed(house, "2025-09-12 10:00:00", next_recurring_date="2025-09-14 10:30:00")

    assert announced(house, SOON + timedelta(days=2)) == ["4001_2025-09-14"]


@pytest.mark.parametrize("status", ["Paused", "Cancelled", "Expired", "Complete"])
def test_what_is_not_active_any_more_is_not_announced(house: House, status: str) -> None:
    changed(house, "2025-09-01 09:00:00", status_type_id=status, next_recurring_date=None)

    assert announced(house, SOON) == []
    with house.db.read() as session:
        assert session.scalar(select(func.count()).select_from(NextCharge)) == 0


def test_what_changed_between_the_clock_and_the_intake_says_why_it_was_not_sent(house: House) -> None:
    house.clock.now = SOON
    with house.db.write() as session:
        upcoming.announce(session, SOON)
    body = json.loads((FIXTURES / "paused_subscription" / "webhook.json").read_bytes())
    with house.db.write() as session:
        first = session.scalars(select(InboundEvent).where(InboundEvent.event == "order_offer_upcoming")).one()
        first.status = "waiting"
    house.post(body)
    house.take_in()
    with house.db.write() as session:
        session.get_one(InboundEvent, first.id).status = "received"
    house.take_in()

    assert house.inbound(first.id).status == "ignored"
    assert "not charged on that day" in house.inbound(first.id).reason


def test_two_clocks_announce_it_once(house: House) -> None:
    with house.db.read() as session:
        (charge,) = session.scalars(select(NextCharge))
        row = {name: getattr(charge, name) for name in ("source_id", "order_offer_id", "vrio_customer_id", "due_at")}
    announced(house, SOON)
    with house.db.write() as session:
        session.execute(insert(NextCharge).values(row))

    assert announced(house, SOON) == ["4001_2025-09-14"]
    with house.db.read() as session:
        told = select(func.count()).select_from(InboundEvent).where(InboundEvent.event == "order_offer_upcoming")
        assert session.scalar(told) == 1


def test_nobody_wants_it_nothing_is_announced(house: House, connection: Connection) -> None:
    house.change(connection, metrics_on=[])
    assert announced(house, SOON) == []
    with house.db.read() as session:
        assert session.scalar(select(func.count()).select_from(NextCharge)) == 1

    # It is kept for who wants it later, as long as it lies ahead.
    house.change(connection, metrics_on=[upcoming.METRIC])
    assert announced(house, SOON + timedelta(days=1)) == ["4001_2025-09-14"]


def test_it_goes_through_the_gate(house: House, connection: Connection) -> None:
    house.change(connection, push_events=False)
    announced(house, SOON)

    assert [(one.status, one.reason) for one in house.deliveries()][-1] == ("skipped", "push_events_off")


def test_what_the_clock_says_makes_no_later_webhook_old_news(house: House, connection: Connection) -> None:
    announced(house, SOON)
    body = json.loads((FIXTURES / "paused_subscription" / "webhook.json").read_bytes())
    house.post(body)
    house.take_in()

    assert house.deliveries()[-1].metric == "Paused Subscription"


def test_a_round_of_the_clock_announces_so_many_and_the_next_one_goes_on(house: House) -> None:
    charges = [
        {
            "source_id": house.source.id,
            "order_offer_id": str(number),
            "vrio_customer_id": "301",
            "due_at": DUE_AT + timedelta(seconds=number % 1000),
        }
        for number in range(5000, 5000 + 2 * upcoming.BATCH)
    ]
    with house.db.write() as session:
        session.execute(insert(NextCharge), charges)
    rounds = []
    for _ in range(4):
        with house.db.write() as session:
            rounds.append(upcoming.announce(session, SOON + timedelta(days=1)))

    assert rounds == [upcoming.BATCH, upcoming.BATCH, 1, 0]
