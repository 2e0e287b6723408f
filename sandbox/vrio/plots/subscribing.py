"""Plots of subscribers: they stay, pause, leave, return, and change their details."""

from datetime import timedelta
from decimal import Decimal

from sandbox.vrio.acts import subscriptions
from sandbox.vrio.acts.life import Life
from sandbox.vrio.acts.orders import Wanted, place
from sandbox.vrio.acts.profiles import change_email, change_name, change_phone
from sandbox.vrio.catalogue import (
    FULL_SHELF,
    MEMBER_GIFT,
    MONTHLY_VITAMINS,
    OMEGA_WEEKLY,
    POUCH_ONCE,
    PROTEIN_CLUB,
    SAVE_FIVE,
    SHAKER_ONCE,
    SLEEP_BUNDLE,
    WEEKLY_GREENS,
    WELCOME_TWO,
)
from sandbox.vrio.phones import new_phone
from sandbox.vrio.plots.courses import AT_ONCE, Course, buys, days, gets, hours, renews
from sandbox.vrio.words import CancelReason


def subscribes(life: Life) -> Course:
    offer = life.rng.choice((WEEKLY_GREENS, OMEGA_WEEKLY, PROTEIN_CLUB, MONTHLY_VITAMINS, FULL_SHELF))
    order_id, charge_id = yield from buys(life, Wanted(offer, life.rng.randint(1, 2)))
    yield from gets(life, charge_id)
    yield from renews(life, order_id)


def renews_since_long(life: Life) -> Course:
    """For those who were there before the month: charged again within it."""
    offer = life.rng.choice((WEEKLY_GREENS, PROTEIN_CLUB, MONTHLY_VITAMINS))
    order_id, charge_id = yield from buys(life, Wanted(offer))
    yield from gets(life, charge_id)
    yield from renews(life, order_id)


def subscribes_to_a_bundle(life: Life) -> Course:
    order_id, charge_id = yield from buys(life, Wanted(SLEEP_BUNDLE), discount=WELCOME_TWO)
    yield from gets(life, charge_id, parcels=2)
    yield from renews(life, order_id)


def fills_a_mixed_cart(life: Life) -> Course:
    """Two subscriptions of different length, something bought once, and a gift that Vrio calls recurring."""
    order_id, charge_id = yield from buys(
        life,
        Wanted(WEEKLY_GREENS),
        Wanted(PROTEIN_CLUB),
        Wanted(SHAKER_ONCE),
        Wanted(MEMBER_GIFT, is_gift=True),
        discount=SAVE_FIVE,
        tax=Decimal("2.50"),
    )
    yield from gets(life, charge_id)
    yield from renews(life, order_id)


def subscribes_twice(life: Life) -> Course:
    """The same offer on two lines; the first of them is given up."""
    order_id, charge_id = yield from buys(life, Wanted(PROTEIN_CLUB), Wanted(PROTEIN_CLUB))
    yield from gets(life, charge_id)
    yield days(life, 3)
    subscriptions.cancel(life, life.subscriptions(order_id)[0].id, CancelReason.TOO_MUCH)
    yield from renews(life, order_id)


def tries_for_nothing(life: Life) -> Course:
    """A trial at 0.00, then the full price."""
    order_id, charge_id = yield from buys(life, Wanted(WEEKLY_GREENS, price=Decimal("0.00")))
    yield from gets(life, charge_id)
    yield from renews(life, order_id)


def pauses_twice(life: Life) -> Course:
    """Once until a planned day and once more in the same cycle."""
    order_id, charge_id = yield from buys(life, Wanted(MONTHLY_VITAMINS))
    yield from gets(life, charge_id)
    (offer,) = life.subscriptions(order_id)
    yield days(life, 2)
    planned = life.now.replace(hour=0, minute=0, second=0) + timedelta(days=5)
    subscriptions.pause(life, offer.id, until=planned)
    yield planned - life.now
    subscriptions.unpause(life, offer.id)
    yield days(life, 3)
    subscriptions.pause(life, offer.id)
    yield days(life, 4)
    subscriptions.unpause(life, offer.id)


def stays_paused(life: Life) -> Course:
    order_id, charge_id = yield from buys(life, Wanted(WEEKLY_GREENS), Wanted(POUCH_ONCE))
    yield from gets(life, charge_id)
    yield from renews(life, order_id, until=life.now + timedelta(days=9))
    subscriptions.pause(life, life.subscriptions(order_id)[0].id, until=life.now + timedelta(days=60))


def leaves(life: Life) -> Course:
    order_id, charge_id = yield from buys(life, Wanted(OMEGA_WEEKLY))
    yield from gets(life, charge_id)
    yield from renews(life, order_id, until=life.now + timedelta(days=life.rng.randint(5, 12)))
    reason = life.rng.choice((CancelReason.TOO_EXPENSIVE, CancelReason.TOO_MUCH, CancelReason.NOT_FOR_ME))
    subscriptions.cancel(life, life.subscriptions(order_id)[0].id, reason)


def leaves_and_returns(life: Life) -> Course:
    order_id, charge_id = yield from buys(life, Wanted(PROTEIN_CLUB))
    yield from gets(life, charge_id)
    (offer,) = life.subscriptions(order_id)
    yield days(life, 2)
    subscriptions.cancel(life, offer.id, CancelReason.NOT_FOR_ME)
    yield days(life, 4)
    subscriptions.reactivate(life, offer.id)
    yield from renews(life, order_id)


def leaves_before_paying(life: Life) -> Course:
    """The first charge was to come later: there is no transaction at all."""
    order_id = place(life, Wanted(MONTHLY_VITAMINS))
    yield AT_ONCE
    subscriptions.start_later(life, order_id, life.now + timedelta(days=30))
    yield days(life, 6)
    subscriptions.cancel(life, life.subscriptions(order_id)[0].id, CancelReason.NOT_FOR_ME)


def runs_out(life: Life) -> Course:
    order_id, charge_id = yield from buys(life, Wanted(WEEKLY_GREENS))
    yield from gets(life, charge_id)
    yield from renews(life, order_id, until=life.now + timedelta(days=10))
    subscriptions.expire(life, life.subscriptions(order_id)[0].id)


def skips(life: Life) -> Course:
    """Skips a charge, wants it back, and skips the one after it."""
    order_id, charge_id = yield from buys(life, Wanted(WEEKLY_GREENS))
    yield from gets(life, charge_id)
    (offer,) = life.subscriptions(order_id)
    left_out_id = subscriptions.skip(life, offer.id)
    yield hours(life, 2, 8)
    subscriptions.unskip(life, offer.id, left_out_id)
    yield from renews(life, order_id, until=life.now + timedelta(days=8))
    subscriptions.skip(life, offer.id)
    yield from renews(life, order_id)


def changes_the_terms(life: Life) -> Course:
    order_id, charge_id = yield from buys(life, Wanted(PROTEIN_CLUB))
    yield from gets(life, charge_id)
    yield days(life, 3)
    offer_id = life.subscriptions(order_id)[0].id
    subscriptions.change_terms(life, offer_id, quantity=2, price=Decimal("40.00"))
    yield from renews(life, order_id)


def gets_another_address(life: Life) -> Course:
    """A new e-mail address between two charges."""
    order_id, charge_id = yield from buys(life, Wanted(WEEKLY_GREENS))
    yield from gets(life, charge_id)
    yield days(life, 1)
    change_email(life, order_id, f"new.{(life.customer.email or '').strip().lower()}")
    yield from renews(life, order_id)


def gets_another_name(life: Life) -> Course:
    """A new name and a new number."""
    order_id, charge_id = yield from buys(life, Wanted(WEEKLY_GREENS))
    yield from gets(life, charge_id)
    change_name(life, order_id, f"{life.customer.last_name}-Stone")
    yield days(life, 2)
    change_phone(life, order_id, new_phone(life.customer_id))
    yield from renews(life, order_id)
