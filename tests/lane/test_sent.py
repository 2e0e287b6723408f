"""What is owed is sent, in order, and the log holds what was sent."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.bodies import SALE, declined, sample
from tests.building import House
from tests.lane.owed import lease_of, owe, sent_body, told
from tests.steered import Klaviyo
from vrio_klaviyo.lane import WAITING_EACH
from vrio_klaviyo.sending import SENDERS
from vrio_klaviyo.store import turns
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import BACKFILL, LIVE, REPLAY, RETRY, Delivery

ROOM = SENDERS * WAITING_EACH


@pytest.mark.requirement("003-14", "003-15")
def test_a_sale_reaches_klaviyo(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house, sample(SALE))
    house.send(connection)

    assert {(event["metric"], event["unique_id"]) for event in klaviyo.events()} == {
        ("Placed Order", "1668"),
        ("Ordered Product", "1668_1"),
        ("Started Subscription", "1668_1_sub"),
    }
    for delivery in house.deliveries():
        assert (delivery.status, delivery.tries, delivery.finished_at) == ("accepted", 1, house.clock())
        assert [told(attempt) for attempt in house.attempts(delivery)] == [("first", 202)]
    assert house.bells == []


@pytest.mark.requirement("003-62")
def test_the_log_holds_the_bytes_that_klaviyo_received(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house, sample(SALE) | {"webhook_event_id": "ünï😀"})
    house.send(connection)

    logged = [house.attempts(delivery)[0] for delivery in house.deliveries()]
    assert sorted(attempt.request_body for attempt in logged) == sorted(
        str(request["body"]).encode() for request in klaviyo.requests()
    )
    for attempt in logged:
        assert attempt.url == f"{klaviyo.url}/api/events"
        assert attempt.method == "POST"
        assert attempt.response_headers is not None
        assert attempt.response_headers["cid"] == "SbxA01"
        assert attempt.response_body == b""
        assert attempt.duration_ms is not None


def test_the_log_holds_no_key(house: House, connection: Connection) -> None:
    owe(house)
    house.send(connection)

    (attempt,) = house.attempts()
    assert set(attempt.request_headers) == {"accept", "content-type", "revision"}
    assert "pk_" not in f"{attempt.request_headers} {attempt.response_headers} {attempt.error}"


def test_the_attempt_is_committed_before_klaviyo_is_asked(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    seen: list[tuple[Any, ...]] = []

    def look() -> None:
        (attempt,) = house.attempts()
        seen.append((attempt.trigger, attempt.request_body, attempt.duration_ms, attempt.error))
        seen.append((lease_of(house, connection).owner,))
        # Nobody waits for the lane meanwhile.
        house.post(declined(99))

    owe(house)
    klaviyo.while_asked(look)
    house.send(connection)

    assert seen == [("first", sent_body(klaviyo), None, None), ("worker/1",)]
    assert house.delivery().status == "accepted"


def test_a_customers_first_tries_go_out_in_order(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house, *[declined(number, customer=300 + number % 3, email=f"j{number % 3}@acme.test") for number in range(12)])
    house.settle(connection)

    for customer in range(3):
        ids = [event["unique_id"] for event in klaviyo.events(email=f"j{customer}@acme.test")]
        assert ids == [str(1000 + number) for number in range(12) if number % 3 == customer]


def test_live_ones_go_before_retries_before_replays_before_history(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    for number, lane_order in enumerate((BACKFILL, REPLAY, RETRY, LIVE)):
        owed = house.owe(connection, number, customer=number)
        with house.db.write() as session:
            session.get_one(Delivery, owed.id).lane_order = lane_order
    house.settle(connection, senders=1)

    assert [event["unique_id"] for event in klaviyo.events()] == ["1003", "1002", "1001", "1000"]


def test_a_customer_with_very_many_does_not_keep_the_others_waiting(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    for number in range(ROOM * 6):
        house.owe(connection, number, customer=1)
    for number in range(5):
        house.owe(connection, 9000 + number, customer=2 + number)
    with house.db.read() as session:
        claimed = turns.claim_due(session, connection.account_id, house.clock(), ROOM)

    assert [due.delivery.unique_id for due in claimed] == ["1000", *(f"{10_000 + number}" for number in range(5))]


def test_more_than_one_round_is_sent(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    numbers = range(ROOM * 2 + 1)
    for number in numbers:
        house.owe(connection, number, customer=number)
    house.settle(connection)

    assert len(klaviyo.events()) == len(numbers)
    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}


def test_with_nothing_owed_nothing_is_asked(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    house.send(connection)

    assert klaviyo.requests() == []
    assert house.bells == []


def test_what_comes_in_while_klaviyo_is_asked_goes_out_too(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house)
    klaviyo.while_asked(lambda: owe(house, declined(2)))
    house.send(connection)

    assert [delivery.status for delivery in house.deliveries()] == ["accepted"] * 2
    assert house.bells == []


def test_what_falls_due_after_the_last_look_is_rung_for(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    """Its own bell rang in vain, because the lease was still held."""
    owed = house.owe(connection)
    with house.db.write() as session:
        session.get_one(Delivery, owed.id).next_attempt_at = house.clock() + timedelta(seconds=1)
    house.bells.clear()

    def look() -> bool:
        """Asked before the lane claims, which then does so by the time that it took before."""
        house.clock.advance(seconds=1)
        return False

    house.send(connection, stopping=look)

    assert klaviyo.requests() == []
    assert house.bells == [("lane", connection.account_id)]


def test_history_starts_no_flow(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owed = house.owe(connection)
    with house.db.write() as session:
        session.get_one(Delivery, owed.id).backfill = True
    house.settle(connection)

    assert json.loads(house.attempts()[0].request_body)["data"]["attributes"]["backfill"] is True
    assert house.delivery().status == "accepted"


def test_a_row_of_which_no_body_can_be_made_fails_alone_and_shows_why(house: House, connection: Connection) -> None:
    broken, sound = house.owe(connection, 1, customer=301), house.owe(connection, 2, customer=302)
    with house.db.write() as session:
        session.get_one(Delivery, broken.id).request = b'{"kind": "event"}'

    house.settle(connection)

    found = {delivery.id: delivery for delivery in house.deliveries()}
    assert (found[broken.id].status, found[sound.id].status) == ("failed", "accepted")
    assert "KeyError" in found[broken.id].reason
