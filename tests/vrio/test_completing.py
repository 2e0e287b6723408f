"""The stated defaults of a sale and of a customer, what staff are told of them, and that what is complete stays."""

from dataclasses import replace
from datetime import UTC, date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.vrio.completed import AS_OF, D3, FULL, PORTLAND, SOURCE, VITAMINS, amount, completed
from vrio_klaviyo.vrio.completing import SourceDefaults, with_defaults
from vrio_klaviyo.vrio.records import Address, Customer, Order, Record, Shipment, SubscriptionChange


def test_a_full_transaction_needs_no_default() -> None:
    _, notes = completed()
    assert notes == ()


def test_an_order_offer_stays_as_it_is() -> None:
    assert with_defaults(VITAMINS, SOURCE, AS_OF) == (VITAMINS, ())


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
