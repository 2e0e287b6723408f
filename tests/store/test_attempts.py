"""Attempts: written before the call, numbered within their delivery, and listed newest first."""

from tests.building import NOON, House
from vrio_klaviyo.store import attempts
from vrio_klaviyo.store.connections import Connection


def test_an_attempt_is_open_while_the_call_is_under_way(house: House, connection: Connection) -> None:
    delivery = house.owe(connection)
    ((_, attempt_id),) = house.begin(connection)

    (attempt,) = house.attempts()
    assert (attempt.id, attempt.delivery_id, attempt.exchange_id) == (attempt_id, delivery.id, attempt_id)
    assert (attempt.connection_id, attempt.customer_id) == (connection.id, delivery.customer_id)
    assert attempt.inbound_event_id == delivery.inbound_event_id
    assert (attempt.number, attempt.trigger, attempt.started_at) == (1, "first", NOON)
    assert (attempt.method, attempt.url) == ("POST", "https://klaviyo.test/api/events")
    assert (attempt.duration_ms, attempt.response_status, attempt.error) == (None, None, None)
    assert house.delivery().status == "queued"


def test_attempts_are_numbered_within_their_delivery(house: House, connection: Connection) -> None:
    house.owe(connection, 1)
    house.owe(connection, 2, customer=302)
    for _ in range(3):
        house.begin(connection)

    for delivery in house.deliveries():
        assert [attempt.number for attempt in house.attempts(delivery)] == [1, 2, 3]


def test_what_was_not_made_is_taken_back(house: House, connection: Connection) -> None:
    house.owe(connection)
    ((_, attempt_id),) = house.begin(connection)
    with house.db.write() as session:
        attempts.withdraw(session, [attempt_id])

    assert house.attempts() == []


def test_the_log_shows_the_newest_first(house: House, connection: Connection) -> None:
    first, second = house.owe(connection, 1), house.owe(connection, 2, customer=302)
    made = [attempt_id for _ in range(2) for _, attempt_id in house.begin(connection)]
    with house.db.read() as session:
        both = [first.id, second.id]
        assert [one.id for one in attempts.attempts_of_deliveries(session, both)] == made[::-1]
        assert [one.id for one in attempts.attempts_of_deliveries(session, [second.id])] == [made[3], made[1]]
        assert attempts.counts_of_deliveries(session, [first.id, second.id]) == {first.id: 2, second.id: 2}
