"""A sale of which everything is known, and what completing makes of it when some of it is not."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from vrio_klaviyo.vrio.completing import SourceDefaults, with_defaults
from vrio_klaviyo.vrio.records import Address, Customer, LineItem, OrderOffer, Transaction

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
NO_ITEMS = "No items are listed: each offer stands for its item, without item id and SKU."


def completed(source: SourceDefaults = SOURCE, **changes: Any) -> tuple[Transaction, tuple[str, ...]]:
    """The sale with these changes, completed, and what is told of that."""
    record, notes = with_defaults(replace(FULL, **changes), source, AS_OF)
    assert isinstance(record, Transaction)
    return record, notes


def amount(text: str | None) -> Decimal | None:
    """A sum, or none."""
    return None if text is None else Decimal(text)
