"""The property blocks, with the values that the published page prints."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from vrio_klaviyo.klaviyo.requests import Style, written
from vrio_klaviyo.vrio.events.abandoned_order import abandoned_order
from vrio_klaviyo.vrio.events.cancelled_subscription import cancelled_subscription
from vrio_klaviyo.vrio.events.customer_created import customer_created
from vrio_klaviyo.vrio.events.declined_order import declined_order
from vrio_klaviyo.vrio.events.fulfilled_order import fulfilled_order
from vrio_klaviyo.vrio.events.order_alert import order_alert
from vrio_klaviyo.vrio.events.order_auth import order_auth
from vrio_klaviyo.vrio.events.order_chargeback import order_chargeback
from vrio_klaviyo.vrio.events.ordered_product import ordered_product
from vrio_klaviyo.vrio.events.paused_subscription import paused_subscription
from vrio_klaviyo.vrio.events.placed_order import placed_order
from vrio_klaviyo.vrio.events.reactivated_subscription import reactivated_subscription
from vrio_klaviyo.vrio.events.refunded_order import refunded_order
from vrio_klaviyo.vrio.events.started_subscription import started_subscription
from vrio_klaviyo.vrio.events.unpaused_subscription import unpaused_subscription
from vrio_klaviyo.vrio.events.voided_order import voided_order
from vrio_klaviyo.vrio.properties import order_properties
from vrio_klaviyo.vrio.records import (
    Address,
    ChangeKind,
    Customer,
    LineItem,
    Order,
    OrderOffer,
    Shipment,
    SubscriptionChange,
    Transaction,
)

VITAMINS = LineItem(
    order_offer_id="4001",
    offer_id="1",
    offer_name="Monthly Vitamins",
    item_id="2",
    item_name="Vitamin D3",
    sku="VIT-D3",
    quantity=1,
    price=Decimal("29.99"),
    total=Decimal("29.99"),
    categories=("Supplements",),
    is_recurring=True,
    interval_days=30,
)
SALE = Transaction(
    transaction_id="1668",
    order=Order(order_id="1253"),
    sale_id="1234",
    cycle=1,
    attempt=1,
    merchant_id="5",
    card_last_four="4242",
    currency="USD",
    total=Decimal("24.99"),
    discount=Decimal("5.00"),
    discount_code="SAVE10",
    completed_at=datetime(2025, 8, 15, 10, 30, tzinfo=UTC),
    completed_on=date(2025, 8, 15),
    decline_reason="Insufficient funds",
    decline_code="51",
    lines=(VITAMINS,),
)
OF_THE_PAGE: dict[str, Any] = {
    "OrderId": "1253",
    "TransactionId": "1668",
    "SaleId": "1234",
    "Cycle": "1",
    "Attempt": "1",
    "MerchantId": "5",
    "CardLastFour": "4242",
    "Categories": ["Supplements"],
    "ItemNames": ["Monthly Vitamins"],
    "DiscountCode": "SAVE10",
    "DiscountValue": "5.00",
    "Items": [
        {
            "OfferName": "Monthly Vitamins",
            "OfferId": "1",
            "ItemId": "2",
            "ItemName": "Vitamin D3",
            "SKU": "VIT-D3",
            "Quantity": "1",
            "ItemPrice": "29.99",
            "RowTotal": "29.99",
            "Categories": ["Supplements"],
        }
    ],
    "BillingAddress": {},
    "ShippingAddress": {},
}


def as_sent(properties: Any) -> Any:
    return written(properties, Style())


@pytest.mark.requirement("003-33", "003-34", "003-35")
def test_an_order_is_the_pages_block() -> None:
    assert as_sent(placed_order(SALE)[0].properties) == OF_THE_PAGE


@pytest.mark.requirement("003-36")
def test_a_declined_order_is_the_pages_block_and_why() -> None:
    assert as_sent(declined_order(SALE)[0].properties) == OF_THE_PAGE | {
        "DeclineReason": "Insufficient funds",
        "DeclineCode": "51",
        "DeclineDate": "2025-08-15",
    }


@pytest.mark.requirement("003-49")
def test_a_product_is_the_pages_block() -> None:
    assert as_sent(ordered_product(SALE)[0].properties) == {
        "$event_id": "1668_1",
        "$value": "29.99",
        "OfferId": "1",
        "OfferName": "Monthly Vitamins",
        "ItemId": "2",
        "ItemName": "Vitamin D3",
        "SKU": "VIT-D3",
        "Quantity": "1",
        "ProductCategories": ["Supplements"],
    }


@pytest.mark.requirement("003-44")
def test_a_started_subscription_is_the_pages_block() -> None:
    assert as_sent(started_subscription(SALE)[0].properties) == {
        "$event_id": "1668_1_sub",
        "$value": "29.99",
        "ItemNames": ["Monthly Vitamins"],
        "OrderIntervalUnit": "days",
        "OrderIntervalFrequency": "30",
        "DiscountCode": "SAVE10",
        "DiscountValue": "5.00",
        "Items": [
            {
                "OfferName": "Monthly Vitamins",
                "OfferId": "1",
                "ItemId": "2",
                "ItemName": "Vitamin D3",
                "SKU": "VIT-D3",
            }
        ],
    }


CREDIT = replace(
    SALE,
    transaction_id="1669",
    cycle=2,
    total=Decimal("29.99"),
    parent_id="1668",
    completed_at=datetime(2025, 8, 30, 16, 44, tzinfo=UTC),
    completed_on=date(2025, 8, 30),
    chargeback_on=date(2025, 8, 29),
)
CREDITED = OF_THE_PAGE | {"TransactionId": "1669", "Cycle": "2"}
REFUNDED = {"RefundAmount": "29.99", "RefundDate": "2025-08-30", "RefundedTransactionId": "1668"}


@pytest.mark.requirement("003-38", "003-40")
@pytest.mark.parametrize(("build", "metric"), [(refunded_order, "Refunded Order"), (voided_order, "Voided Order")])
def test_a_refund_and_a_void_are_the_pages_block(build: Any, metric: str) -> None:
    (request,) = build(CREDIT)
    assert (request.metric, request.unique_id, request.value) == (metric, "1669", Decimal("29.99"))
    assert request.time == CREDIT.completed_at
    assert as_sent(request.properties) == CREDITED | REFUNDED


@pytest.mark.requirement("003-39")
def test_a_partial_refund_says_so() -> None:
    (request,) = refunded_order(replace(CREDIT, is_partial=True))
    assert as_sent(request.properties) == CREDITED | REFUNDED | {"PartialRefund": "true"}


@pytest.mark.requirement("003-41")
def test_a_chargeback_is_the_orders_block_and_what_went_back() -> None:
    (request,) = order_chargeback(CREDIT)
    assert (request.metric, request.unique_id, request.value) == ("Order Chargeback", "1669", Decimal("29.99"))
    assert as_sent(request.properties) == CREDITED | {
        "OriginalTransactionId": "1668",
        "ChargebackAmount": "29.99",
        "ChargebackDate": "2025-08-29",
    }


@pytest.mark.requirement("003-42")
@pytest.mark.parametrize(("code", "told"), [("Ethoca", {"AlertType": "Ethoca"}), ("", {})])
def test_an_alert_is_the_orders_block_and_who_warned(code: str, told: dict[str, str]) -> None:
    (request,) = order_alert(replace(CREDIT, chargeback_code=code))
    assert (request.metric, request.unique_id, request.value) == ("Order Alert", "1669", Decimal("29.99"))
    assert as_sent(request.properties) == CREDITED | told | {
        "OriginalTransactionId": "1668",
        "AlertAmount": "29.99",
        "AlertDate": "2025-08-29",
    }


@pytest.mark.requirement("003-43")
def test_an_authorization_is_the_orders_block_and_nothing_else() -> None:
    (request,) = order_auth(SALE)
    assert (request.metric, request.unique_id, request.value) == ("Order Auth", "1668", Decimal("24.99"))
    assert as_sent(request.properties) == OF_THE_PAGE


UNPAID = OF_THE_PAGE | dict.fromkeys(
    ["TransactionId", "SaleId", "Cycle", "Attempt", "MerchantId", "CardLastFour", "DiscountCode"], ""
)
CART = Order(
    order_id="1253",
    discount=Decimal("5.00"),
    lines=(VITAMINS,),
    currency="USD",
    abandoned_at=datetime(2025, 8, 15, 11, 30, tzinfo=UTC),
)


@pytest.mark.requirement("003-29")
def test_a_cart_is_the_orders_block_with_an_empty_payment() -> None:
    (request,) = abandoned_order(CART)
    assert (request.metric, request.unique_id, request.value) == ("Abandoned Order", "1253_abandoned", Decimal("29.99"))
    assert request.time == CART.abandoned_at
    assert as_sent(request.properties) == UNPAID


@pytest.mark.requirement("003-29")
def test_a_carts_own_total_and_the_way_back_to_it_are_told_where_vrio_has_them() -> None:
    line = replace(VITAMINS, discount_code="SAVE10")
    (request,) = abandoned_order(
        replace(CART, lines=(line,), cart_total=Decimal(0), checkout_url="https://shop.example.com/checkout?cart=6f1d")
    )
    assert request.value == 0
    assert as_sent(request.properties) == UNPAID | {
        "CheckoutUrl": "https://shop.example.com/checkout?cart=6f1d",
        "DiscountCode": "SAVE10",
    }


@pytest.mark.requirement("003-29")
def test_an_empty_cart_has_no_items_and_no_value() -> None:
    (request,) = abandoned_order(replace(CART, lines=()))
    assert request.value is None
    assert as_sent(request.properties) == UNPAID | {"Items": [], "ItemNames": [], "Categories": []}


PARCEL = Shipment(
    shipment_id="4501",
    transaction_id="1668",
    carrier="UPS",
    tracking_number="1Z123456789",
    order=Order(order_id="1253"),
    lines=(VITAMINS,),
    event_id="1668",
    currency="USD",
    shipped_at=datetime(2025, 8, 30, 14, 2, 10, tzinfo=UTC),
    shipped_on=date(2025, 8, 30),
)
SHIPPED = {"ShipDate": "2025-08-30", "CarrierName": "UPS", "TrackingNumber": "1Z123456789"}


@pytest.mark.requirement("003-37")
def test_a_parcel_is_its_payments_block_and_how_it_travels() -> None:
    (request,) = fulfilled_order(replace(PARCEL, transaction=SALE))
    assert (request.metric, request.unique_id, request.value) == ("Fulfilled Order", "1668", Decimal("24.99"))
    assert request.time == PARCEL.shipped_at
    assert as_sent(request.properties) == OF_THE_PAGE | SHIPPED


@pytest.mark.requirement("003-37")
def test_a_parcel_of_an_unknown_payment_says_what_it_has() -> None:
    (request,) = fulfilled_order(PARCEL)
    assert request.value is None
    assert as_sent(request.properties) == UNPAID | SHIPPED | {"TransactionId": "1668", "DiscountValue": ""}


@pytest.mark.requirement("003-37")
def test_a_parcel_that_is_sent_again_says_so() -> None:
    (request,) = fulfilled_order(replace(PARCEL, transaction=SALE, is_reship=True))
    assert as_sent(request.properties) == OF_THE_PAGE | SHIPPED | {"IsReship": "true"}


CHANGE = SubscriptionChange(
    kind="paused",
    offer=OrderOffer(offer_id="1", offer_name="Monthly Vitamins", cancel_reason="Too expensive"),
    at=datetime(2025, 9, 1, 10, 0, tzinfo=UTC),
    on=date(2025, 9, 1),
    previous_status="active",
    event_id="1668_1_sub",
    order=Order(order_id="1253"),
    lines=(VITAMINS,),
    currency="USD",
    discount=Decimal("5.00"),
    discount_code="SAVE10",
)
SUBSCRIPTION: dict[str, Any] = {
    "$event_id": "1668_1_sub",
    "$value": "29.99",
    "ItemNames": ["Monthly Vitamins"],
    "OrderIntervalUnit": "days",
    "OrderIntervalFrequency": "30",
    "DiscountCode": "SAVE10",
    "DiscountValue": "5.00",
    "Items": [
        {
            "OfferName": "Monthly Vitamins",
            "OfferId": "1",
            "ItemId": "2",
            "ItemName": "Vitamin D3",
            "SKU": "VIT-D3",
        }
    ],
    "OrderId": "1253",
    "OfferId": "1",
    "OfferName": "Monthly Vitamins",
}


@pytest.mark.requirement("003-45")
def test_a_cancellation_is_the_subscriptions_block_and_why() -> None:
    (request,) = cancelled_subscription(CHANGE)
    assert (request.metric, request.unique_id) == ("Cancelled Subscription", "1668_1_sub")
    assert (request.time, request.value, request.currency) == (CHANGE.at, Decimal("29.99"), "USD")
    assert as_sent(request.properties) == SUBSCRIPTION | {
        "CancelReason": "Too expensive",
        "CancelDate": "2025-09-01",
        "SubscriptionStatus": "Cancelled",
    }


@pytest.mark.requirement("003-46", "003-47", "003-48")
@pytest.mark.parametrize(
    ("build", "kind", "before", "metric", "status"),
    [
        (paused_subscription, "paused", "active", "Paused Subscription", "Paused"),
        (unpaused_subscription, "unpaused", "paused", "Unpaused Subscription", "Active"),
        (reactivated_subscription, "reactivated", "cancelled", "Reactivated Subscription", "Active"),
        (reactivated_subscription, "reactivated", "", "Reactivated Subscription", "Active"),
    ],
)
def test_a_change_of_status_is_the_subscriptions_block_and_both_statuses(
    build: Any, kind: ChangeKind, before: str, metric: str, status: str
) -> None:
    (request,) = build(replace(CHANGE, kind=kind, previous_status=before))
    assert (request.metric, request.unique_id, request.time) == (metric, "1668_1_sub", CHANGE.at)
    assert as_sent(request.properties) == SUBSCRIPTION | {
        "SubscriptionStatus": status,
        "PreviousStatus": before.capitalize(),
        "StatusDate": "2025-09-01",
    }


@pytest.mark.requirement("003-46")
def test_a_pause_whose_end_is_planned_says_when() -> None:
    (request,) = paused_subscription(replace(CHANGE, paused_until_on=date(2025, 12, 1)))
    assert as_sent(request.properties)["PausedUntil"] == "2025-12-01"


@pytest.mark.requirement("003-28")
def test_a_new_customer_is_a_profile_with_its_own_tracking_fields() -> None:
    (request,) = customer_created(Customer(email="john@example.com", tracking={"tracking1": "newsletter"}))
    assert (request.profile.email, request.profile.properties) == ("john@example.com", {"tracking1": "newsletter"})


@pytest.mark.requirement("003-33")
def test_what_is_not_known_is_empty_and_never_left_out() -> None:
    bare = as_sent(order_properties(Transaction(transaction_id="1668")))
    assert bare.keys() == OF_THE_PAGE.keys()
    assert {name for name, value in bare.items() if value} == {"TransactionId"}
    line = as_sent(order_properties(Transaction(transaction_id="1668", lines=(LineItem(),))))["Items"][0]
    assert line.keys() == OF_THE_PAGE["Items"][0].keys()
    assert (line["ItemPrice"], line["RowTotal"], line["Quantity"]) == ("", "", "1")


@pytest.mark.requirement("003-33")
def test_names_and_categories_stand_once_each_in_line_order() -> None:
    lines = (
        LineItem(offer_name="Shaker Bottle", categories=("Gear", "Sale")),
        LineItem(offer_name="Monthly Vitamins", categories=("Supplements", "Sale")),
        LineItem(offer_name="Shaker Bottle", categories=()),
        LineItem(),
    )
    properties = order_properties(Transaction(transaction_id="1668", lines=lines))
    assert properties["ItemNames"] == ["Shaker Bottle", "Monthly Vitamins"]
    assert properties["Categories"] == ["Gear", "Sale", "Supplements"]


@pytest.mark.requirement("003-35")
def test_an_address_has_the_customers_phone_or_an_empty_one() -> None:
    sale = Transaction(transaction_id="1668", billing=Address(city="Portland", state="OR", country="US"))
    address = order_properties(sale)["BillingAddress"]
    assert list(address) == [
        "FirstName",
        "LastName",
        "Company",
        "Address1",
        "Address2",
        "City",
        "Region",
        "RegionCode",
        "Country",
        "CountryCode",
        "Zip",
        "Phone",
    ]
    assert {name: value for name, value in address.items() if value} == {
        "City": "Portland",
        "Region": "OR",
        "RegionCode": "OR",
        "Country": "US",
        "CountryCode": "US",
    }


@pytest.mark.requirement("003-44")
def test_a_subscription_of_unknown_interval_and_price_has_them_empty() -> None:
    line = LineItem(offer_id="1", is_recurring=True)
    sale = Transaction(transaction_id="1668", cycle=1, completed_at=SALE.completed_at, lines=(line,))
    (request,) = started_subscription(sale)
    assert request.value is None
    assert as_sent(request.properties)["$value"] == ""
    assert as_sent(request.properties)["OrderIntervalUnit"] == ""
    assert as_sent(request.properties)["OrderIntervalFrequency"] == ""


@pytest.mark.requirement("003-32", "003-44")
@pytest.mark.parametrize("cycle", [2, 3, None])
def test_only_the_first_cycle_starts_a_subscription(cycle: int | None) -> None:
    sale = Transaction(transaction_id="1668", cycle=cycle, completed_at=SALE.completed_at, lines=(VITAMINS,))
    assert started_subscription(sale) == []


def test_what_was_not_completed_makes_no_event() -> None:
    with pytest.raises(ValueError, match="transaction 1668 has not been completed"):
        placed_order(Transaction(transaction_id="1668"))
    with pytest.raises(ValueError, match="order 1253 has not been completed"):
        abandoned_order(Order(order_id="1253"))
    with pytest.raises(ValueError, match="shipment 4501 has not been completed"):
        fulfilled_order(Shipment(shipment_id="4501"))
