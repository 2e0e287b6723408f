"""Plots in which money does not come, or goes back; and those that nobody is told of."""

from decimal import Decimal

from sandbox.vrio.acts.credits import dispute, refund, refund_item, reverse, void
from sandbox.vrio.acts.life import Life
from sandbox.vrio.acts.orders import Wanted
from sandbox.vrio.acts.payments import charge, due_offers
from sandbox.vrio.acts.subscriptions import cancel
from sandbox.vrio.catalogue import (
    MONTHLY_VITAMINS,
    OMEGA_WEEKLY,
    PROTEIN_CLUB,
    SHAKER_ONCE,
    SLEEP_BUNDLE,
    STARTER_KIT,
    WEEKLY_GREENS,
)
from sandbox.vrio.plots.courses import Course, buys, days, gets, hours, renews
from sandbox.vrio.words import CancelReason, TransactionType


def recovers(life: Life) -> Course:
    """A renewal is refused and comes through at the second attempt."""
    order_id, charge_id = yield from buys(life, Wanted(WEEKLY_GREENS))
    yield from gets(life, charge_id)
    yield from _refused(life, order_id, 1)
    yield from renews(life, order_id)


def is_lost(life: Life) -> Course:
    """A renewal is refused three times, and that is the end of it."""
    order_id, charge_id = yield from buys(life, Wanted(OMEGA_WEEKLY))
    yield from gets(life, charge_id)
    yield from _refused(life, order_id, 3)
    cancel(life, life.subscriptions(order_id)[0].id, CancelReason.PAYMENT_FAILED)


def wants_all_back(life: Life) -> Course:
    order_id, charge_id = yield from buys(life, Wanted(MONTHLY_VITAMINS), tax=Decimal("2.40"))
    yield from gets(life, charge_id)
    yield days(life, 3)
    refund(life, charge_id)
    cancel(life, life.subscriptions(order_id)[0].id, CancelReason.NOT_FOR_ME)


def wants_some_back(life: Life) -> Course:
    """Two amounts of one charge, and once no."""
    order_id, charge_id = yield from buys(life, Wanted(PROTEIN_CLUB), Wanted(SHAKER_ONCE))
    yield from gets(life, charge_id)
    yield days(life, 2)
    refund(life, charge_id, Decimal("10.00"))
    yield days(life, 2)
    refund(life, charge_id, Decimal("3.33"), declined="Refund window closed")
    yield hours(life, 1, 4)
    refund(life, charge_id, Decimal("5.50"))
    yield from renews(life, order_id)


def sends_an_item_back(life: Life) -> Course:
    _, charge_id = yield from buys(life, Wanted(STARTER_KIT))
    yield from gets(life, charge_id)
    yield days(life, 4)
    refund_item(life, charge_id, SHAKER_ONCE.items[0].item_id)


def is_voided(life: Life) -> Course:
    _, charge_id = yield from buys(life, Wanted(STARTER_KIT), shipping=Decimal("6.00"))
    yield hours(life, 2, 10)
    void(life, charge_id)


def charges_back(life: Life) -> Course:
    _, charge_id = yield from buys(life, Wanted(MONTHLY_VITAMINS))
    yield from gets(life, charge_id)
    yield days(life, 8)
    dispute(life, charge_id, TransactionType.CHARGEBACK)


def charges_back_in_vain(life: Life) -> Course:
    """The merchant wins the dispute."""
    _, charge_id = yield from buys(life, Wanted(STARTER_KIT))
    yield from gets(life, charge_id)
    yield days(life, 5)
    chargeback_id = dispute(life, charge_id, TransactionType.CHARGEBACK)
    yield days(life, 7)
    reverse(life, chargeback_id)


def alarms_the_bank(life: Life) -> Course:
    """Two alerts, then the money goes back."""
    _, charge_id = yield from buys(life, Wanted(SLEEP_BUNDLE))
    yield from gets(life, charge_id)
    yield days(life, 3)
    dispute(life, charge_id, TransactionType.ALERT)
    yield hours(life, 2, 8)
    dispute(life, charge_id, TransactionType.ALERT)
    yield hours(life, 2, 8)
    refund(life, charge_id)


def only_tests(life: Life) -> Course:
    order_id, charge_id = yield from buys(life, Wanted(WEEKLY_GREENS), is_test=True)
    yield from gets(life, charge_id)
    yield days(life, 1)
    refund(life, charge_id, Decimal("2.00"))
    yield from renews(life, order_id)


def tests_before_buying(life: Life) -> Course:
    """A test order and a real one."""
    yield from buys(life, Wanted(STARTER_KIT), is_test=True)
    yield hours(life, 1, 5)
    _, charge_id = yield from buys(life, Wanted(SHAKER_ONCE))
    yield from gets(life, charge_id)


def _refused(life: Life, order_id: int, times: int) -> Course:
    for _ in range(times):
        due = due_offers(life, order_id)
        if not due or not due[0].next_charge_at:
            return
        yield due[0].next_charge_at - life.now
        charge(life, order_id, offers=due, declined="Insufficient funds")
        yield hours(life, 1, 3)
