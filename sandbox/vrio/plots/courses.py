"""The usual courses that plots are made of: buying, getting parcels, being charged again."""

from collections.abc import Callable, Generator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from sandbox.vrio.acts.life import Life
from sandbox.vrio.acts.orders import Wanted, place
from sandbox.vrio.acts.parcels import hand_over, pack, ship
from sandbox.vrio.acts.payments import charge, due_offers
from sandbox.vrio.catalogue import Discount
from sandbox.vrio.charges import NOTHING

Plot = Callable[[Life], Generator[timedelta, None, None]]
Course = Generator[timedelta, None, None]

AT_ONCE = timedelta(seconds=4)


def days(life: Life, number: float) -> timedelta:
    """About so many days."""
    return timedelta(days=number) + hours(life, 0.2, 5)


def hours(life: Life, least: float, most: float) -> timedelta:
    """A time between the two, in whole seconds."""
    return timedelta(seconds=life.rng.randint(int(least * 3600), int(most * 3600)))


def buys(
    life: Life,
    *cart: Wanted,
    discount: Discount | None = None,
    shipping: Decimal = NOTHING,
    tax: Decimal = NOTHING,
    is_test: bool = False,
    tracking: Mapping[int, str] | None = None,
) -> Generator[timedelta, None, tuple[int, int]]:
    """The ids of a new order and of the sale that pays for it."""
    order_id = place(life, *cart, discount=discount, is_test=is_test, tracking=tracking)
    yield AT_ONCE
    return order_id, charge(life, order_id, shipping=shipping, tax=tax)


def gets(life: Life, charge_id: int, parcels: int = 1) -> Course:
    """Parcels are made up at once and come one a day."""
    packed = pack(life, charge_id, parcels)
    yield hours(life, 6, 20)
    for shipment_id in packed:
        hand_over(life, shipment_id)
        yield hours(life, 1, 5)
        ship(life, shipment_id)
        yield hours(life, 8, 20)


def renews(life: Life, order_id: int, until: datetime | None = None) -> Course:
    """Charged and sent whenever it is due, until then or for good."""
    while due := due_offers(life, order_id):
        at = due[0].next_charge_at
        if at is None or (until is not None and at >= until):
            break
        yield max(at - life.now, timedelta(0))
        # What was cancelled in the meantime is not charged.
        if still_due := due_offers(life, order_id):
            yield from gets(life, charge(life, order_id, offers=still_due))
    if until is not None:
        yield max(until - life.now, timedelta(0))
