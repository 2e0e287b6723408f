"""Plots of people who buy, and of some who almost do."""

from decimal import Decimal

from sandbox.vrio.acts.credits import return_check, void
from sandbox.vrio.acts.life import Life
from sandbox.vrio.acts.orders import Wanted, abandon, give_payment, place
from sandbox.vrio.acts.parcels import call_off, pack, reship, ship
from sandbox.vrio.acts.payments import capture, charge
from sandbox.vrio.catalogue import (
    INSURANCE_UPSELL,
    MONTHLY_VITAMINS,
    POUCH_ONCE,
    SAVE_FIVE,
    SHAKER_ONCE,
    STARTER_KIT,
    WEEKLY_GREENS,
    WELCOME_GIFT,
)
from sandbox.vrio.plots.courses import AT_ONCE, Course, buys, days, gets, hours, renews
from sandbox.vrio.words import PaymentMethod, TransactionType


def buys_once(life: Life) -> Course:
    _, charge_id = yield from buys(
        life, Wanted(SHAKER_ONCE, life.rng.randint(1, 3)), shipping=Decimal("4.90"), tax=Decimal("1.15")
    )
    yield from gets(life, charge_id)


def buys_a_kit(life: Life) -> Course:
    """Several items in one offer, in several parcels."""
    _, charge_id = yield from buys(life, Wanted(STARTER_KIT), discount=SAVE_FIVE)
    yield from gets(life, charge_id, parcels=life.rng.randint(2, 3))


def buys_the_same_twice(life: Life) -> Course:
    """Two lines with one offer."""
    _, charge_id = yield from buys(life, Wanted(POUCH_ONCE), Wanted(POUCH_ONCE, 2), Wanted(SHAKER_ONCE))
    yield from gets(life, charge_id, parcels=2)


def buys_with_gift_and_upsell(life: Life) -> Course:
    _, charge_id = yield from buys(
        life, Wanted(SHAKER_ONCE, 2), Wanted(WELCOME_GIFT, is_gift=True), Wanted(INSURANCE_UPSELL, is_upsell=True)
    )
    yield from gets(life, charge_id)


def comes_back(life: Life) -> Course:
    """A second order, found by another way."""
    _, first_id = yield from buys(life, Wanted(SHAKER_ONCE), tracking={1: "newsletter", 7: "friend"})
    yield from gets(life, first_id)
    yield days(life, 5)
    found_by = {1: "search", 7: "partner", 20: "banner"}
    _, second_id = yield from buys(life, Wanted(POUCH_ONCE), Wanted(STARTER_KIT), tracking=found_by)
    yield from gets(life, second_id)


def buys_on_delivery(life: Life) -> Course:
    """Paid in cash to the carrier."""
    order_id = place(life, Wanted(STARTER_KIT))
    yield AT_ONCE
    charge_id = charge(life, order_id, TransactionType.COD, method=PaymentMethod.CASH)
    yield hours(life, 1, 5)
    pack(life, charge_id)


def pays_by_check(life: Life) -> Course:
    """The check comes back."""
    order_id = place(life, Wanted(POUCH_ONCE))
    yield AT_ONCE
    charge_id = charge(life, order_id, method=PaymentMethod.CHECK)
    yield days(life, 6)
    return_check(life, charge_id)


def authorizes_first(life: Life) -> Course:
    order_id = place(life, Wanted(WEEKLY_GREENS, 2), Wanted(SHAKER_ONCE), discount=SAVE_FIVE)
    yield AT_ONCE
    auth_id = charge(life, order_id, TransactionType.AUTH, shipping=Decimal("3.00"))
    yield days(life, 1)
    yield from gets(life, capture(life, auth_id))
    yield from renews(life, order_id)


def takes_back_an_authorization(life: Life) -> Course:
    order_id = place(life, Wanted(STARTER_KIT))
    yield AT_ONCE
    auth_id = charge(life, order_id, TransactionType.AUTH)
    yield hours(life, 3, 20)
    void(life, auth_id)


def is_refused(life: Life) -> Course:
    """Never gets to pay, neither at once nor by authorization."""
    order_id = place(life, Wanted(MONTHLY_VITAMINS))
    yield AT_ONCE
    charge(life, order_id, declined="Insufficient funds")
    yield hours(life, 1, 9)
    charge(life, order_id, TransactionType.AUTH, declined="Do not honor")


def is_refused_at_first(life: Life) -> Course:
    order_id = place(life, Wanted(WEEKLY_GREENS), discount=SAVE_FIVE)
    yield AT_ONCE
    charge(life, order_id, declined="Expired card")
    yield hours(life, 1, 9)
    yield from gets(life, charge(life, order_id))
    yield from renews(life, order_id)


def leaves_the_cart(life: Life) -> Course:
    order_id = place(life, Wanted(MONTHLY_VITAMINS), Wanted(SHAKER_ONCE, 2), has_payment=False)
    yield hours(life, 1, 2)
    abandon(life, order_id)


def leaves_the_cart_and_returns(life: Life) -> Course:
    order_id = place(life, Wanted(SHAKER_ONCE, 2), has_payment=False)
    yield hours(life, 1, 2)
    abandon(life, order_id)
    yield hours(life, 3, 30)
    give_payment(life, order_id)
    yield AT_ONCE
    yield from gets(life, charge(life, order_id))


def is_taken_for_gone(life: Life) -> Course:
    """Pays seconds before the order is given up as abandoned."""
    order_id = place(life, Wanted(STARTER_KIT), has_payment=False)
    yield hours(life, 1, 2)
    give_payment(life, order_id)
    yield AT_ONCE
    charge_id = charge(life, order_id)
    yield AT_ONCE
    abandon(life, order_id)
    yield from gets(life, charge_id)


def needs_a_second_parcel(life: Life) -> Course:
    """The first parcel is lost."""
    _, charge_id = yield from buys(life, Wanted(POUCH_ONCE))
    yield hours(life, 2, 9)
    (lost_id,) = pack(life, charge_id)
    yield days(life, 1)
    ship(life, lost_id)
    yield days(life, 8)
    again_id = reship(life, lost_id)
    yield days(life, 1)
    ship(life, again_id)


def gets_nothing(life: Life) -> Course:
    """Paid, and the parcel is called off."""
    _, charge_id = yield from buys(life, Wanted(POUCH_ONCE, 2))
    yield hours(life, 2, 9)
    (shipment_id,) = pack(life, charge_id)
    yield days(life, 1)
    call_off(life, shipment_id)
