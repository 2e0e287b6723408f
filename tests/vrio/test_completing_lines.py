"""The lines of a sale: what they take from its items and offers, and what stands where neither says it."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.vrio.completed import D3, VITAMINS, amount, completed
from vrio_klaviyo.vrio.records import LineItem, OrderOffer


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


def test_lines_that_are_known_already_stand() -> None:
    known = replace(D3, item_name="Vitamin D3 drops", quantity=3)
    assert completed(lines=(known,))[0].lines == (replace(known, total=Decimal("89.97")),)
