"""
What is made of webhooks that leave something out, come late, or tell of a thing that has become another since.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.bodies import SALE, sample
from tests.building import House, StandingClock, emptied
from vrio_klaviyo.klaviyo.requests import EventRequest, Request, loads
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.db import Database

ACTIVATED_AT = datetime(2025, 8, 1, 12, tzinfo=UTC)
ALL_TOLD_AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def house(standing: Database) -> Iterator[House]:
    house = House(emptied(standing))
    house.clock = StandingClock(ACTIVATED_AT)
    yield house
    house.close()


def takes_in(house: House, *bodies: dict[str, Any]) -> None:
    """Each in its turn, long after all of it has happened."""
    house.clock.now = ALL_TOLD_AT
    for body in bodies:
        house.post(body)
        house.take_in()


def told(house: House, metric: str) -> list[EventRequest]:
    made = [loads(one.request) for one in house.deliveries()]
    return [one for one in made if isinstance(one, EventRequest) and one.metric == metric]


def last(house: House) -> Request:
    return loads(house.deliveries()[-1].request)


def payment(name: str = SALE, **changes: Any) -> dict[str, Any]:
    """A transaction's webhook; `at` dates it."""
    body = sample(name)
    at = changes.pop("at", None)
    if at:
        changes |= {"date_complete": at, "date_modified": at}
        body |= {"webhook_event_id": f"{name} {at}", "webhook_event_date": at}
    body["webhook_data"]["transaction"] |= changes
    return body


def offer(at: str, event: str = "order_offer_updated", **changes: Any) -> dict[str, Any]:
    """A webhook of the subscription that the sale began, dated at its change."""
    body = sample("order_offer_cancelled")
    body |= {"webhook_event": event, "webhook_event_id": f"{at} {changes}", "webhook_event_date": at}
    status = {"order_offer_cancelled": "Cancelled"}.get(event, "Active")
    dates = {"date_modified": at, "date_cancel": at if status == "Cancelled" else None}
    body["webhook_data"]["order_offer"] |= {"status_type_id": status, "next_recurring_date": None} | dates | changes
    return body


def shipment(**changes: Any) -> dict[str, Any]:
    body = sample("shipment_shipped")
    body["webhook_data"]["shipment"] |= changes
    return body


SWAPPED = {"offer_id": "7", "offer_name": "Weekly Vitamins", "order_offer_price": "49.99", "order_offer_quantity": "3"}


@pytest.mark.requirement("003-37", "003-39")
def test_what_a_subscription_became_later_is_not_what_was_paid_for(house: House, connection: Connection) -> None:
    takes_in(
        house,
        payment(),
        offer("2025-08-20 10:00:00", **SWAPPED),
        shipment(shipment_items=[]),
        payment("transaction_completed_refund_full", transaction_order_offers=[]),
    )

    for metric in ("Fulfilled Order", "Refunded Order"):
        (event,) = told(house, metric)
        (item,) = event.properties["Items"]
        assert (item["OfferId"], item["OfferName"], item["Quantity"]) == ("1", "Monthly Vitamins", 1)
        assert item["RowTotal"] == Decimal("29.99")


@pytest.mark.requirement("003-49", "003-D")
def test_a_sale_that_is_told_late_is_told_by_what_was_sold(house: House, connection: Connection) -> None:
    takes_in(house, offer("2025-08-20 10:00:00", order_offer_price="49.99", order_offer_quantity="3"), payment())

    (product,) = told(house, "Ordered Product")
    (start,) = told(house, "Started Subscription")
    assert product.value == start.value == Decimal("29.99")
    assert product.properties["Quantity"] == 1


@pytest.mark.requirement("003-45", "003-52")
def test_a_subscription_that_was_moved_to_another_offer_ends_as_that_one(house: House, connection: Connection) -> None:
    line = {"order_offer_id": 4001, "offer_id": 1, "item_id": 2, "item_name": "Vitamin D3", "line_item_price": "29.99"}
    takes_in(house, payment(line_items=[line | {"item_quantity": 1}]))
    takes_in(house, offer("2025-09-05 10:00:00", "order_offer_cancelled", **SWAPPED))

    (event,) = told(house, "Cancelled Subscription")
    (item,) = event.properties["Items"]
    assert (item["OfferId"], item["ItemName"]) == ("7", "Weekly Vitamins")
    assert (event.unique_id, event.value) == ("1668_1_sub", Decimal("149.97"))


@pytest.mark.requirement("003-47")
def test_a_pause_without_an_end_has_not_that_of_the_pause_before(house: House, connection: Connection) -> None:
    first, second = "2025-09-01 10:00:00", "2025-09-03 10:00:00"
    takes_in(
        house,
        payment(),
        offer(first, status_type_id="Paused", date_pause=first, date_unpause="2025-12-01 00:00:00"),
        offer("2025-09-02 10:00:00", date_unpause=None),
        offer(second, status_type_id="Paused", date_pause=second, date_unpause=None),
    )

    ends = [event.properties.get("PausedUntil") for event in told(house, "Paused Subscription")]
    assert ends == ["2025-12-01", None]


@pytest.mark.requirement("003-45")
def test_a_cancellation_without_a_reason_has_not_that_of_the_one_before(house: House, connection: Connection) -> None:
    takes_in(
        house,
        payment(),
        offer("2025-09-05 10:00:00", "order_offer_cancelled"),
        offer("2025-09-05 11:00:00", date_reactivate="2025-09-05 11:00:00"),
        offer("2025-09-05 12:00:00", "order_offer_cancelled", cancel_type_id=None),
    )

    assert len(told(house, "Reactivated Subscription")) == 1
    reasons = [event.properties["CancelReason"] for event in told(house, "Cancelled Subscription")]
    assert reasons == ["Too expensive", ""]


@pytest.mark.requirement("003-52")
def test_two_subscriptions_to_one_offer_are_two_though_no_payment_is_known(
    house: House, connection: Connection
) -> None:
    customer = sample("customer_created")
    customer["webhook_data"]["customer"]["id"] = "301"
    ends = [("4001", "2025-09-05 10:00:00"), ("4002", "2025-09-05 11:00:00"), ("4001", "2025-09-06 10:00:00")]
    takes_in(house, customer, *(offer(at, "order_offer_cancelled", id=subscription) for subscription, at in ends))

    ids = [event.unique_id for event in told(house, "Cancelled Subscription")]
    assert ids == ["order1253_1_sub", "order1253_1_sub_2", "order1253_1_sub_3"]


@pytest.mark.requirement("003-52")
def test_two_subscriptions_to_one_offer_are_two_though_nobody_says_that_they_recur(
    house: House, connection: Connection
) -> None:
    line = {"offer_id": "1", "offer_name": "Monthly Vitamins", "order_offer_price": "29.99"}
    bought = [line | {"id": subscription} for subscription in ("4001", "4002")]
    ends = [("4001", "2025-09-05 10:00:00"), ("4002", "2025-09-05 11:00:00")]
    takes_in(house, payment(transaction_order_offers=bought))
    takes_in(
        house,
        *(
            offer(at, "order_offer_cancelled", id=one, is_recurring=None, charge_timeframe_name=None)
            for one, at in ends
        ),
    )

    assert len({event.unique_id for event in told(house, "Cancelled Subscription")}) == 2


@pytest.mark.requirement("003-21")
@pytest.mark.parametrize("test_first", [True, False])
def test_what_only_the_order_calls_a_test_is_no_money(house: House, connection: Connection, test_first: bool) -> None:
    house.change(connection, test_orders=True)
    order, sale = sample("order_updated"), payment()
    order["webhook_data"]["order"]["is_test"] = "1"
    del sale["webhook_data"]["transaction"]["order"]["is_test"]
    takes_in(house, *((order, sale) if test_first else (sale, order)))

    assert last(house).profile.properties["CLV"] == 0


@pytest.mark.requirement("003-21")
def test_what_only_the_line_calls_a_test_is_no_money(house: House, connection: Connection) -> None:
    house.change(connection, test_orders=True)
    sale = payment()
    del sale["webhook_data"]["transaction"]["order"]["is_test"]
    sale["webhook_data"]["transaction"]["transaction_order_offers"][0]["is_test"] = "1"
    takes_in(house, sale)

    assert last(house).profile.properties["CLV"] == 0


@pytest.mark.requirement("003-22", "003-24")
def test_what_stands_inside_a_payment_is_its_customers(house: House, connection: Connection) -> None:
    sale = payment()
    told_of = sale["webhook_data"]["transaction"]
    del told_of["customer"]["active_subscriber"], told_of["order"]["customer_id"]
    (line,) = told_of["transaction_order_offers"]
    del line["customer_id"], line["order_id"]
    line["next_recurring_date"] = "2026-09-14 10:30:00"
    takes_in(house, sale)

    shown = last(house).profile.properties
    assert (shown["ActiveSubscriber"], shown["NextChargeDate"]) == (True, "2026-09-14")


@pytest.mark.requirement("003-C", "003-D")
def test_what_names_no_customer_goes_when_its_order_is_known(house: House, connection: Connection) -> None:
    cancellation = offer("2025-09-05 10:00:00", "order_offer_cancelled", customer_id=None)
    parcel = shipment(customer_id=None, transaction_charge_id=None)
    for body in (cancellation, parcel):
        takes_in(house, body)
    takes_in(house, payment())
    house.take_in()

    for metric in ("Cancelled Subscription", "Fulfilled Order"):
        (event,) = told(house, metric)
        assert event.profile.email == "john@example.com"


@pytest.mark.requirement("003-32")
def test_a_payment_without_a_cycle_is_counted_by_those_before_it(house: House, connection: Connection) -> None:
    renewals = [
        payment(id=number, at=at, transaction_cycle=None)
        for number, at in (("1701", "2025-09-14 10:30:00"), ("1702", "2025-10-14 10:30:00"))
    ]
    takes_in(house, payment(transaction_cycle=""), *renewals)

    assert [event.properties["Cycle"] for event in told(house, "Placed Order")] == [1, 2, 3]
    assert [event.unique_id for event in told(house, "Started Subscription")] == ["1668_1_sub"]
    assert "No cycle is given: taken to be 3." in house.deliveries()[-1].notes


@pytest.mark.requirement("003-44")
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_subscription_starts_once_in_however_many_parts_its_first_cycle_is_charged(
    house: House, connection: Connection, order: tuple[int, int]
) -> None:
    captures = [payment(transaction_type_id="Capture"), payment(id="1699", at="2025-08-16 10:30:00")]
    takes_in(house, *(captures[place] for place in order))
    takes_in(house, *(body | {"webhook_event_id": f"again {place}"} for place, body in enumerate(captures)))

    assert len(told(house, "Placed Order")) == 2
    assert len(told(house, "Started Subscription")) == 1


@pytest.mark.requirement("003-28b")
@pytest.mark.parametrize(
    ("nothing", "why"),
    [
        ("transaction_declined", "Its transaction_declined does not say whether the payment was approved."),
        ("transaction_type_id", "Its transaction_type_id cannot be read, so nobody can tell what happened."),
    ],
)
def test_a_payment_that_nobody_can_make_out_says_so_though_its_customers_profile_goes(
    house: House, connection: Connection, nothing: str, why: str
) -> None:
    takes_in(house, payment(**{nothing: None}))

    delivery = house.delivery()
    assert (delivery.kind, house.inbound(delivery.inbound_event_id).status) == ("profile", "processed")
    assert why in house.inbound(delivery.inbound_event_id).notes


@pytest.mark.requirement("003-27")
def test_a_payment_that_is_told_again_still_tells_what_changed_of_its_customer(
    house: House, connection: Connection
) -> None:
    again = payment() | {"webhook_event_id": "again"}
    again["webhook_data"]["transaction"]["customer"] |= {"last_name": "Smith", "date_modified": "2025-08-16 00:00:00"}
    takes_in(house, payment(), again, again | {"webhook_event_id": "and again"})

    assert [one.metric for one in house.deliveries()] == [
        *("Placed Order", "Ordered Product", "Started Subscription"),
        "",
    ]
    assert last(house).profile.last_name == "Smith"


@pytest.mark.requirement("003-11")
def test_a_subscription_is_of_its_orders_campaign(house: House, connection: Connection) -> None:
    house.change(connection, campaigns=["1"])
    moved = offer("2025-08-20 10:00:00", next_recurring_date="2026-09-20 10:00:00", campaign=None)
    takes_in(house, payment(), moved)

    assert last(house).profile.properties["NextChargeDate"] == "2026-09-20"
    assert {one.status for one in house.deliveries()} == {"queued"}


@pytest.mark.requirement("003-35")
@pytest.mark.parametrize("nothing", [None, {}, [], {"id": "712", "fname": "", "city": None, "country": "---"}])
def test_an_address_that_says_nothing_is_that_of_the_bill(house: House, connection: Connection, nothing: Any) -> None:
    takes_in(house, payment(customer_address_shipping=nothing))

    (order,) = told(house, "Placed Order")
    assert order.properties["ShippingAddress"] == order.properties["BillingAddress"] != {}


@pytest.mark.requirement("003-37")
def test_a_parcel_without_a_charge_does_not_count_among_those_of_a_charge_with_its_orders_number(
    house: House, connection: Connection
) -> None:
    of_no_charge = shipment(id="4601", transaction_charge_id=None, order_id="1668")
    takes_in(house, payment(), of_no_charge | {"webhook_event_id": 1}, shipment())

    assert [event.unique_id for event in told(house, "Fulfilled Order")] == ["order1668_4601", "1668"]
