"""A parcel, with what its payment and its order know of it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.vrio.completed import AS_OF, D3, FULL, PORTLAND, SOURCE, VITAMINS
from vrio_klaviyo.vrio.completing import SourceDefaults, with_defaults
from vrio_klaviyo.vrio.records import Address, LineItem, Order, Shipment

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
