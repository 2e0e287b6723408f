"""What is remembered of earlier webhooks, and that the newest picture stays."""

import pytest

from tests.bodies import DECLINED, SALE, declined, sample
from tests.building import NOON, House
from tests.intake.taken import changed_offer, request_of, taken_in
from vrio_klaviyo.klaviyo.requests import loads
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.memory import Memory


@pytest.mark.requirement("003-C")
def test_what_the_webhook_leaves_out_of_the_customer_is_remembered(house: House, connection: Connection) -> None:
    bare = declined(2, at="2026-08-30 11:30:00")
    bare["webhook_data"]["transaction"]["customer"] = {"id": "301"}
    bare["webhook_data"]["transaction"].pop("customer_address_billing", None)
    taken_in(house, declined(1))
    taken_in(house, bare, bare | {"webhook_event_id": "again"})

    first, second = house.deliveries()
    assert second.status == "queued"
    assert request_of(second).profile.email == request_of(first).profile.email == "john@acme.test"
    assert second.customer_id == first.customer_id


@pytest.mark.requirement("003-C")
def test_what_the_webhook_does_say_of_the_customer_stands(house: House, connection: Connection) -> None:
    renamed = declined(2, at="2026-08-30 11:30:00")
    renamed["webhook_data"]["transaction"]["customer"] = {"id": "301", "first_name": "Jon"}
    taken_in(house, declined(1), renamed)

    profile = request_of(house.deliveries()[1]).profile
    assert (profile.email, profile.first_name, profile.last_name) == ("john@acme.test", "Jon", "Doe")


@pytest.mark.requirement("003-D")
def test_a_mere_mention_does_not_wipe_what_is_remembered(house: House, connection: Connection) -> None:
    mention = declined(2, at="2026-08-30 11:30:00")
    mention["webhook_data"]["transaction"]["order"] = {"id": "1254"}
    mention["webhook_data"]["transaction"]["customer"] = None
    taken_in(house, sample(DECLINED))
    with house.db.read() as session:
        before = Memory(session, house.source.id).recall("order", "1254")
    taken_in(house, mention)

    assert before
    with house.db.read() as session:
        assert Memory(session, house.source.id).recall("order", "1254") == before


@pytest.mark.requirement("003-D")
def test_webhooks_in_the_wrong_order_leave_the_newest_picture(house: House, connection: Connection) -> None:
    newer, older = (
        declined(1, email="new@acme.test"),
        declined(2, email="old@acme.test", at="2026-08-29 11:00:00"),
    )
    taken_in(house, newer, older)

    assert house.customers()[0].email == "new@acme.test"
    with house.db.read() as session:
        kept = Memory(session, house.source.id).recall("customer", "301")
    assert kept is not None
    assert b"new@acme.test" in kept.body
    # The second one was told later, and shows the customer as we know them by then.
    assert [delivery.as_of.day for delivery in house.deliveries()] == [30, 30]
    assert {loads(delivery.request).profile.email for delivery in house.deliveries()} == {"new@acme.test"}


def test_nothing_is_remembered_as_from_a_day_yet_to_come(house: House, connection: Connection) -> None:
    taken_in(house, declined(1, email="old@acme.test", at="2126-08-30 11:00:00"))
    house.clock.advance(minutes=5)
    taken_in(house, declined(2, email="new@acme.test", at="2026-08-30 12:04:00"))

    assert house.customers()[0].email == "new@acme.test"
    assert house.deliveries()[0].as_of == NOON
    with house.db.read() as session:
        kept = Memory(session, house.source.id).recall("customer", "301")
    assert kept is not None
    assert b"new@acme.test" in kept.body


@pytest.mark.requirement("003-46", "003-D")
def test_a_change_that_waits_for_its_customer_is_judged_by_what_was_known_before_it(
    house: House, connection: Connection
) -> None:
    active, paused, resumed = taken_in(
        house,
        changed_offer("2025-08-31 10:00:00", status_type_id="Active"),
        changed_offer("2025-09-01 10:00:00", status_type_id="Paused"),
        changed_offer("2025-09-02 10:00:00", status_type_id="Active"),
    )
    assert (active.status, paused.status, resumed.status) == ("ignored", "waiting", "waiting")

    taken_in(house, sample(SALE))
    taken_in(house)
    assert house.inbound(paused.id).status == "processed"
    changes = [
        one.metric for one in house.deliveries() if one.metric in ("Paused Subscription", "Unpaused Subscription")
    ]
    assert changes == ["Paused Subscription", "Unpaused Subscription"]


@pytest.mark.requirement("003-37", "003-C", "003-D")
def test_a_parcel_waits_for_its_payment_and_is_accepted_when_that_was_told(
    house: House, connection: Connection
) -> None:
    (parcel,) = taken_in(house, sample("shipment_shipped"))
    assert (parcel.status, parcel.reason) == (
        "waiting",
        "It waits for transaction 1668, of which Vrio has told nothing yet.",
    )
    assert house.deliveries() == []

    taken_in(house, sample(SALE))
    taken_in(house)
    house.settle(connection)

    assert house.inbound(parcel.id).status == "processed"
    told = [(one.metric, one.status) for one in house.deliveries() if one.inbound_event_id == parcel.id]
    assert told == [("Fulfilled Order", "accepted")]
