"""A cart that was left, with its stated defaults."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.vrio.completed import AS_OF, D3, NO_ITEMS, PORTLAND, SOURCE, VITAMINS
from vrio_klaviyo.vrio.completing import with_defaults
from vrio_klaviyo.vrio.records import Customer, Order

CART = Order(
    order_id="1270", customer=Customer(phone="555.123.4567"), customer_id="303", offers=(VITAMINS,), billing=PORTLAND
)


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
