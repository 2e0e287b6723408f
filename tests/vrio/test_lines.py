"""What is in a parcel, and which line of the payment it is on."""

from dataclasses import replace
from decimal import Decimal

import pytest

from vrio_klaviyo.vrio.lines import of_offer, packed
from vrio_klaviyo.vrio.records import LineItem, OrderOffer

D3 = LineItem(
    order_offer_id="4001",
    offer_id="1",
    offer_name="Monthly Vitamins",
    item_id="2",
    item_name="Vitamin D3",
    sku="VIT-D3",
    quantity=2,
    price=Decimal("29.99"),
    total=Decimal("59.98"),
    discount_code="SAVE10",
    is_recurring=True,
    interval_days=30,
)
SHAKER = LineItem(order_offer_id="4012", offer_id="7", offer_name="Shaker", item_id="9", sku="SHAKER-600")
OFFER = replace(D3, item_id="", item_name="Monthly Vitamins", sku="", quantity=1, total=Decimal("29.99"))
IN_PARCEL = LineItem(item_id="2", item_name="Vitamin D3", sku="VIT-D3", quantity=1)


@pytest.mark.requirement("003-37")
@pytest.mark.parametrize(
    "item",
    [
        IN_PARCEL,
        replace(IN_PARCEL, sku="", item_name=""),
        replace(IN_PARCEL, item_id="", item_name=""),
        replace(IN_PARCEL, item_id="", sku=""),
    ],
)
def test_an_item_is_on_the_line_with_its_id_its_sku_or_its_name(item: LineItem) -> None:
    assert packed([item], (SHAKER, D3)) == [replace(D3, quantity=1, total=None)]


@pytest.mark.requirement("003-37")
def test_a_parcel_without_items_holds_what_was_paid_for() -> None:
    assert packed([], (D3, SHAKER)) == [D3, SHAKER]
    assert packed([], ()) == []


@pytest.mark.requirement("003-37")
def test_an_item_that_is_on_no_line_stays_what_it_is() -> None:
    stranger = LineItem(item_id="8", item_name="Sticker", sku="STICKER", quantity=0)
    assert packed([stranger], (D3,)) == [stranger]
    assert packed([stranger], (OFFER, SHAKER)) == [stranger]
    assert packed([stranger], ()) == [stranger]


@pytest.mark.requirement("003-37")
def test_where_one_offer_is_all_that_was_paid_for_the_parcel_is_its() -> None:
    (alone,) = packed([IN_PARCEL], (OFFER,))
    assert (alone.offer_name, alone.item_id, alone.sku, alone.price) == (
        "Monthly Vitamins",
        "2",
        "VIT-D3",
        Decimal("29.99"),
    )
    both = packed([IN_PARCEL, LineItem(item_id="3", item_name="Vitamin K2", quantity=1)], (OFFER,))
    assert [(line.offer_id, line.item_id, line.price) for line in both] == [("1", "2", None), ("1", "3", None)]


@pytest.mark.requirement("003-45")
def test_a_line_keeps_its_interval_where_its_offer_names_none() -> None:
    assert of_offer(D3, OrderOffer(is_recurring=True)).interval_days == 30
    assert of_offer(D3, OrderOffer(is_recurring=True, timeframe_name="Every 2 weeks")).interval_days == 14
