"""Nothing is silent: what makes no event, and what could not be read of one that does, says why."""

from typing import Any

import pytest

from tests.bodies import SALE, declined, sample
from tests.building import House
from tests.intake.taken import taken_in
from vrio_klaviyo.consequences import NO_CONNECTION, TOLD_OTHERWISE
from vrio_klaviyo.store.connections import Connection, add_connection
from vrio_klaviyo.store.memory import Memory
from vrio_klaviyo.store.workspaces import add_workspace
from vrio_klaviyo.wanted import TEST_ADDRESS


def without_customer(body: dict[str, Any]) -> dict[str, Any]:
    for thing in body["webhook_data"].values():
        thing["customer"] = None
    return body


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (sample("order_gift_wrapped"), "unknown", "Vrio's event order_gift_wrapped is not one that we know."),
        (
            without_customer(sample("order_updated")),
            "ignored",
            "Vrio sends it for any change of an order; it says nothing of its own.",
        ),
        ({}, "unreadable", "The body has no webhook_type that can be read."),
        ({"webhook_type": "order"}, "unreadable", "The body has no webhook_event that can be read."),
        (sample(SALE) | {"webhook_data": {}}, "unreadable", "webhook_data has no object named like webhook_type."),
        (sample(SALE) | {"webhook_data": {"transaction": {}}}, "unreadable", "The transaction has no id."),
    ],
)
def test_what_makes_no_event_says_why(
    house: House, connection: Connection, body: dict[str, Any], status: str, reason: str
) -> None:
    (event,) = taken_in(house, body)

    assert (event.status, event.reason, event.finished_at) == (status, reason, house.clock())
    assert house.deliveries() == []
    assert house.bells == [("intake", house.source.id)]


def test_without_a_connection_a_webhook_is_ignored_and_remembered(house: House) -> None:
    (event,) = taken_in(house, declined())

    assert (event.status, event.reason) == ("ignored", NO_CONNECTION)
    assert event.customer_id == house.customers()[0].id
    with house.db.read() as session:
        assert Memory(session, house.source.id).recall("customer", "301")


def test_a_connection_of_another_workspace_gets_nothing(house: House) -> None:
    with house.db.write() as session:
        other = add_workspace(session, "Other")
        session.flush()
        add_connection(session, house.vault, other, "Klaviyo", "pk_other")
    (event,) = taken_in(house, declined())

    assert (event.status, event.reason) == ("ignored", NO_CONNECTION)
    assert house.deliveries() == []


def test_the_same_id_with_another_body_is_noted(house: House, connection: Connection) -> None:
    first, second = taken_in(house, declined(1), declined(2) | {"webhook_event_id": 7001})

    assert TOLD_OTHERWISE not in first.notes
    assert TOLD_OTHERWISE in second.notes
    assert [TOLD_OTHERWISE in delivery.notes for delivery in house.deliveries()] == [False, True]


def test_what_could_not_be_read_is_noted_on_the_delivery(house: House, connection: Connection) -> None:
    body = declined()
    body["webhook_data"]["transaction"] |= {"transaction_total": "a lot", "currency_id": None}
    (event,) = taken_in(house, body)

    notes = house.delivery().notes
    assert "transaction_total is not an amount: left out." in notes
    assert "No amount is given: the event goes without a value." in notes
    assert "No currency is given: taken to be USD." in notes
    assert event.notes == notes
    assert not any("a lot" in note for note in notes)


@pytest.mark.parametrize(
    ("email", "noted"),
    [("john@example.com", True), ("john@TEST.com", True), ("john@acme.test", False), ("john@myexample.com", False)],
)
def test_an_address_that_klaviyo_drops_is_noted(house: House, connection: Connection, email: str, noted: bool) -> None:
    taken_in(house, declined(email=email))

    assert (TEST_ADDRESS in house.delivery().notes) is noted
