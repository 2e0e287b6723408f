"""What is told beyond the published page, of payments: skipped, put back, made good, near."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from sandbox.vrio.charges import NOTHING, Transaction
from sandbox.vrio.ledger.changes import PLACED, TRIED, last_payment, subscriptions
from sandbox.vrio.ledger.event import Event
from sandbox.vrio.ledger.ids import products, subscription_ids
from sandbox.vrio.records import Customer, OrderOffer
from sandbox.vrio.world import World

METRICS = frozenset(
    {
        "Skipped Subscription",
        "Unskipped Subscription",
        "Payment Recovered",
        "Final Payment Failure",
        "Cancelled Last Subscription",
        "Expired Subscription",
        "Next Charge Date Changed",
        "Upcoming Order",
    }
)

# How long before a charge it is announced.
AHEAD = timedelta(days=3)


def of_skips(world: World, customer: Customer, with_rest: bool) -> Iterator[Event]:
    """Each time that a payment is left out, and each time that it is put back."""
    for told in world.at(world.ends_at).all(Transaction, customer.id):
        versions = world.history(Transaction, told.id)
        if told.is_test:
            continue
        if versions[0][1].skipped_at:
            yield from _of_skip(world, "Skipped Subscription", *versions[0], with_rest)
        for (_, was), (at, became) in pairwise(versions):
            if became.skipped_at and not was.skipped_at:
                yield from _of_skip(world, "Skipped Subscription", at, became, with_rest)
            if was.skipped_at and not became.skipped_at and became.approved is None:
                yield from _of_skip(world, "Unskipped Subscription", at, became, with_rest)


def of_recoveries(known: list[Transaction]) -> Iterator[Event]:
    """The first payment that went through after the bank had refused one of the same cycle and subscription."""
    in_order = sorted((one.completed_at, one.id, one) for one in known if one.completed_at)
    waiting: set[tuple[int, int]] = set()
    for at, _, one in in_order:
        charges = {(order_offer_id, one.cycle) for order_offer_id in one.order_offer_ids}
        if one.type in TRIED and not one.approved:
            waiting |= charges
        elif one.type in PLACED and charges & waiting:
            waiting -= charges
            yield Event("Payment Recovered", str(one.id), one.total, one.currency, at, one.order_id, one)


def of_charges_ahead(world: World, customer: Customer, known: list[Transaction]) -> Iterator[Event]:
    """Each day on which a subscription is to be charged, once, from three days before it; as of what the month told."""
    for offer in subscriptions(world, customer):
        announced = set()
        history = world.history(OrderOffer, offer.id)
        ends = [at for at, _ in history[1:]] + [world.ends_at]
        for (at, told), until in zip(history, ends, strict=True):
            due = told.next_charge_at
            if not due or not told.is_active_subscription or at < world.opened_at:
                continue
            begins = max(at, due - AHEAD)
            if begins < min(until, due) and due.date() not in announced:
                announced.add(due.date())
                paid = last_payment(offer.id, begins, known)
                currency = paid.currency if paid else world.currency
                unique_id = f"{offer.id}_{due.date()}"
                yield Event("Upcoming Order", unique_id, told.amount, currency, begins, offer.order_id, paid)


def _of_skip(world: World, metric: str, at: datetime, told: Transaction, with_rest: bool) -> Iterator[Event]:
    moment = f"{at.replace(tzinfo=world.zone).astimezone(UTC):%Y%m%dT%H%M%S}"
    recurring = {line.order_offer_id for line in told.lines if line.is_recurring and not line.is_gift}
    for order_offer_id, unique_id in subscription_ids(told, with_rest).items():
        if order_offer_id in recurring:
            mine = (product for product in products(told, with_rest) if product.order_offer_id == order_offer_id)
            value = sum((product.amount for product in mine), NOTHING)
            yield Event(metric, f"{unique_id}_{moment}", value, told.currency, at, told.order_id, told)
