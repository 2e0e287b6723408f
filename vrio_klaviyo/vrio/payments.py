"""What a customer's payments say of one another: what came before a credit, and what paid for an order or a line."""

from collections.abc import Iterable
from datetime import UTC, datetime

from vrio_klaviyo.vrio.lifetime_value import PAID
from vrio_klaviyo.vrio.records import OrderOffer, Transaction

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


def credits_before(other: Transaction, own: Transaction) -> bool:
    """Whether another credit took something from the same charge before this one did."""
    same = bool(own.parent_id) and other.parent_id == own.parent_id and other.transaction_id != own.transaction_id
    if not same or other.approved is False or other.kind not in ("refund", "void"):
        return False
    return _order(other) < _order(own)


def first_paid_at(order_id: str, transactions: Iterable[Transaction]) -> datetime | None:
    """When an order was paid for first; None when it was not."""
    paid = (
        transaction.completed_at
        for transaction in transactions
        if transaction.order.order_id == order_id and transaction.approved and transaction.kind in PAID
    )
    return min(filter(None, paid), default=None)


def paid_before(payment: Transaction, transactions: Iterable[Transaction]) -> int:
    """How many approved payments for the same lines came before this one."""
    mine = {line.order_offer_id for line in payment.offers} - {""}
    return sum(
        one.transaction_id != payment.transaction_id
        and bool(one.approved)
        and one.kind in PAID
        and not mine.isdisjoint(line.order_offer_id for line in one.offers)
        and _order(one) < _order(payment)
        for one in transactions
    )


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
    return max(paid, key=_order, default=None)


def _order(one: Transaction) -> tuple[datetime, int, str]:
    """Vrio: ids ascend."""
    return one.completed_at or LONG_AGO, len(one.transaction_id), one.transaction_id
