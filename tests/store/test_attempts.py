"""Attempts: written before the call, closed after it, and what a dead worker left open is found."""

from datetime import timedelta
from typing import Any

import pytest

from tests.building import NOON, House
from vrio_klaviyo.errors import Answer
from vrio_klaviyo.klaviyo.requests import loads, render
from vrio_klaviyo.store import attempts, turns
from vrio_klaviyo.store.attempts import INTERRUPTED, Result
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import ProfileLink
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.deliveries import DeliveryStatus
from vrio_klaviyo.store.turns import Due


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


@pytest.fixture
def connection(house: House) -> Connection:
    return house.connect()


def begun(house: House, connection: Connection) -> list[tuple[Due, str]]:
    """What is due, with its attempts opened."""
    with house.db.write() as session:
        claimed = turns.claim_due(session, connection.account_id, house.clock(), 16)
        pairs = [(due, render(loads(due.delivery.request), due.connection.style, due.known)) for due in claimed]
        opened = attempts.open_attempts(session, pairs, "https://klaviyo.test", house.clock())
    return list(zip(claimed, opened, strict=True))


def ended(house: House, due: Due, attempt_id: str, **how: Any) -> None:
    fields: dict[str, Any] = {"duration_ms": 7, "answer": Answer(202, {"cid": "A"}, b""), "error": None}
    fields |= {"status": DeliveryStatus.ACCEPTED} | how
    with house.db.write() as session:
        attempts.record_results(session, [Result(attempt_id, due, **fields)], house.clock())


def link_of(house: House) -> ProfileLink | None:
    delivery = house.deliveries()[0]
    with house.db.read() as session:
        return session.get(ProfileLink, (delivery.connection_id, delivery.customer_id))


def test_an_attempt_is_open_until_it_is_closed(house: House, connection: Connection) -> None:
    delivery = house.owe(connection)
    ((due, attempt_id),) = begun(house, connection)

    (attempt,) = house.attempts()
    assert (attempt.id, attempt.delivery_id, attempt.exchange_id) == (attempt_id, delivery.id, attempt_id)
    assert (attempt.connection_id, attempt.customer_id) == (connection.id, delivery.customer_id)
    assert attempt.inbound_event_id == delivery.inbound_event_id
    assert (attempt.number, attempt.trigger, attempt.started_at) == (1, "first", NOON)
    assert (attempt.method, attempt.url) == ("POST", "https://klaviyo.test/api/events")
    assert (attempt.duration_ms, attempt.response_status, attempt.error) == (None, None, None)
    assert house.delivery().status == "queued"
    ended(house, due, attempt_id)

    (attempt,) = house.attempts()
    assert (attempt.duration_ms, attempt.response_status, attempt.error) == (7, 202, None)
    assert (attempt.response_headers, attempt.response_body) == ({"cid": "A"}, b"")
    delivery = house.delivery()
    assert (delivery.status, delivery.tries, delivery.finished_at) == ("accepted", 1, NOON)


def test_attempts_are_numbered_within_their_delivery(house: House, connection: Connection) -> None:
    house.owe(connection, 1)
    house.owe(connection, 2, customer=302)
    for _ in range(3):
        for due, attempt_id in begun(house, connection):
            ended(house, due, attempt_id, status=None)

    for delivery in house.deliveries():
        assert [attempt.number for attempt in house.attempts(delivery)] == [1, 2, 3]


def test_any_bytes_and_headers_can_come_back(house: House, connection: Connection) -> None:
    house.owe(connection)
    ((due, attempt_id),) = begun(house, connection)
    ended(house, due, attempt_id, answer=Answer(500, {"x": "\x00\udcff"}, b"\x00\xff\xed\xa0\x80"), error="a\x00b")

    (attempt,) = house.attempts()
    assert (attempt.response_body, attempt.error) == (b"\x00\xff\xed\xa0\x80", "a\ufffdb")
    assert attempt.response_headers == {"x": "\x00\udcff"}


def test_a_wait_does_not_count_as_a_try_and_leaves_the_delivery_as_it_was(house: House, connection: Connection) -> None:
    house.owe(connection)
    ((due, attempt_id),) = begun(house, connection)
    ended(house, due, attempt_id, status=None, counts=False, next_trigger="retry_after")

    delivery = house.delivery()
    assert (delivery.status, delivery.tries, delivery.next_attempt_at) == ("queued", 0, NOON)
    assert delivery.next_trigger == "retry_after"


def test_a_note_is_written_once(house: House, connection: Connection) -> None:
    house.owe(connection)
    for _ in range(2):
        for due, attempt_id in begun(house, connection):
            retry = {"status": DeliveryStatus.RETRYING, "next_attempt_at": NOON}
            ended(house, due, attempt_id, note="sent without the phone", **retry)

    assert house.delivery().notes == ["sent without the phone"]


def test_what_klaviyo_accepted_last_is_remembered(house: House, connection: Connection) -> None:
    house.owe(connection, as_of=NOON - timedelta(hours=1))
    ((due, attempt_id),) = begun(house, connection)
    assert link_of(house) is None
    ended(house, due, attempt_id, refused_phone="+15550000101")

    link = link_of(house)
    assert link is not None
    assert (link.accepted_as_of, link.refused_phone) == (NOON - timedelta(hours=1), "+15550000101")


def test_an_older_picture_that_is_accepted_does_not_turn_time_back(house: House, connection: Connection) -> None:
    for number, as_of in ((1, NOON), (2, NOON - timedelta(hours=1))):
        house.owe(connection, number, as_of=as_of)
        for due, attempt_id in begun(house, connection):
            ended(house, due, attempt_id)

    link = link_of(house)
    assert link is not None
    assert link.accepted_as_of == NOON


def test_a_refused_phone_stays_remembered_when_something_else_is_accepted(house: House, connection: Connection) -> None:
    for number, phone in ((1, "+15550000101"), (2, None)):
        house.owe(connection, number)
        for due, attempt_id in begun(house, connection):
            ended(house, due, attempt_id, refused_phone=phone)

    link = link_of(house)
    assert link is not None
    assert link.refused_phone == "+15550000101"


def test_what_failed_teaches_nothing(house: House, connection: Connection) -> None:
    house.owe(connection)
    ((due, attempt_id),) = begun(house, connection)
    ended(house, due, attempt_id, status=DeliveryStatus.FAILED, reason="400 invalid")

    assert link_of(house) is None
    assert (house.delivery().status, house.delivery().reason) == ("failed", "400 invalid")


def test_what_was_not_made_is_taken_back(house: House, connection: Connection) -> None:
    house.owe(connection)
    ((_, attempt_id),) = begun(house, connection)
    with house.db.write() as session:
        attempts.withdraw(session, [attempt_id])

    assert house.attempts() == []


def test_what_a_dead_worker_left_open_is_closed_and_counted(house: House, connection: Connection) -> None:
    house.owe(connection)
    begun(house, connection)
    with house.db.write() as session:
        assert attempts.close_interrupted(session, connection.account_id, house.clock()) == 1
        assert attempts.close_interrupted(session, connection.account_id, house.clock()) == 0

    (attempt,) = house.attempts()
    assert (attempt.error, attempt.response_status, attempt.duration_ms) == (INTERRUPTED, None, None)
    delivery = house.delivery()
    assert (delivery.status, delivery.tries, delivery.next_trigger) == ("queued", 1, "interrupted")


def test_what_another_lane_is_sending_is_left_alone(house: House, connection: Connection) -> None:
    other = house.connect("Other")
    house.owe(other)
    begun(house, other)
    with house.db.write() as session:
        assert attempts.close_interrupted(session, connection.account_id, house.clock()) == 0

    assert house.attempts()[0].error is None


def test_the_log_shows_the_newest_first(house: House, connection: Connection) -> None:
    first, second = house.owe(connection, 1), house.owe(connection, 2, customer=302)
    made = [attempt_id for _ in range(2) for _, attempt_id in begun(house, connection)]
    with house.db.read() as session:
        both = [first.id, second.id]
        assert [one.id for one in attempts.attempts_of_deliveries(session, both)] == made[::-1]
        assert [one.id for one in attempts.attempts_of_deliveries(session, [second.id])] == [made[3], made[1]]
        assert attempts.counts_of_deliveries(session, [first.id, second.id]) == {first.id: 2, second.id: 2}
