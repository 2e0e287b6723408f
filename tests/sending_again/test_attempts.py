"""What a person sends again is one attempt, and goes out, waits, is held or fails like any other."""

from sandbox.klaviyo import REVOKED_KEY
from tests.building import House
from tests.sending_again.once_more import again, failed, owe
from tests.steered import Klaviyo
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import LIVE


def test_one_attempt_and_no_automatic_retry(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    failed(house, connection, klaviyo)
    klaviyo.fault("status", status=503)
    again(house)
    house.send(connection)

    delivery = house.delivery()
    assert (delivery.status, delivery.next_attempt_at, delivery.asked) == ("failed", None, "")
    assert delivery.reason.startswith("503")
    house.clock.advance(days=1)
    house.send(connection)
    assert len(house.attempts()) == 2


def test_a_retry_that_was_waiting_is_given_up_for_it(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("status", status=503, times=2)
    owe(house)
    house.send(connection)
    assert house.delivery().status == "retrying"
    again(house)
    house.send(connection)

    assert house.delivery().status == "failed"
    house.clock.advance(days=1)
    house.send(connection)
    assert [attempt.trigger for attempt in house.attempts()] == ["first", "manual"]


def test_a_rate_limit_is_waited_for_and_is_not_the_attempt(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    failed(house, connection, klaviyo)
    klaviyo.fault("throttle", retry_after=7)
    again(house)
    house.send(connection)
    assert (house.delivery().status, house.delivery().asked) == ("queued", "manual")
    house.clock.advance(seconds=8)
    house.send(connection)

    assert house.delivery().status == "accepted"


def test_it_goes_out_with_what_comes_in_and_starts_to_count_anew(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    delivery = failed(house, connection, klaviyo)
    house.change(delivery, tries=12, deaths=3, lane_order=2)
    again(house)

    asked = house.delivery()
    assert (asked.status, asked.lane_order, asked.tries, asked.deaths) == ("queued", LIVE, 0, 0)
    assert (asked.next_trigger, asked.queued_at, asked.finished_at) == ("manual", house.clock(), None)


def test_what_was_held_may_be_tried(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house)
    house.change(house.delivery(), status="held", reason="endpoint_refused", next_attempt_at=None)
    again(house)
    house.send(connection)

    assert house.delivery().status == "accepted"


def test_what_was_asked_for_is_held_by_a_pause_that_comes_after_it(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    from vrio_klaviyo.store.holding import CONNECTION_PAUSED, hold_owed

    failed(house, connection, klaviyo)
    again(house)
    house.change(connection, active=False)
    with house.db.write() as session:
        hold_owed(session, [connection.id], CONNECTION_PAUSED)
    house.send(connection)

    assert (house.delivery().status, len(house.attempts())) == ("held", 1)


def test_a_revoked_key_holds_it_like_any_other(house: House, klaviyo: Klaviyo) -> None:
    connection = house.connect("Revoked", REVOKED_KEY)
    owe(house)
    house.change(house.delivery(), status="failed", next_attempt_at=None)
    again(house)
    house.send(connection)

    assert (house.delivery().status, house.delivery().reason) == ("held", "key_rejected")
