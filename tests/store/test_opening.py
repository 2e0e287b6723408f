"""Opening deliveries: promised once, whatever became of it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.bodies import event
from tests.building import NOON, House
from vrio_klaviyo.klaviyo.requests import Profile, ProfileRequest, loads
from vrio_klaviyo.store import turns
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.opening import Opening, dedup_key, open_delivery


def opened(house: House, opening: Opening) -> str | None:
    with house.db.write() as session:
        return open_delivery(session, opening, house.clock())


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
    with house.db.read() as session:
        assert turns.claim_due(session, connection.account_id, NOON, 16) == []


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
    house.change(house.delivery(), status=status)

    assert opened(house, opening) is None


def test_of_many_who_open_the_same_at_once_one_does(house: House, connection: Connection) -> None:
    opening = house.opening(connection)
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: opened(house, opening), range(16)))

    assert [delivery_id for delivery_id in made if delivery_id] == [house.delivery().id]
