"""What is not sent once more, and what is said instead."""

from typing import Any

import pytest

from tests.bodies import declined
from tests.building import NOON, House
from tests.sending_again.once_more import again, failed, owe, refusal
from tests.steered import Klaviyo
from vrio_klaviyo.errors import NotFound, Refused
from vrio_klaviyo.sending_again import send_again
from vrio_klaviyo.store import retention
from vrio_klaviyo.store.connections import Connection, KeyStatus


def test_nothing_is_sent_again_while_it_is_being_sent(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house)
    told: list[str] = []

    def ask() -> None:
        try:
            again(house)
        except Refused as error:
            told.append(str(error))

    klaviyo.while_asked(ask)
    house.send(connection)

    assert told == [f"{house.delivery().id} is being sent right now. Look again in a moment."]
    assert [attempt.response_status for attempt in house.attempts()] == [202]


def test_what_is_queued_goes_by_itself(house: House, connection: Connection) -> None:
    owe(house)

    assert "goes out by itself" in refusal(house)


def test_a_paused_connection_sends_only_when_that_is_asked_for(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    failed(house, connection, klaviyo)
    owe(house, declined(2))
    house.change(connection, active=False)
    house.send(connection)
    first, second = house.deliveries()
    assert (second.status, second.reason) == ("held", "connection_paused")

    assert "The connection is paused." in refusal(house, first)
    again(house, first, despite_pause=True)
    house.send(connection)

    assert [delivery.status for delivery in house.deliveries()] == ["accepted", "held"]
    assert not house.connection(connection).active


@pytest.mark.parametrize(
    ("change_", "sentence"),
    [
        ({"push_events": False}, "Push Events is off"),
        ({"key_status": KeyStatus.REJECTED}, "does not take the connection's key"),
    ],
)
def test_what_would_be_stopped_again_is_refused(
    house: House, connection: Connection, klaviyo: Klaviyo, change_: dict[str, Any], sentence: str
) -> None:
    failed(house, connection, klaviyo)
    house.change(connection, **change_)

    assert sentence in refusal(house)


def test_a_body_that_was_removed_is_not_sent(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    delivery = failed(house, connection, klaviyo)
    with house.db.write() as session:
        retention.empty_deliveries(session, [delivery.id], NOON)

    assert refusal(house) == "Its bodies were removed on 30 Aug 2026; nothing is left to send."


def test_an_unknown_delivery_is_not_found(house: House) -> None:
    with pytest.raises(NotFound, match="dl_none"), house.db.write() as session:
        send_again(session, "dl_none", NOON)


def test_nothing_goes_through_a_connection_that_was_put_away(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    failed(house, connection, klaviyo)
    house.change(connection, active=False, archived_at=house.clock())

    with pytest.raises(Refused, match="The connection is archived"):
        again(house, despite_pause=True)
