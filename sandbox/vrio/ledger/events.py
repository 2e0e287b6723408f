"""The events that Klaviyo must hold of one customer."""

from collections.abc import Iterator

from sandbox.vrio.charges import NOTHING, Shipment, Transaction
from sandbox.vrio.ledger.beyond import METRICS as BEYOND
from sandbox.vrio.ledger.beyond import of_charges_ahead, of_recoveries, of_skips
from sandbox.vrio.ledger.changes import PLACED, TRIED, of_changes
from sandbox.vrio.ledger.event import Event
from sandbox.vrio.ledger.ids import products, subscription_ids
from sandbox.vrio.records import Customer, Order
from sandbox.vrio.words import TransactionType
from sandbox.vrio.world import World

# Of what was approved. Nothing is said of payments on delivery, reversals and checks that come back.
METRICS = {
    TransactionType.AUTH: "Order Auth",
    TransactionType.REFUND: "Refunded Order",
    TransactionType.VOID: "Voided Order",
    TransactionType.CHARGEBACK: "Order Chargeback",
    TransactionType.ALERT: "Order Alert",
}


def events_of(world: World, customer: Customer, with_rest: bool, everything: bool = False) -> list[Event]:
    """All since the month began, ordered by time, metric and id; with everything, those beyond the page too."""
    end = world.at(world.ends_at)
    since = None if with_rest else world.opened_at
    tried = [paid for paid in end.all(Transaction, customer.id) if paid.completed_at and not paid.is_test]
    known = [paid for paid in tried if since is None or (paid.completed_at and paid.completed_at >= since)]
    events = [
        *(event for paid in tried for event in _of_transaction(paid, with_rest)),
        *_of_parcels(end.all(Shipment, customer.id), tried),
        *_of_carts(world, customer, tried),
        *of_changes(world, customer, known, with_rest),
        *of_skips(world, customer, with_rest),
        *of_recoveries(known),
        *of_charges_ahead(world, customer, known),
    ]
    events = [event for event in events if everything or event.metric not in BEYOND]
    found = (event for event in events if event.at >= world.opened_at)
    return sorted(found, key=lambda event: (event.at, event.metric, event.unique_id))


def _of_transaction(paid: Transaction, with_rest: bool) -> Iterator[Event]:
    at = paid.completed_at
    if at is None:
        return
    about = paid.order_id, paid
    if not paid.approved:
        if paid.type in TRIED:
            yield Event("Declined Order", str(paid.id), paid.total, paid.currency, at, *about, paid)
    elif paid.type in METRICS:
        yield Event(METRICS[paid.type], str(paid.id), paid.total, paid.currency, at, *about)
    elif paid.type in PLACED:
        subscriptions = {line.order_offer_id for line in paid.lines if line.is_recurring and not line.is_gift}
        metric = "Placed Order" if subscriptions else "Placed Non-Recurring Order"
        yield Event(metric, str(paid.id), paid.total, paid.currency, at, *about)
        listed = products(paid, with_rest)
        for product in listed:
            yield Event("Ordered Product", product.unique_id, product.amount, paid.currency, at, *about)
        if paid.cycle == 1:
            for order_offer_id, unique_id in subscription_ids(paid, with_rest).items():
                if order_offer_id in subscriptions:
                    parts = (product.amount for product in listed if product.order_offer_id == order_offer_id)
                    yield Event("Started Subscription", unique_id, sum(parts, NOTHING), paid.currency, at, *about)


def _of_parcels(parcels: list[Shipment], tried: list[Transaction]) -> Iterator[Event]:
    for paid in tried:
        shipped = sorted(
            (made.shipped_at, made.id) for made in parcels if made.transaction_id == paid.id and made.shipped_at
        )
        for place, (at, shipment_id) in enumerate(shipped):
            unique_id = f"{paid.id}_{shipment_id}" if place else str(paid.id)
            yield Event("Fulfilled Order", unique_id, paid.total, paid.currency, at, paid.order_id, paid)


def _of_carts(world: World, customer: Customer, tried: list[Transaction]) -> Iterator[Event]:
    for order in world.at(world.ends_at).all(Order, customer.id):
        at = order.abandoned_at
        if at is None or order.is_test:
            continue
        paid = (one for one in tried if one.order_id == order.id and one.approved and one.type in PLACED)
        if not any(one.completed_at and one.completed_at <= at for one in paid):
            total = sum((offer.amount for offer in world.at(at).offers(order)), NOTHING)
            # Vrio: an order does not say in which currency it is.
            yield Event("Abandoned Order", f"{order.id}_abandoned", total, world.currency, at, order.id)
