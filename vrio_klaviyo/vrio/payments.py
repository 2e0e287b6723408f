"""What a customer's payments say of one another: what came before a credit, and what paid for an order or a line."""

from collections.abc import Iterable
from datetime import UTC, datetime

from vrio_klaviyo.vrio.lifetime_value import PAID
from vrio_klaviyo.vrio.records import OrderOffer, Transaction

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


def credits_before(other: Transaction, own: Transaction) -> bool:
    """Whether another credit took something from the same charge before this one did."""
    same = bool(own.parent_id) and other.parent_id == own.parent_id and other.transaction_id != own.transaction_id
    if not (same and other.approved and other.kind in ("refund", "void")):
        return False
    return (other.completed_at or LONG_AGO, other.transaction_id) < (own.completed_at or LONG_AGO, own.transaction_id)


def first_paid_at(order_id: str, transactions: Iterable[Transaction]) -> datetime | None:
    """When an order was paid for first; None when it was not."""
    paid = (
        transaction.completed_at
        for transaction in transactions
        if transaction.order.order_id == order_id and transaction.approved and transaction.kind in PAID
    )
    return min(filter(None, paid), default=None)


def latest_payment(offer: OrderOffer, at: datetime, transactions: Iterable[Transaction]) -> Transaction | None:
    """The last approved payment for this line before it changed."""
    paid = [
        transaction
        for transaction in transactions
        if transaction.approved
        and transaction.kind in PAID
        and transaction.completed_at
        and transaction.completed_at <= at
        and any(line.order_offer_id == offer.order_offer_id for line in transaction.offers)
    ]
    return max(paid, key=lambda one: (one.completed_at or LONG_AGO, one.transaction_id), default=None)
