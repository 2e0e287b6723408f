"""What a charge is for, item by item, and what it comes to."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import TypedDict

from sandbox.vrio.acts.life import Life
from sandbox.vrio.charges import NOTHING, LineItem
from sandbox.vrio.records import OrderOffer


def items_of(life: Life, offer: OrderOffer) -> Iterator[LineItem]:
    """
    A line for each item of an order offer.

    Shape:  the price of the offer is spread over its items, the first takes what is left over; the discount code counts
            for the first charge and is taken off the first item.
    """
    price = offer.price if offer.next_price is None else offer.next_price
    others = [item.price for item in offer.offer.items[1:]] if price == offer.offer.price else []
    prices = [price - sum(others, NOTHING), *others, *[NOTHING] * len(offer.offer.items)]
    code = offer.discount if offer.cycle == 0 else None
    for index, item in enumerate(offer.offer.items):
        most = prices[0] * offer.quantity
        yield LineItem(
            line_item_id=life.world.number("line_item"),
            order_offer_id=offer.id,
            offer=offer.offer,
            offer_quantity=offer.quantity,
            item=item,
            quantity=offer.quantity,
            price=prices[index],
            discount=min(code.flat, most) if code and index == 0 else NOTHING,
            discount_code=code.code if code else None,
            is_upsell=offer.is_upsell,
            is_recurring=offer.is_recurring,
            is_gift=offer.is_gift,
        )


def charged(
    life: Life, offers: list[OrderOffer], shipping: Decimal = NOTHING, tax: Decimal = NOTHING
) -> tuple[LineItem, ...]:
    """The lines of a charge; shipping and tax stand on the first of them."""
    first, *others = (line for offer in offers for line in items_of(life, offer))
    return replace(first, shipping=shipping, tax=tax), *others


class Amounts(TypedDict):
    price: Decimal
    discount: Decimal
    shipping: Decimal
    tax: Decimal


def amounts(lines: tuple[LineItem, ...]) -> Amounts:
    """What a transaction for these lines comes to."""
    return {
        "price": sum((line.amount for line in lines), NOTHING),
        "discount": sum((line.discount for line in lines), NOTHING),
        "shipping": sum((line.shipping for line in lines), NOTHING),
        "tax": sum((line.tax for line in lines), NOTHING),
    }
