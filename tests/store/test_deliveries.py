"""Deliveries: promised once, taken in order, one for each customer at a time."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from tests.building import NOON, House, event
from vrio_klaviyo.errors import NotFound
from vrio_klaviyo.klaviyo.requests import Profile, ProfileRequest, loads
from vrio_klaviyo.store import deliveries, figures, turns
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import ProfileLink
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.deliveries import (
    CONNECTION_PAUSED,
    ENDPOINT_REFUSED,
    KEY_REJECTED,
    Delivery,
    Opening,
    dedup_key,
)
from vrio_klaviyo.store.turns import Due


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


@pytest.fixture
def connection(house: House) -> Connection:
    return house.connect()


def opened(house: House, opening: Opening) -> str | None:
    with house.db.write() as session:
        return deliveries.open_delivery(session, opening, house.clock())


def due(house: House, connection: Connection, limit: int = 16) -> list[Due]:
    with house.db.read() as session:
        return turns.claim_due(session, connection.account_id, house.clock(), limit)


def numbers(claimed: list[Due]) -> list[str]:
    return [one.delivery.unique_id for one in claimed]


def change(house: House, delivery: Delivery, **values: object) -> None:
    with house.db.write() as session:
        session.execute(update(Delivery).where(Delivery.id == delivery.id).values(values))


def link(house: House, delivery: Delivery, accepted_as_of: datetime | None = None, phone: str | None = None) -> None:
    with house.db.write() as session:
        session.add(
            ProfileLink(
                connection_id=delivery.connection_id,
                customer_id=delivery.customer_id,
                accepted_as_of=accepted_as_of,
                refused_phone=phone,
            )
        )


def test_a_delivery_is_opened_as_queued_and_due_at_once(house: House, connection: Connection) -> None:
    opening = house.opening(connection, as_of=NOON - timedelta(days=1))
    delivery_id = opened(house, opening)

    delivery = house.delivery()
    assert delivery.id == delivery_id
    assert (delivery.kind, delivery.metric, delivery.unique_id) == ("event", "Declined Order", "1001")
    assert (delivery.status, delivery.reason, delivery.tries, delivery.next_trigger) == ("queued", "", 0, "first")
    assert (delivery.created_at, delivery.queued_at, delivery.next_attempt_at) == (NOON, NOON, NOON)
    assert (delivery.as_of, delivery.finished_at) == (NOON - timedelta(days=1), None)
    assert loads(delivery.request) == opening.request


@pytest.mark.requirement("003-53")
def test_the_same_request_is_promised_once_per_connection(house: House, connection: Connection) -> None:
    opening = house.opening(connection)
    other = house.connect("Other")

    assert opened(house, opening)
    assert opened(house, opening) is None
    assert opened(house, house.opening(other))
    assert len(house.deliveries()) == 2


@pytest.mark.requirement("003-53")
def test_what_makes_an_event_the_same_is_source_metric_and_id(house: House, connection: Connection) -> None:
    first = house.opening(connection, request=event("1668"))
    again = replace(first, request=event("1668", email="jane@acme.test", time=datetime(2026, 1, 1, tzinfo=UTC)))

    assert dedup_key(again) == dedup_key(first)
    assert dedup_key(replace(first, as_of=NOON + timedelta(days=1))) == dedup_key(first)
    assert dedup_key(replace(first, request=event("1668", metric="Placed Order"))) != dedup_key(first)
    assert dedup_key(replace(first, request=event("1669"))) != dedup_key(first)


def test_two_sources_with_the_same_transactions_do_not_collide(house: House, connection: Connection) -> None:
    other = house.add_source("Other")

    assert opened(house, house.opening(connection))
    assert opened(house, house.opening(connection, source=other))
    assert [delivery.unique_id for delivery in house.deliveries()] == ["1001", "1001"]


def test_what_makes_a_profile_the_same_is_customer_body_and_as_of(house: House, connection: Connection) -> None:
    profile = replace(house.opening(connection), request=ProfileRequest(profile=Profile(email="john@acme.test")))
    renamed = ProfileRequest(profile=Profile(email="john@acme.test", first_name="Jon"))

    assert opened(house, profile)
    assert opened(house, profile) is None
    assert opened(house, replace(profile, request=renamed))
    assert opened(house, replace(profile, as_of=NOON + timedelta(seconds=1)))
    assert dedup_key(replace(profile, customer_id="cu_2")) != dedup_key(profile)


def test_a_request_that_may_not_go_is_opened_as_skipped(house: House, connection: Connection) -> None:
    opened(house, house.opening(connection, skip_reason="no_email"))

    delivery = house.delivery()
    assert (delivery.status, delivery.reason, delivery.next_attempt_at) == ("skipped", "no_email", None)
    assert delivery.finished_at == NOON
    assert due(house, connection) == []


def test_a_request_that_may_not_go_twice_is_opened_once(house: House, connection: Connection) -> None:
    opening = house.opening(connection, skip_reason="no_email")

    assert opened(house, opening)
    assert opened(house, replace(opening, skip_reason="test_order")) is None
    assert len(house.deliveries()) == 1


def test_a_skipped_row_does_not_hold_its_key(house: House, connection: Connection) -> None:
    opening = house.opening(connection, skip_reason="connection_paused")
    opened(house, opening)

    assert opened(house, replace(opening, skip_reason=None))
    assert opened(house, replace(opening, skip_reason=None)) is None
    assert [delivery.status for delivery in house.deliveries()] == ["skipped", "queued"]


def test_what_was_promised_is_not_skipped_afterwards(house: House, connection: Connection) -> None:
    opening = house.opening(connection)
    opened(house, opening)

    assert opened(house, replace(opening, skip_reason="connection_paused")) is None
    assert house.delivery().status == "queued"


@pytest.mark.parametrize("status", ["accepted", "failed", "held", "retrying"])
def test_a_promise_is_held_whatever_became_of_it(house: House, connection: Connection, status: str) -> None:
    opening = house.opening(connection)
    opened(house, opening)
    change(house, house.delivery(), status=status)

    assert opened(house, opening) is None


def test_of_many_who_open_the_same_at_once_one_does(house: House, connection: Connection) -> None:
    opening = house.opening(connection)
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: opened(house, opening), range(16)))

    assert [delivery_id for delivery_id in made if delivery_id] == [house.delivery().id]


def test_a_lane_takes_what_its_own_account_owes(house: House, connection: Connection) -> None:
    beside, other = house.connect("Beside", beside=connection), house.connect("Other")
    house.owe(beside, 1)
    house.owe(other, 2)
    house.owe(connection, 3)

    assert numbers(due(house, connection)) == ["1001"]
    assert numbers(due(house, other)) == ["1002"]
    with house.db.read() as session:
        assert set(deliveries.lanes_to_ring(session, NOON)) == {connection.account_id, other.account_id}
        assert deliveries.lanes_to_ring(session, NOON - timedelta(seconds=1)) == []
        assert deliveries.next_due_at(session, connection.account_id) == NOON
        assert deliveries.next_due_at(session, "ka_none") is None


def test_what_is_owed_is_held_and_goes_on(house: House, connection: Connection) -> None:
    owed = [house.owe(connection, number, customer=number) for number in range(1, 7)]
    for delivery, status in zip(owed[1:], ("retrying", "accepted", "failed", "skipped"), strict=False):
        change(house, delivery, status=status)
    house.owe(house.connect("Other"), 9)
    with house.db.write() as session:
        assert deliveries.hold_owed(session, [connection.id], CONNECTION_PAUSED) == 3
    assert [(one.status, one.reason, one.next_attempt_at) for one in house.deliveries(connection)][:2] == [
        ("held", CONNECTION_PAUSED, None),
        ("held", CONNECTION_PAUSED, None),
    ]
    house.clock.advance(hours=1)
    with house.db.write() as session:
        assert deliveries.resume_held(session, [connection.id], [KEY_REJECTED, ENDPOINT_REFUSED], house.clock()) == 0
        assert deliveries.resume_held(session, [connection.id], [CONNECTION_PAUSED], house.clock()) == 3

    assert numbers(due(house, connection)) == ["1001", "1002", "1006"]
    resumed = house.deliveries(connection)[0]
    # The three days of tries begin anew.
    assert (resumed.status, resumed.reason, resumed.queued_at) == ("queued", "", house.clock())
    assert resumed.created_at == NOON


def test_what_is_owed_is_skipped_when_a_person_switches_off(house: House, connection: Connection) -> None:
    house.owe(connection, 1)
    change(house, house.owe(connection, 2), status="accepted")
    with house.db.write() as session:
        assert deliveries.skip_owed(session, connection.id, "push_events_off", NOON) == 1

    assert [(one.status, one.reason) for one in house.deliveries()] == [
        ("skipped", "push_events_off"),
        ("accepted", ""),
    ]
    assert house.deliveries()[0].finished_at == NOON


def test_deliveries_are_listed_by_what_is_asked_for(house: House, connection: Connection) -> None:
    first, second = house.owe(connection, 1), house.owe(connection, 2, customer=302)
    change(house, second, status="failed")
    with house.db.read() as session:

        def listed(**wanted: object) -> list[str]:
            return [one.id for one in deliveries.list_deliveries(session, **wanted)]  # type: ignore[arg-type]

        assert listed() == [second.id, first.id]
        assert listed(status="failed") == [second.id]
        assert listed(metric="Placed Order") == []
        assert listed(customer_ids=[first.customer_id]) == [first.id]
        assert listed(customer_ids=[]) == []
        assert listed(inbound_event_id=first.inbound_event_id, connection_id=connection.id) == [first.id]
        assert listed(limit=1) == [second.id]
        assert deliveries.counts_of_inbound(session, [first.inbound_event_id, "in_none"]) == {first.inbound_event_id: 1}
        assert deliveries.find_delivery(session, first.id).unique_id == "1001"
        with pytest.raises(NotFound, match="dl_none"):
            deliveries.find_delivery(session, "dl_none")


def test_what_is_under_way_is_counted(house: House, connection: Connection) -> None:
    owed = [house.owe(connection, number) for number in range(1, 5)]
    change(house, owed[1], status="held")
    change(house, owed[2], status="accepted")
    with house.db.read() as session:
        assert figures.owed(session) == {"queued": 2, "retrying": 0, "held": 1}
        assert figures.unfinished(session) == {"received": 4, "waiting": 0}
