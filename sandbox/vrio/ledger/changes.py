"""The events of subscriptions that change: those of the published page, and those beyond it."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from sandbox.vrio.charges import Transaction
from sandbox.vrio.ledger.event import Event
from sandbox.vrio.ledger.ids import subscription_ids
from sandbox.vrio.records import Change, Customer, OrderOffer
from sandbox.vrio.words import Status, TransactionType
from sandbox.vrio.world import World

PLACED = {TransactionType.SALE, TransactionType.CAPTURE}
TRIED = PLACED | {TransactionType.AUTH}

CHANGES = {
    "cancelled": "Cancelled Subscription",
    "paused": "Paused Subscription",
    "unpaused": "Unpaused Subscription",
    "reactivated": "Reactivated Subscription",
    # Beyond the page; the story does these without calling them changes.
    "expired": "Expired Subscription",
    "moved": "Next Charge Date Changed",
}
ENDS = {"cancelled", "expired"}
EXPIRED = {Status.EXPIRED, Status.COMPLETE}


def of_changes(world: World, customer: Customer, known: list[Transaction], with_rest: bool) -> Iterator[Event]:
    """Each change, and what follows from an end: that it was the last, that it was for want of money."""
    seen: Counter[tuple[str, str]] = Counter()
    for change in sorted(_changes(world, customer), key=lambda one: one.at):
        offer = world.at(change.at).get(OrderOffer, change.order_offer_id)
        if offer.is_test or change.at < world.opened_at:
            continue
        paid = _last_payment(change, known)
        unique_id = f"order{offer.order_id}_{offer.offer.offer_id}_sub"
        if paid:
            unique_id = subscription_ids(paid, with_rest)[offer.id]
        seen[change.kind, unique_id] += 1
        nth = seen[change.kind, unique_id]
        currency = paid.currency if paid else world.currency
        told = unique_id if nth == 1 else f"{unique_id}_{nth}"
        refused = _refused(change, known) if change.kind in ENDS else None
        also = offer.order_id, paid, refused
        yield Event(CHANGES[change.kind], told, offer.amount, currency, change.at, *also)
        if change.kind == "cancelled" and _was_last(world, change):
            yield Event("Cancelled Last Subscription", told, offer.amount, currency, change.at, *also)
        if refused:
            failed = f"{offer.id}_cycle{refused.cycle}_failed"
            yield Event("Final Payment Failure", failed, offer.amount, currency, change.at, *also)


def subscriptions(world: World, customer: Customer) -> list[OrderOffer]:
    """All that a customer ever subscribed to, as it is in the end: no gifts and no tests."""
    offers = world.at(world.ends_at).all(OrderOffer, customer.id)
    return [offer for offer in offers if offer.is_recurring and not offer.is_gift and not offer.is_test]


def last_payment(order_offer_id: int, at: datetime, known: list[Transaction]) -> Transaction | None:
    """The last approved payment for a line until then."""
    return _last_payment(Change(0, order_offer_id, "", at), known)


def _changes(world: World, customer: Customer) -> Iterator[Change]:
    yield from (change for change in world.changes if change.customer_id == customer.id)
    for offer in subscriptions(world, customer):
        for (was_at, was), (at, became) in pairwise(world.history(OrderOffer, offer.id)):
            if became.status in EXPIRED and was.status not in EXPIRED:
                yield Change(customer.id, offer.id, "expired", at)
            # What was told before the month is not known, so nobody can tell that it was moved.
            if _was_moved(was, became, at) and was_at >= world.opened_at:
                yield Change(customer.id, offer.id, "moved", at)


def _was_moved(was: OrderOffer, became: OrderOffer, at: datetime) -> bool:
    """To another day, both days still to come, of a subscription that went on, and without a charge."""
    if not (was.status is became.status is Status.ACTIVE and was.next_charge_at and became.next_charge_at):
        return False
    ahead = min(was.next_charge_at, became.next_charge_at) > at
    return (
        ahead
        and was.next_charge_at.date() != became.next_charge_at.date()
        and was.last_charge_at == became.last_charge_at
    )


def _was_last(world: World, change: Change) -> bool:
    """Whether nothing active is left; of two that end together it is the one with the higher number."""
    customer = world.at(change.at).get(Customer, change.customer_id)
    numbers = {offer.id for offer in subscriptions(world, customer)}
    offers = [offer for offer in world.at(change.at).all(OrderOffer, customer.id) if offer.id in numbers]
    together = [offer.id for offer in offers if offer.cancelled_at == change.at]
    return not any(offer.is_active_subscription for offer in offers) and max(together) == change.order_offer_id


def _refused(change: Change, known: list[Transaction]) -> Transaction | None:
    """The last attempt at the subscription before it ended, when the bank refused that one."""
    tried = [
        (one.completed_at, one.id, one)
        for one in known
        if one.type in TRIED and (not one.approved or one.type in PLACED) and one.completed_at
    ]
    mine = [one for one in tried if change.order_offer_id in one[2].order_offer_ids and one[0] <= change.at]
    last = max(mine)[2] if mine else None
    return last if last and not last.approved else None


def _last_payment(change: Change, known: list[Transaction]) -> Transaction | None:
    paid = (
        one for one in known if one.approved and one.type in PLACED and change.order_offer_id in one.order_offer_ids
    )
    earlier = [(one.completed_at, one.id, one) for one in paid if one.completed_at and one.completed_at <= change.at]
    return max(earlier)[2] if earlier else None
