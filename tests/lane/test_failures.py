"""What fails: once and for all, or to be tried again, until a run of failures opens the circuit."""

from datetime import timedelta
from typing import Any

import pytest

from tests.bodies import declined
from tests.building import House
from tests.lane.owed import lease_of, owe, sent_body
from tests.steered import Klaviyo
from vrio_klaviyo.deciding import BACKOFF_S, CIRCUIT_OPENS_AT
from vrio_klaviyo.store.connections import Connection, KlaviyoAccount
from vrio_klaviyo.store.customers import ProfileLink
from vrio_klaviyo.store.resending import MANUAL


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_klaviyo_will_never_take_fails(
    house: House, connection: Connection, klaviyo: Klaviyo, status: int
) -> None:
    klaviyo.fault("status", status=status)
    owe(house)
    house.send(connection)

    delivery = house.delivery()
    assert (delivery.status, delivery.tries, delivery.finished_at) == ("failed", 1, house.clock())
    assert delivery.reason.startswith(str(status))
    assert house.attempts()[0].error == delivery.reason


@pytest.mark.parametrize("fault", [{"fault": "status", "status": 500}, {"fault": "reset"}, {"fault": "html"}])
def test_what_may_pass_later_is_tried_again_with_the_same_bytes(
    house: House, connection: Connection, klaviyo: Klaviyo, fault: dict[str, Any]
) -> None:
    klaviyo.fault(**fault)
    owe(house)
    house.send(connection)

    delivery = house.delivery()
    assert (delivery.status, delivery.tries) == ("retrying", 1)
    assert delivery.reason
    assert delivery.next_attempt_at is not None
    assert 4 <= (delivery.next_attempt_at - house.clock()).total_seconds() <= 6
    assert house.bells == []
    house.send(connection)
    assert len(klaviyo.requests()) == 1

    house.clock.now = delivery.next_attempt_at
    house.send(connection)
    delivery = house.delivery()
    first, second = house.attempts()
    assert (delivery.status, delivery.tries, delivery.reason) == ("accepted", 2, "")
    assert (second.trigger, second.response_status) == ("backoff", 202)
    assert first.request_body == second.request_body == sent_body(klaviyo, 1)
    assert [event["unique_id"] for event in klaviyo.events()] == ["1001"]


def test_the_tries_grow_apart_and_end_after_three_days(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("status", status=503, times=None)
    owe(house)
    began, waited = house.clock(), []
    while house.delivery().status in ("queued", "retrying"):
        house.send(connection)
        next_attempt_at = house.delivery().next_attempt_at
        if next_attempt_at:
            waited.append((next_attempt_at - house.clock()).total_seconds())
            house.clock.now = next_attempt_at

    assert house.delivery().status == "failed"
    assert house.delivery().reason.startswith("503")
    assert all(0.8 * plan <= wait <= 1.2 * plan for plan, wait in zip(BACKOFF_S, waited, strict=False))
    assert timedelta(days=3) <= house.clock() - began < timedelta(days=3, hours=15)


def test_a_break_before_or_after_it_took_effect_counts_once(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    klaviyo.fault("reset", processed=True)
    owe(house)
    house.send(connection)
    assert house.delivery().status == "retrying"
    assert house.attempts()[0].error == "the connection broke or was refused"
    house.clock.advance(seconds=10)
    house.send(connection)

    (event,) = klaviyo.events()
    assert event["repeats"] == 1
    assert house.delivery().status == "accepted"


def test_what_a_person_sent_once_more_and_may_have_arrived_is_not_overwritten_by_older_news(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    """It is not tried again, and yet nobody knows."""
    owed = house.owe(connection)
    house.change(owed, asked=MANUAL)
    klaviyo.fault("reset", processed=True)
    house.send(connection)

    assert (house.delivery().status, len(klaviyo.events())) == ("failed", 1)
    with house.db.read() as session:
        link = session.get_one(ProfileLink, (connection.id, owed.customer_id))
    assert link.accepted_as_of == owed.as_of


def test_a_run_of_failures_stops_the_lane_before_every_delivery_has_lost_a_try(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    klaviyo.fault("status", status=503, times=None)
    owe(house, *[declined(number, customer=number, email=f"j{number}@acme.test") for number in range(12)])
    house.send(connection, senders=1)

    assert len(klaviyo.requests()) == CIRCUIT_OPENS_AT
    assert [delivery.tries for delivery in house.deliveries()] == [1] * CIRCUIT_OPENS_AT + [0] * 7
    wake_at = lease_of(house, connection).wake_at
    assert wake_at is not None
    assert house.bells == []

    # One asks whether Klaviyo is back, and the next waits longer.
    house.clock.now = wake_at
    house.send(connection)
    assert len(klaviyo.requests()) == CIRCUIT_OPENS_AT + 1
    longer = lease_of(house, connection).wake_at
    assert longer is not None
    assert longer - house.clock() > timedelta(seconds=8)


def test_when_klaviyo_is_back_everything_goes_on(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("reset", times=CIRCUIT_OPENS_AT)
    owe(house, *[declined(number, customer=number, email=f"j{number}@acme.test") for number in range(12)])
    house.settle(connection, senders=1)
    house.clock.advance(seconds=7)
    house.settle(connection)

    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}
    with house.db.read() as session:
        assert session.get_one(KlaviyoAccount, connection.account_id).failures == 0


def test_one_that_always_fails_among_others_that_do_not_opens_no_circuit(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    klaviyo.fault("status", status=500, times=None, match={"unique_id": "1000"})
    for number in range(CIRCUIT_OPENS_AT * 2):
        owe(house, declined(number, customer=number, email=f"j{number}@acme.test"))
        house.clock.advance(hours=13)
        house.settle(connection)

    first, *others = house.deliveries()
    assert first.status in ("retrying", "failed")
    assert {other.status for other in others} == {"accepted"}
    assert lease_of(house, connection).wake_at is None
