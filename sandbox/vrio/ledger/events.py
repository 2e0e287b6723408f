"""The events that Klaviyo must hold of one customer."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from sandbox.vrio.charges import NOTHING, Shipment, Transaction
from sandbox.vrio.ledger.ids import products, subscription_ids
from sandbox.vrio.records import Change, Customer, Order, OrderOffer
from sandbox.vrio.words import Currency, TransactionType
from sandbox.vrio.world import World

PLACED = {TransactionType.SALE, TransactionType.CAPTURE}
MAY_BE_DECLINED = PLACED | {TransactionType.AUTH}

# Of what was approved. Nothing is said of payments on delivery, reversals and checks that come back.
METRICS = {
    TransactionType.AUTH: "Order Auth",
    TransactionType.REFUND: "Refunded Order",
    TransactionType.VOID: "Voided Order",
    TransactionType.CHARGEBACK: "Order Chargeback",
    TransactionType.ALERT: "Order Alert",
}
CHANGES = {
    "cancelled": "Cancelled Subscription",
    "paused": "Paused Subscription",
    "unpaused": "Unpaused Subscription",
    "reactivated": "Reactivated Subscription",
}


@dataclass(frozen=True)
class Event:
    """One event; `at` is wall-clock time of the account's zone."""

    metric: str
    unique_id: str
    value: Decimal
    currency: Currency
    at: datetime

    def as_json(self, zone: tzinfo) -> dict[str, Any]:
        return {
            "metric": self.metric,
            "unique_id": self.unique_id,
            "value": float(self.value),
            "value_currency": self.currency.label,
            # An hour that comes twice is its first, one that is missing moves forward.
            "time": self.at.replace(tzinfo=zone).astimezone(UTC).isoformat(),
        }


def events_of(world: World, customer: Customer, with_rest: bool) -> list[Event]:
    """All since the month began, ordered by time, metric and id."""
    end = world.at(world.ends_at)
    since = None if with_rest else world.opened_at
    tried = [paid for paid in end.all(Transaction, customer.id) if paid.completed_at and not paid.is_test]
    known = [paid for paid in tried if since is None or (paid.completed_at and paid.completed_at >= since)]
    events = [
        *(event for paid in tried for event in _of_transaction(paid, with_rest)),
        *_of_parcels(end.all(Shipment, customer.id), tried),
        *_of_carts(world, customer, tried),
        *_of_changes(world, customer, known, with_rest),
    ]
    found = (event for event in events if event.at >= world.opened_at)
    return sorted(found, key=lambda event: (event.at, event.metric, event.unique_id))


def _of_transaction(paid: Transaction, with_rest: bool) -> Iterator[Event]:
    at = paid.completed_at
    if at is None:
        return
    if not paid.approved:
        if paid.type in MAY_BE_DECLINED:
            yield Event("Declined Order", str(paid.id), paid.total, paid.currency, at)
    elif paid.type in METRICS:
        yield Event(METRICS[paid.type], str(paid.id), paid.total, paid.currency, at)
    elif paid.type in PLACED:
        subscriptions = {line.order_offer_id for line in paid.lines if line.is_recurring and not line.is_gift}
        metric = "Placed Order" if subscriptions else "Placed Non-Recurring Order"
        yield Event(metric, str(paid.id), paid.total, paid.currency, at)
        listed = products(paid, with_rest)
        for product in listed:
            yield Event("Ordered Product", product.unique_id, product.amount, paid.currency, at)
        if paid.cycle == 1:
            for order_offer_id, unique_id in subscription_ids(paid, with_rest).items():
                if order_offer_id in subscriptions:
                    parts = (product.amount for product in listed if product.order_offer_id == order_offer_id)
                    yield Event("Started Subscription", unique_id, sum(parts, NOTHING), paid.currency, at)


def _of_parcels(parcels: list[Shipment], tried: list[Transaction]) -> Iterator[Event]:
    for paid in tried:
        shipped = sorted(
            (made.shipped_at, made.id) for made in parcels if made.transaction_id == paid.id and made.shipped_at
        )
        for place, (at, shipment_id) in enumerate(shipped):
            unique_id = f"{paid.id}_{shipment_id}" if place else str(paid.id)
            yield Event("Fulfilled Order", unique_id, paid.total, paid.currency, at)


def _of_carts(world: World, customer: Customer, tried: list[Transaction]) -> Iterator[Event]:
    for order in world.at(world.ends_at).all(Order, customer.id):
        at = order.abandoned_at
        if at is None or order.is_test:
            continue
        paid = (one for one in tried if one.order_id == order.id and one.approved and one.type in PLACED)
        if not any(one.completed_at and one.completed_at <= at for one in paid):
            total = sum((offer.amount for offer in world.at(at).offers(order)), NOTHING)
            # Vrio: an order does not say in which currency it is.
            yield Event("Abandoned Order", f"{order.id}_abandoned", total, world.currency, at)


def _of_changes(world: World, customer: Customer, known: list[Transaction], with_rest: bool) -> Iterator[Event]:
    seen: Counter[tuple[str, str]] = Counter()
    for change in world.changes:
        if change.customer_id != customer.id or change.at < world.opened_at:
            continue
        offer = world.at(change.at).get(OrderOffer, change.order_offer_id)
        if offer.is_test:
            continue
        paid = _last_payment(change, known)
        unique_id = f"order{offer.order_id}_{offer.offer.offer_id}_sub"
        if paid:
            unique_id = subscription_ids(paid, with_rest)[offer.id]
        seen[change.kind, unique_id] += 1
        nth = seen[change.kind, unique_id]
        currency = paid.currency if paid else world.currency
        told = unique_id if nth == 1 else f"{unique_id}_{nth}"
        yield Event(CHANGES[change.kind], told, offer.amount, currency, change.at)


def _last_payment(change: Change, known: list[Transaction]) -> Transaction | None:
    paid = (
        one for one in known if one.approved and one.type in PLACED and change.order_offer_id in one.order_offer_ids
    )
    earlier = [(one.completed_at, one.id, one) for one in paid if one.completed_at and one.completed_at <= change.at]
    return max(earlier)[2] if earlier else None
