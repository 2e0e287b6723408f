"""What a credit is about: its own lines, else those of its charge; and when it leaves some of it."""

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
    Transaction,
    TransactionKind,
)

AS_OF = datetime(2025, 8, 30, 16, 44, 9, tzinfo=UTC)
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
D3 = LineItem(
    order_offer_id="4001",
    item_id="2",
    item_name="Vitamin D3",
    price=Decimal("29.99"),
    discount_code="SAVE10",
)
SALE = Transaction(
    transaction_id="1668",
    kind="sale",
    approved=True,
    order=Order(order_id="1253"),
    sale_id="1234",
    cycle=1,
    attempt=1,
    merchant_id="5",
    card_last_four="4242",
    currency="EUR",
    total=Decimal("24.99"),
    discount=Decimal("5.00"),
    completed_at=datetime(2025, 8, 15, 10, 30, tzinfo=UTC),
    offers=(VITAMINS,),
    line_items=(D3,),
    billing=Address(city="Portland", country="US"),
)
REFUND = Transaction(
    transaction_id="1669",
    kind="refund",
    approved=True,
    order=Order(order_id="1253"),
    total=Decimal("24.99"),
    completed_at=AS_OF,
    parent_id="1668",
    parent=SALE,
    offers=(VITAMINS,),
)
PART = "It takes back a part and does not say of what: all that was charged is listed."


def completed(source: SourceDefaults = SOURCE, **changes: Any) -> tuple[Transaction, tuple[str, ...]]:
    record, notes = with_defaults(replace(REFUND, **changes), source, AS_OF)
    assert isinstance(record, Transaction)
    return record, notes


@pytest.mark.requirement("003-38")
def test_a_credit_takes_what_it_leaves_out_from_its_charge() -> None:
    refund, notes = completed()
    assert notes == ()
    assert (refund.sale_id, refund.merchant_id, refund.card_last_four) == ("1234", "5", "4242")
    assert (refund.cycle, refund.attempt, refund.currency) == (1, 1, "EUR")
    assert (refund.discount, refund.discount_code) == (Decimal("5.00"), "SAVE10")
    assert refund.billing == refund.shipping == SALE.billing
    assert refund.parent is not None
    assert refund.parent.completed_on == date(2025, 8, 15)


@pytest.mark.requirement("003-38")
def test_what_a_credit_says_itself_stands() -> None:
    refund, _ = completed(cycle=2, sale_id="1299", discount=Decimal(0), currency="USD", discount_code="OTHER")
    assert (refund.cycle, refund.sale_id, refund.discount, refund.currency) == (2, "1299", 0, "USD")
    assert refund.discount_code == "OTHER"


@pytest.mark.requirement("003-39")
def test_the_lines_of_a_credit_are_its_own_else_its_charges_else_its_offers() -> None:
    shaker = LineItem(item_id="9", item_name="Shaker Bottle", price=Decimal("12.00"))
    assert [line.item_id for line in completed(line_items=(shaker,))[0].lines] == ["9"]
    assert [line.item_id for line in completed()[0].lines] == ["2"]
    assert [line.offer_id for line in completed(parent=None)[0].lines] == ["1"]
    assert [line.offer_id for line in completed(parent=replace(SALE, line_items=(), offers=()))[0].lines] == ["1"]


@pytest.mark.requirement("003-39")
def test_an_own_line_of_a_credit_knows_what_the_charges_offer_knows() -> None:
    refund, _ = completed(offers=(), line_items=(D3,))
    assert [(line.offer_name, line.interval_days) for line in refund.lines] == [("Monthly Vitamins", 30)]


@pytest.mark.requirement("003-39")
@pytest.mark.parametrize(
    ("changes", "is_partial"),
    [
        ({}, False),
        ({"total": Decimal("10.00")}, True),
        ({"total": Decimal("10.00"), "kind": "void"}, True),
        ({"total": Decimal("10.00"), "kind": "alert"}, False),
        ({"total": Decimal("10.00"), "line_items": (D3,)}, False),
        ({"total": Decimal("10.00"), "parent": None}, False),
        ({"total": Decimal("10.00"), "parent": replace(SALE, total=None)}, False),
        ({"total": None}, False),
        ({"total": Decimal("10.00"), "already_credited": Decimal("14.99")}, False),
        ({"total": Decimal("10.00"), "already_credited": Decimal("14.00")}, True),
        ({"total": Decimal("30.00")}, False),
    ],
)
def test_a_credit_is_partial_when_it_leaves_some_and_does_not_say_of_what(
    changes: dict[str, Any], is_partial: bool
) -> None:
    refund, notes = completed(**changes)
    assert refund.is_partial is is_partial
    assert (PART in notes) is is_partial


def test_a_credit_that_names_no_charge_is_told_so() -> None:
    _, notes = completed(parent_id="", parent=None, currency="USD", cycle=1)
    assert "The charge that it is about is not named: its id is left empty." in notes


@pytest.mark.parametrize("kind", ["capture", "sale"])
def test_a_payment_with_a_parent_is_not_about_it(kind: TransactionKind) -> None:
    capture, _ = completed(kind=kind, line_items=())
    assert capture.sale_id == ""
    assert [line.item_id for line in capture.lines] == [""]


@pytest.mark.requirement("003-41")
def test_a_dispute_is_dated_by_the_bank_else_by_vrio() -> None:
    source = SourceDefaults(zone=ZoneInfo("America/New_York"))
    at = datetime(2025, 9, 20, 2, 0, tzinfo=UTC)
    assert completed(source, kind="chargeback", chargeback_at=at)[0].chargeback_on == date(2025, 9, 19)
    assert completed(source, kind="chargeback", customer=Customer())[0].chargeback_on == date(2025, 8, 30)
