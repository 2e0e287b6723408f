"""The stated defaults, and what staff are told of them."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from vrio_klaviyo.vrio.completing import SourceDefaults, with_defaults
from vrio_klaviyo.vrio.records import (
    Address,
    Customer,
    LineItem,
    Order,
    OrderOffer,
    Record,
    Shipment,
    SubscriptionChange,
    Transaction,
)

AS_OF = datetime(2025, 8, 15, 3, 30, tzinfo=UTC)
SOURCE = SourceDefaults(zone=UTC)
VITAMINS = OrderOffer(
    order_offer_id="4001",
    offer_id="1",
    offer_name="Monthly Vitamins",
    quantity=1,
    price=Decimal("29.99"),
    is_recurring=True,
    timeframe_name="Monthly",
)
D3 = LineItem(order_offer_id="4001", offer_id="1", item_id="2", item_name="Vitamin D3", price=Decimal("29.99"))
PORTLAND = Address(city="Portland", country="US")
FULL = Transaction(
    transaction_id="1668",
    currency="USD",
    cycle=1,
    total=Decimal("24.99"),
    discount=Decimal("5.00"),
    completed_at=AS_OF,
    customer=Customer(phone="(555) 123-4567"),
    offers=(VITAMINS,),
    line_items=(D3,),
    billing=PORTLAND,
    shipping=Address(city="Seattle", country="US"),
)


def completed(source: SourceDefaults = SOURCE, **changes: Any) -> tuple[Transaction, tuple[str, ...]]:
    record, notes = with_defaults(replace(FULL, **changes), source, AS_OF)
    assert isinstance(record, Transaction)
    return record, notes


def amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def test_a_full_transaction_needs_no_default() -> None:
    _, notes = completed()
    assert notes == ()


def test_an_order_offer_stays_as_it_is() -> None:
    assert with_defaults(VITAMINS, SOURCE, AS_OF) == (VITAMINS, ())


@pytest.mark.requirement("003-34")
def test_a_line_knows_what_its_offer_knows() -> None:
    record, _ = completed()
    assert record.lines == (
        replace(
            D3, offer_name="Monthly Vitamins", quantity=1, total=Decimal("29.99"), is_recurring=True, interval_days=30
        ),
    )


@pytest.mark.requirement("003-C", "003-34")
def test_without_items_an_offer_stands_for_its_item() -> None:
    record, notes = completed(line_items=())
    assert record.lines == (
        LineItem(
            order_offer_id="4001",
            offer_id="1",
            offer_name="Monthly Vitamins",
            item_id="",
            item_name="Monthly Vitamins",
            sku="",
            quantity=1,
            price=Decimal("29.99"),
            total=Decimal("29.99"),
            is_recurring=True,
            interval_days=30,
        ),
    )
    assert notes == ("No items are listed: each offer stands for its item, without item id and SKU.",)


def test_an_items_offer_is_found_by_order_offer_then_by_offer() -> None:
    again = replace(VITAMINS, order_offer_id="4002", offer_name="Vitamins Again")
    of_first, of_second, by_offer, of_none = completed(
        offers=(VITAMINS, again),
        line_items=(
            replace(D3, order_offer_id="4001"),
            replace(D3, order_offer_id="4002"),
            replace(D3, order_offer_id=""),
            replace(D3, order_offer_id="", offer_id="7"),
        ),
    )[0].lines
    assert [of_first.offer_name, of_second.offer_name, by_offer.offer_name, of_none.offer_name] == [
        "Monthly Vitamins",
        "Vitamins Again",
        "Monthly Vitamins",
        "",
    ]
    assert [line.is_recurring for line in (by_offer, of_none)] == [True, False]


@pytest.mark.requirement("003-34")
@pytest.mark.parametrize(
    ("quantity", "price", "total", "counted", "row_total"),
    [
        (2, "29.99", None, 2, "59.98"),
        (2, "29.99", "50.00", 2, "50.00"),
        (0, "29.99", None, 1, "29.99"),
        (-3, "29.99", None, 1, "29.99"),
        (1, "0", None, 1, "0"),
        (1, None, None, 1, None),
    ],
)
def test_a_row_total_is_price_times_quantity_unless_it_is_given(
    quantity: int, price: str | None, total: str | None, counted: int, row_total: str | None
) -> None:
    item = replace(D3, quantity=quantity, price=amount(price), total=amount(total))
    record, notes = completed(line_items=(item,))
    assert record.lines[0].quantity == counted
    assert record.lines[0].total == amount(row_total)
    assert ("A line has no quantity: it counts as 1." in notes) == (quantity < 1)
    assert ("A line has no price: its product goes without a value." in notes) == (price is None)


def test_an_offer_without_a_quantity_counts_as_one() -> None:
    record, notes = completed(line_items=(), offers=(replace(VITAMINS, quantity=None),))
    assert record.lines[0].quantity == 1
    assert "A line has no quantity: it counts as 1." in notes


def test_a_line_that_names_nothing_is_none() -> None:
    record, notes = completed(line_items=(), offers=(OrderOffer(price=Decimal("29.99")),))
    assert record.lines == ()
    assert notes == ("No products are listed.",)
    assert len(completed(line_items=(), offers=(OrderOffer(order_offer_id="4001"),))[0].lines) == 1


@pytest.mark.parametrize(
    ("changes", "recurring"),
    [
        ({"is_recurring": True}, True),
        ({"is_recurring": False}, False),
        ({"is_recurring": True, "is_gift": True}, False),
        ({"is_recurring": None}, True),
        ({"is_recurring": None, "timeframe_name": ""}, False),
    ],
)
def test_what_is_recurring(changes: dict[str, Any], recurring: bool) -> None:
    record, _ = completed(offers=(replace(VITAMINS, **changes),))
    assert record.lines[0].is_recurring is recurring


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"currency": ""}, "No currency is given: taken to be USD."),
        ({"total": None}, "No amount is given: the event goes without a value."),
        ({"completed_at": None}, "No date of completion is given: the date of the webhook stands for it."),
        ({"cycle": None}, "No cycle is given: taken to be 1."),
        ({"cycle": 0}, "No cycle is given: taken to be 1."),
        (
            {"offers": (replace(VITAMINS, timeframe_name="Every blue moon"),)},
            "How often a subscription is charged is not understood: its interval is left empty.",
        ),
        (
            {"customer": Customer(phone="call me")},
            "The phone number cannot be written in international form: left out.",
        ),
        (
            {"billing": None, "shipping": None},
            "No address names a country: the phone number is read as one of US.",
        ),
    ],
)
def test_a_default_worth_knowing_is_told(changes: dict[str, Any], told: str) -> None:
    _, notes = completed(**changes)
    assert notes == (told,)


@pytest.mark.parametrize(
    "changes",
    [
        {"shipping": None},
        {"discount": None},
        {"customer": Customer()},
        {"customer": Customer(phone="+1 555 123 4567"), "billing": None, "shipping": None},
        {"offers": (replace(VITAMINS, timeframe_name="Every blue moon"),), "cycle": 2},
    ],
)
def test_a_default_that_changes_nothing_is_not_told(changes: dict[str, Any]) -> None:
    assert completed(**changes)[1] == ()


def test_the_sources_currency_and_country_stand_in() -> None:
    source = SourceDefaults(zone=UTC, country="GB", currency="GBP")
    record, _ = completed(source, currency="", billing=None, shipping=None, customer=Customer(phone="020 7946 0958"))
    assert (record.currency, record.customer.country) == ("GBP", "GB")
    assert record.customer.phone_e164 == "+442079460958"


@pytest.mark.parametrize(
    ("changes", "country"),
    [
        ({"billing": Address(country="DE")}, "DE"),
        ({"billing": Address(), "shipping": Address(country="FR")}, "FR"),
        ({"billing": None, "shipping": None, "customer": Customer(addresses=(Address(country="AT"),))}, "AT"),
        ({"billing": None, "shipping": None}, "US"),
    ],
)
def test_the_country_is_that_of_the_first_address_that_has_one(changes: dict[str, Any], country: str) -> None:
    assert completed(**changes)[0].customer.country == country


@pytest.mark.requirement("003-35")
def test_a_missing_shipping_address_is_the_billing_address() -> None:
    assert completed(shipping=None)[0].shipping == PORTLAND


@pytest.mark.requirement("003-33")
@pytest.mark.parametrize(
    ("own", "orders", "discount"),
    [("5.00", "9.00", "5.00"), ("0", "9.00", "0"), (None, "9.00", "9.00"), (None, None, "0")],
)
def test_the_discount_is_the_transactions_else_the_orders(own: str | None, orders: str | None, discount: str) -> None:
    assert completed(discount=amount(own), order=Order(discount=amount(orders)))[0].discount == Decimal(discount)


def test_the_discount_code_is_the_transactions_else_that_of_a_line() -> None:
    lines = (D3, replace(D3, discount_code="SAVE10"), replace(D3, discount_code="SAVE20"))
    assert completed(line_items=lines)[0].discount_code == "SAVE10"
    assert completed(line_items=lines, discount_code="WELCOME")[0].discount_code == "WELCOME"


@pytest.mark.requirement("003-30", "003-36")
def test_the_day_is_that_of_the_sources_calendar() -> None:
    record, _ = completed(SourceDefaults(zone=ZoneInfo("America/New_York")), completed_at=None)
    assert record.happened_at == AS_OF
    assert record.completed_on == date(2025, 8, 14)


def test_lines_that_are_known_already_stand() -> None:
    known = replace(D3, item_name="Vitamin D3 drops", quantity=3)
    assert completed(lines=(known,))[0].lines == (replace(known, total=Decimal("89.97")),)


@pytest.mark.parametrize(
    "record",
    [
        FULL,
        Order(order_id="1253", offers=(VITAMINS,), customer=Customer(phone="(555) 123-4567")),
        Shipment(shipment_id="4501", transaction=FULL, items=(D3,)),
        SubscriptionChange(kind="paused", offer=VITAMINS, at=AS_OF, transaction=FULL),
        Customer(phone="(555) 123-4567"),
    ],
)
def test_what_is_complete_stays_as_it_is(record: Record) -> None:
    once, _ = with_defaults(record, SOURCE, AS_OF)
    assert with_defaults(once, SourceDefaults(zone=UTC, currency="EUR"), AS_OF.replace(year=2026))[0] == once


@pytest.mark.requirement("003-28")
def test_a_customer_is_read_by_the_country_of_an_address_else_of_the_source() -> None:
    told = Customer(phone="020 7946 0958", addresses=(Address(), Address(country="GB")))
    customer, notes = with_defaults(told, SOURCE, AS_OF)
    assert isinstance(customer, Customer)
    assert (customer.country, customer.phone_e164, notes) == ("GB", "+442079460958", ())
    _, notes = with_defaults(Customer(phone="555 123 4567"), SOURCE, AS_OF)
    assert notes == ("No address names a country: the phone number is read as one of US.",)


CART = Order(
    order_id="1270", customer=Customer(phone="555.123.4567"), customer_id="303", offers=(VITAMINS,), billing=PORTLAND
)
NO_ITEMS = "No items are listed: each offer stands for its item, without item id and SKU."


def cart(**changes: Any) -> tuple[Order, tuple[str, ...]]:
    order, notes = with_defaults(replace(CART, **changes), SOURCE, AS_OF)
    assert isinstance(order, Order)
    return order, notes


@pytest.mark.requirement("003-29")
def test_a_cart_has_a_line_for_each_offer_and_the_date_of_the_webhook() -> None:
    order, notes = cart()
    assert [(line.offer_id, line.item_name, line.total) for line in order.lines] == [
        ("1", "Monthly Vitamins", Decimal("29.99"))
    ]
    assert (order.abandoned_at, order.currency, order.discount) == (AS_OF, "USD", 0)
    assert order.shipping == PORTLAND
    assert order.customer is not None
    assert order.customer.phone_e164 == "+15551234567"
    assert notes == (NO_ITEMS,)


@pytest.mark.requirement("003-29")
def test_what_is_known_of_a_cart_stands() -> None:
    left_at = datetime(2025, 8, 1, 9, 0, tzinfo=UTC)
    order, notes = cart(lines=(D3,), abandoned_at=left_at, currency="EUR", discount=Decimal("5.00"))
    assert (order.lines[0].item_id, order.abandoned_at, order.currency) == ("2", left_at, "EUR")
    assert order.discount == Decimal("5.00")
    assert notes == ()


@pytest.mark.requirement("003-29")
def test_an_empty_cart_is_told_so_and_a_customer_is_at_least_an_id() -> None:
    order, notes = cart(offers=(), customer=None)
    assert order.lines == ()
    assert order.customer == Customer(customer_id="303", country="US")
    assert notes == ("No products are listed.",)


PARCEL = Shipment(
    shipment_id="4501",
    order_id="1253",
    transaction_id="1668",
    items=(LineItem(item_id="2", item_name="Vitamin D3", sku="VIT-D3", quantity=2),),
    transaction=replace(FULL, currency="EUR"),
    shipped_at=datetime(2025, 8, 30, 3, 0, tzinfo=UTC),
)


def parcel(source: SourceDefaults = SOURCE, **changes: Any) -> tuple[Shipment, tuple[str, ...]]:
    shipment, notes = with_defaults(replace(PARCEL, **changes), source, AS_OF)
    assert isinstance(shipment, Shipment)
    return shipment, notes


@pytest.mark.requirement("003-37")
def test_a_parcel_has_its_own_items_with_what_was_paid_for_them() -> None:
    shipment, notes = parcel()
    assert [(line.offer_name, line.sku, line.quantity, line.total) for line in shipment.lines] == [
        ("Monthly Vitamins", "VIT-D3", 2, Decimal("59.98"))
    ]
    assert (shipment.event_id, shipment.currency, shipment.order.order_id) == ("1668", "EUR", "1253")
    assert (shipment.billing, shipment.shipping) == (PORTLAND, FULL.shipping)
    assert notes == ()


@pytest.mark.requirement("003-37")
def test_a_parcels_own_addresses_stand() -> None:
    there = Address(city="Salem", country="US")
    assert parcel(shipping=there)[0].shipping == there
    assert parcel(billing=there, transaction=None)[0].shipping == there


@pytest.mark.requirement("003-37")
def test_the_day_of_shipping_is_that_of_the_sources_calendar() -> None:
    shipment, _ = parcel(SourceDefaults(zone=ZoneInfo("America/New_York")))
    assert shipment.shipped_on == date(2025, 8, 29)


@pytest.mark.requirement("003-37")
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"shipped_at": None}, "No date of shipping is given: the date of the webhook stands for it."),
        (
            {"transaction": None},
            "The payment for this parcel is not known: the event has what the parcel itself says.",
        ),
        (
            {"items": (LineItem(item_id="8", item_name="Sticker"),)},
            "Something in the parcel is on no line of its payment: it goes without offer and price.",
        ),
        (
            {"items": (replace(D3, item_id="8", item_name="Sticker", quantity=0),)},
            "A line has no quantity: it counts as 1.",
        ),
        ({"items": (), "transaction": replace(FULL, line_items=(), offers=())}, "No products are listed."),
    ],
)
def test_what_is_missing_of_a_parcel_is_told(changes: dict[str, Any], told: str) -> None:
    shipment, notes = parcel(**changes)
    assert notes == (told,)
    assert shipment.shipped_at is not None


@pytest.mark.requirement("003-37")
def test_a_parcel_of_an_unknown_payment_is_of_its_orders_offers() -> None:
    shipment, _ = parcel(transaction=None, order=Order(order_id="1253", offers=(VITAMINS,)))
    assert [(line.offer_id, line.item_id) for line in shipment.lines] == [("1", "2")]
    assert shipment.currency == "USD"


PAUSE = SubscriptionChange(
    kind="paused",
    offer=replace(VITAMINS, order_id="1253", billing=PORTLAND),
    at=datetime(2025, 9, 1, 3, 0, tzinfo=UTC),
    customer=Customer(phone="(555) 123-4567"),
    transaction=FULL,
    lines=(replace(D3, discount_code="SAVE10"),),
)


def change(source: SourceDefaults = SOURCE, **changes: Any) -> tuple[SubscriptionChange, tuple[str, ...]]:
    completed, notes = with_defaults(replace(PAUSE, **changes), source, AS_OF)
    assert isinstance(completed, SubscriptionChange)
    return completed, notes


@pytest.mark.requirement("003-45", "003-46")
def test_a_change_has_what_its_offer_and_its_payment_say() -> None:
    pause, notes = change()
    assert (pause.order.order_id, pause.event_id, pause.currency) == ("1253", "1668_1_sub", "USD")
    assert (pause.discount, pause.discount_code) == (Decimal("5.00"), "SAVE10")
    assert [(line.item_id, line.offer_name, line.interval_days) for line in pause.lines] == [
        ("2", "Monthly Vitamins", 30)
    ]
    assert pause.customer.phone_e164 == "+15551234567"
    assert notes == ()


@pytest.mark.requirement("003-45")
def test_a_change_of_which_nothing_else_is_known_is_told_by_its_offer() -> None:
    pause, notes = change(transaction=None, lines=())
    assert [(line.item_id, line.item_name, line.total) for line in pause.lines] == [
        ("", "Monthly Vitamins", Decimal("29.99"))
    ]
    assert (pause.event_id, pause.discount, pause.currency) == ("order1253_1_sub", 0, "USD")
    assert notes == (NO_ITEMS,)


@pytest.mark.requirement("003-46")
@pytest.mark.parametrize(
    ("kind", "unpause_at", "until"),
    [
        ("paused", datetime(2025, 12, 1, 3, 0, tzinfo=UTC), date(2025, 11, 30)),
        ("paused", datetime(2025, 8, 20, tzinfo=UTC), None),
        ("paused", PAUSE.at, None),
        ("paused", None, None),
        ("unpaused", datetime(2025, 12, 1, 3, 0, tzinfo=UTC), None),
    ],
)
def test_a_pause_lasts_until_a_day_that_lies_ahead(kind: Any, unpause_at: datetime | None, until: date | None) -> None:
    source = SourceDefaults(zone=ZoneInfo("America/New_York"))
    pause, _ = change(source, kind=kind, offer=replace(PAUSE.offer, unpause_at=unpause_at))
    assert pause.on == date(2025, 8, 31)
    assert pause.paused_until_on == until
