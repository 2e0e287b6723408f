"""What was kept back goes when a person sends it, unless something keeps it back still."""

from datetime import timedelta

import pytest

from tests.bodies import SALE, declined, sample
from tests.building import NOON, House
from tests.sending_again.once_more import again, owe, refusal
from tests.steered import Klaviyo
from vrio_klaviyo.store.connections import Connection


@pytest.mark.requirement("003-67")
def test_what_came_while_paused_goes_when_a_person_sends_it(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    house.change(connection, active=False)
    owe(house)
    assert house.delivery().reason == "connection_paused"
    house.change(connection, active=True)
    again(house)
    house.send(connection)

    assert (house.delivery().status, house.delivery().reason) == ("accepted", "")
    assert [event["unique_id"] for event in klaviyo.events()] == ["1001"]


def test_what_came_before_the_activation_goes_when_a_person_sends_it(house: House, connection: Connection) -> None:
    house.change(connection, activated_at=NOON + timedelta(hours=1))
    owe(house)
    assert house.delivery().reason == "before_activation"
    again(house)
    house.send(connection)

    assert house.delivery().status == "accepted"


def test_what_the_gate_still_keeps_back_is_refused_with_what_to_do(house: House, connection: Connection) -> None:
    house.change(connection, campaigns=["99"])
    owe(house)
    assert house.delivery().reason == "campaign_not_selected"

    assert "Add the campaign to the connection" in refusal(house)
    house.change(connection, campaigns=["1", "99"])
    again(house)
    house.send(connection)
    assert house.delivery().status == "accepted"


def test_what_had_a_second_reason_is_not_let_through_by_the_first(house: House, connection: Connection) -> None:
    house.change(connection, active=False, campaigns=["99"])
    owe(house)
    assert house.delivery().reason == "connection_paused"
    house.change(connection, active=True)

    assert "Add the campaign to the connection" in refusal(house)


def test_a_reason_against_which_nothing_helps_is_told(house: House, connection: Connection) -> None:
    owe(house, declined(email=""))

    assert "has no e-mail address" in refusal(house)


def test_what_was_promised_anew_is_not_promised_twice(house: House, connection: Connection) -> None:
    house.change(connection, active=False)
    owe(house)
    house.change(connection, active=True)
    owe(house, declined() | {"webhook_event_id": 9999})
    skipped, queued = house.deliveries()

    assert refusal(house, skipped) == f"The same was promised anew since: see {queued.id}."


def test_a_subscription_that_was_paused_can_be_sent_again_too(house: House, connection: Connection) -> None:
    """Its webhook tells a change, and what it changed from is not remembered any more."""
    owe(house, sample(SALE))
    offer = sample("order_offer_updated_paused")
    house.change(connection, active=False)
    owe(house, offer)
    house.change(connection, active=True)
    skipped = [delivery for delivery in house.deliveries() if delivery.status == "skipped"]
    assert skipped
    for delivery in skipped:
        again(house, delivery)
    house.settle(connection)

    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}
