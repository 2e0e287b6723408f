"""Orders come to be, and some are left at the checkout."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import md5

from sandbox.vrio.acts.life import Life
from sandbox.vrio.catalogue import SUPPLEMENTS_CAMPAIGN, Campaign, Discount, Offer
from sandbox.vrio.records import Order, OrderOffer
from sandbox.vrio.words import Status


@dataclass(frozen=True)
class Wanted:
    """One line of a cart; `price` is for one and is the offer's own unless given."""

    offer: Offer
    quantity: int = 1
    price: Decimal | None = None
    is_gift: bool = False
    is_upsell: bool = False


def place(
    life: Life,
    *cart: Wanted,
    discount: Discount | None = None,
    campaign: Campaign = SUPPLEMENTS_CAMPAIGN,
    tracking: Mapping[int, str] | None = None,
    is_test: bool = False,
    has_payment: bool = True,
) -> int:
    """The id of a new order, which nothing is paid of yet."""
    world, now = life.world, life.now
    order = world.keep(
        Order(
            id=world.number("order"),
            customer_id=life.customer_id,
            campaign=campaign,
            created_at=now,
            modified_at=now,
            cart_token=md5(f"{world.seed}/{life.customer_id}/{now}".encode(), usedforsecurity=False).hexdigest(),
            tracking=tracking if tracking is not None else {1: "newsletter", 2: "autumn", 15: "utm-search"},
            is_test=is_test,
            discount=discount,
            has_payment=has_payment,
            status=None if has_payment else Status.PARTIAL,
        )
    )
    for wanted in cart:
        _put(life, order, wanted, discount if wanted is cart[0] else None)
    life.note(order.id, "Order created")
    return order.id


def abandon(life: Life, order_id: int) -> None:
    """Vrio gives the order up as abandoned; one that was completed a moment ago may be hit, too."""
    order = life.world.change(life.order(order_id), abandoned_at=life.now)
    life.world.tell("order_abandonned", order)


def give_payment(life: Life, order_id: int) -> None:
    """The customer comes back to the checkout and types an address and a card."""
    life.world.change(life.order(order_id), has_payment=True)
    life.note(order_id, "Payment details added")


def _put(life: Life, order: Order, wanted: Wanted, discount: Discount | None) -> None:
    price = wanted.offer.price if wanted.price is None else wanted.price
    life.world.keep(
        OrderOffer(
            id=life.world.number("order_offer"),
            order_id=order.id,
            customer_id=order.customer_id,
            offer=wanted.offer,
            quantity=wanted.quantity,
            price=price,
            is_recurring=wanted.offer.timeframe is not None,
            is_gift=wanted.is_gift,
            is_upsell=wanted.is_upsell,
            is_test=order.is_test,
            created_at=life.now,
            modified_at=life.now,
            discount=discount,
            status=order.status,
        )
    )
