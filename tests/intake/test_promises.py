"""What is owed after a webhook: to every connection its own, and the same but once."""

from dataclasses import replace

import pytest

from tests.bodies import SALE, SAMPLES, declined, sample
from tests.building import House
from tests.intake.taken import changed_offer, events_promised, promised, request_of, taken_in
from vrio_klaviyo.klaviyo.requests import loads
from vrio_klaviyo.store.connections import Connection


@pytest.mark.parametrize(
    ("name", "status", "owed", "skipped"),
    [
        (
            "transaction_completed_sale_subscription_cycle1",
            "processed",
            {("Placed Order", "1668"), ("Ordered Product", "1668_1"), ("Started Subscription", "1668_1_sub")},
            None,
        ),
        (
            "transaction_completed_sale_onetime",
            "processed",
            {("Placed Non-Recurring Order", "1690"), ("Ordered Product", "1690_7")},
            None,
        ),
        (
            "transaction_completed_capture_recurring_cycle2",
            "processed",
            {("Placed Order", "1701"), ("Ordered Product", "1701_1")},
            None,
        ),
        ("transaction_completed_declined_cycle1", "processed", {("Declined Order", "1670")}, None),
        ("transaction_completed_declined_rebill_attempt2", "processed", {("Declined Order", "1711")}, None),
        (
            "transaction_completed_sale_no_email",
            "processed",
            {("Placed Non-Recurring Order", "1698"), ("Ordered Product", "1698_7")},
            "no_email",
        ),
        (
            "transaction_completed_sale_test_order",
            "processed",
            {("Placed Order", "1699"), ("Ordered Product", "1699_1"), ("Started Subscription", "1699_1_sub")},
            "test_order",
        ),
    ],
)
@pytest.mark.requirement("003-30", "003-31", "003-36", "003-44", "003-49", "003-67")
def test_a_sample_comes_to_this(
    house: House, connection: Connection, name: str, status: str, owed: set[tuple[str, str]], skipped: str | None
) -> None:
    (event,) = taken_in(house, sample(name))

    assert (event.status, event.reason, event.finished_at) == (status, "", house.clock())
    assert {(metric, unique_id) for metric, unique_id, _, _ in promised(house)} == owed
    expected = ("skipped", skipped) if skipped else ("queued", "")
    assert {(status, reason) for _, _, status, reason in promised(house)} == {expected}
    assert house.bells[1:] == ([] if skipped else [("lane", connection.account_id)])


@pytest.mark.requirement("003-50", "003-51", "003-52")
def test_the_ids_are_those_of_the_published_page(house: House, connection: Connection) -> None:
    taken_in(house, sample(SALE))

    assert [unique_id for _, unique_id, _, _ in promised(house)] == ["1668", "1668_1", "1668_1_sub"]


@pytest.mark.requirement("003-53")
def test_the_same_sale_told_again_promises_nothing(house: House, connection: Connection) -> None:
    taken_in(house, sample(SALE))
    house.bells.clear()
    (event,) = taken_in(house, sample(SALE) | {"webhook_event_id": 9999, "webhook_event_date": "2025-08-16 09:00:00"})

    assert event.status == "processed"
    assert len(house.deliveries()) == 3
    assert house.bells == [("intake", house.source.id)]


@pytest.mark.requirement("003-53")
def test_a_repeat_under_another_e_mail_promises_no_event(house: House, connection: Connection) -> None:
    taken_in(house, declined(1))
    taken_in(house, declined(1, email="johnny@acme.test", at="2026-08-30 11:30:00") | {"webhook_event_id": 2})

    assert events_promised(house) == [("Declined Order", "1001", "queued", "")]
    assert request_of(house.deliveries()[0]).profile.email == "john@acme.test"
    assert house.customers()[0].email == "johnny@acme.test"


def test_all_samples_twice_promise_what_they_promise_once(house: House, connection: Connection) -> None:
    names = sorted(path.stem for path in SAMPLES.glob("*.json"))
    taken_in(house, *map(sample, names))
    once = events_promised(house)
    taken_in(house, *[sample(name) | {"webhook_event_id": f"again {name}"} for name in names])
    twice = promised(house)
    taken_in(house, *[sample(name) | {"webhook_event_id": f"once more {name}"} for name in names])

    assert [row for row in twice if row[0]] == once
    # A profile may be told once more, when more was known of it by then.
    assert promised(house) == twice
    assert len(once) > 20


def test_every_connection_of_the_workspace_gets_its_own(house: House, connection: Connection) -> None:
    other = house.connect("Other")
    taken_in(house, declined())

    assert {delivery.connection_id for delivery in house.deliveries()} == {connection.id, other.id}
    assert set(house.bells[1:]) == {("lane", connection.account_id), ("lane", other.account_id)}


def test_two_sources_with_the_same_transaction_each_get_their_own(house: House, connection: Connection) -> None:
    other = house.add_source("Other")
    house.post(declined())
    house.post(declined(), other)
    house.take_in()
    house.take_in(other)

    assert len(house.deliveries()) == 2
    assert len(house.customers()) == 2


def test_a_source_says_what_its_payloads_leave_out(house: House, connection: Connection) -> None:
    berlin = house.add_source("Berlin", time_zone="Europe/Berlin", country="DE", currency="EUR")
    body = declined(phone="030 901820", at="2026-08-30 11:00:00")
    transaction = body["webhook_data"]["transaction"]
    transaction["currency_id"] = None
    for place in ("customer_address_billing", "customer_address_shipping"):
        transaction.pop(place, None)
    house.post(body, berlin)
    house.take_in(berlin)

    delivery = house.delivery()
    request = request_of(delivery)
    assert request.time.isoformat() == "2026-08-30T09:00:00+00:00"
    assert delivery.as_of == request.time
    assert (request.currency, request.profile.phone) == ("EUR", "+4930901820")


@pytest.mark.requirement("003-31")
def test_a_one_time_order_may_count_as_placed_order_too(house: House, connection: Connection) -> None:
    other = house.connect("Other")
    house.change(connection, one_time_as_placed_order=True)
    taken_in(house, sample("transaction_completed_sale_onetime"))

    assert [(one.metric, one.unique_id) for one in house.deliveries(connection)] == [
        ("Placed Non-Recurring Order", "1690"),
        ("Ordered Product", "1690_7"),
        ("Placed Order", "1690"),
    ]
    assert "Placed Order" not in {one.metric for one in house.deliveries(other)}
    placed, same = (request_of(one) for one in house.deliveries(connection) if "Order" in one.metric[-5:])
    assert replace(same, metric=placed.metric) == placed


@pytest.mark.requirement("003-18", "003-22")
def test_where_no_event_follows_a_profile_that_changed_goes_alone(house: House, connection: Connection) -> None:
    taken_in(house, sample(SALE))
    told = {"status_type_id": "Active", "next_recurring_date": "2026-09-14 10:30:00"}
    (event, again) = taken_in(
        house, changed_offer("2026-08-29 10:00:00", **told), changed_offer("2026-08-29 11:00:00", **told)
    )

    alone = house.deliveries()[-1]
    request = loads(alone.request)
    assert (event.status, alone.kind, alone.metric) == ("processed", "profile", "")
    assert request.profile.properties["NextChargeDate"] == "2026-09-14"
    assert alone.inbound_event_id == event.id
    assert again.status == "ignored"
