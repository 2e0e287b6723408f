"""Results: an attempt is closed, its delivery settled, its customer learnt of; and what a dead worker left is found."""

from datetime import timedelta
from typing import Any

from tests.building import NOON, House
from vrio_klaviyo.errors import Answer
from vrio_klaviyo.store import results
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import ProfileLink
from vrio_klaviyo.store.deliveries import DeliveryStatus
from vrio_klaviyo.store.results import INTERRUPTED, Result
from vrio_klaviyo.store.turns import Due


def ended(house: House, due: Due, attempt_id: str, **how: Any) -> None:
    fields: dict[str, Any] = {"duration_ms": 7, "answer": Answer(202, {"cid": "A"}, b""), "error": None}
    fields |= {"status": DeliveryStatus.ACCEPTED} | how
    with house.db.write() as session:
        results.record_results(session, [Result(attempt_id, due, **fields)], house.clock())


def link_of(house: House) -> ProfileLink | None:
    delivery = house.deliveries()[0]
    with house.db.read() as session:
        return session.get(ProfileLink, (delivery.connection_id, delivery.customer_id))


def test_an_attempt_is_closed_with_the_answer(house: House, connection: Connection) -> None:
    house.owe(connection)
    ((due, attempt_id),) = house.begin(connection)
    ended(house, due, attempt_id)

    (attempt,) = house.attempts()
    assert (attempt.duration_ms, attempt.response_status, attempt.error) == (7, 202, None)
    assert (attempt.response_headers, attempt.response_body) == ({"cid": "A"}, b"")
    delivery = house.delivery()
    assert (delivery.status, delivery.tries, delivery.finished_at) == ("accepted", 1, NOON)


def test_any_bytes_and_headers_can_come_back(house: House, connection: Connection) -> None:
    house.owe(connection)
    ((due, attempt_id),) = house.begin(connection)
    ended(house, due, attempt_id, answer=Answer(500, {"x": "\x00\udcff"}, b"\x00\xff\xed\xa0\x80"), error="a\x00b")

    (attempt,) = house.attempts()
    assert (attempt.response_body, attempt.error) == (b"\x00\xff\xed\xa0\x80", "a\ufffdb")
    assert attempt.response_headers == {"x": "\x00\udcff"}


def test_a_wait_does_not_count_as_a_try_and_leaves_the_delivery_as_it_was(house: House, connection: Connection) -> None:
    house.owe(connection)
    ((due, attempt_id),) = house.begin(connection)
    ended(house, due, attempt_id, status=None, counts=False, next_trigger="retry_after")

    delivery = house.delivery()
    assert (delivery.status, delivery.tries, delivery.next_attempt_at) == ("queued", 0, NOON)
    assert delivery.next_trigger == "retry_after"


def test_a_note_is_written_once(house: House, connection: Connection) -> None:
    house.owe(connection)
    for _ in range(2):
        for due, attempt_id in house.begin(connection):
            retry = {"status": DeliveryStatus.RETRYING, "next_attempt_at": NOON}
            ended(house, due, attempt_id, note="sent without the phone", **retry)

    assert house.delivery().notes == ["sent without the phone"]


def test_what_klaviyo_accepted_last_is_remembered(house: House, connection: Connection) -> None:
    house.owe(connection, as_of=NOON - timedelta(hours=1))
    ((due, attempt_id),) = house.begin(connection)
    assert link_of(house) is None
    ended(house, due, attempt_id, refused_phone="+15550000101")

    link = link_of(house)
    assert link is not None
    assert (link.accepted_as_of, link.refused_phone) == (NOON - timedelta(hours=1), "+15550000101")


def test_an_older_picture_that_is_accepted_does_not_turn_time_back(house: House, connection: Connection) -> None:
    for number, as_of in ((1, NOON), (2, NOON - timedelta(hours=1))):
        house.owe(connection, number, as_of=as_of)
        for due, attempt_id in house.begin(connection):
            ended(house, due, attempt_id)

    link = link_of(house)
    assert link is not None
    assert link.accepted_as_of == NOON


def test_a_refused_phone_stays_remembered_when_something_else_is_accepted(house: House, connection: Connection) -> None:
    for number, phone in ((1, "+15550000101"), (2, None)):
        house.owe(connection, number)
        for due, attempt_id in house.begin(connection):
            ended(house, due, attempt_id, refused_phone=phone)

    link = link_of(house)
    assert link is not None
    assert link.refused_phone == "+15550000101"


def test_what_failed_teaches_nothing(house: House, connection: Connection) -> None:
    house.owe(connection)
    ((due, attempt_id),) = house.begin(connection)
    ended(house, due, attempt_id, status=DeliveryStatus.FAILED, reason="400 invalid")

    assert link_of(house) is None
    assert (house.delivery().status, house.delivery().reason) == ("failed", "400 invalid")


def test_what_a_dead_worker_left_open_is_closed_and_counted(house: House, connection: Connection) -> None:
    house.owe(connection)
    house.begin(connection)
    with house.db.write() as session:
        assert results.close_interrupted(session, connection.account_id, house.clock()) == 1
        assert results.close_interrupted(session, connection.account_id, house.clock()) == 0

    (attempt,) = house.attempts()
    assert (attempt.error, attempt.response_status, attempt.duration_ms) == (INTERRUPTED, None, None)
    delivery = house.delivery()
    assert (delivery.status, delivery.tries, delivery.next_trigger) == ("queued", 1, "interrupted")


def test_what_another_lane_is_sending_is_left_alone(house: House, connection: Connection) -> None:
    other = house.connect("Other")
    house.owe(other)
    house.begin(other)
    with house.db.write() as session:
        assert results.close_interrupted(session, connection.account_id, house.clock()) == 0

    assert house.attempts()[0].error is None
