"""
What a customer has paid, all in all.

Source: requirement 003-21. Vrio has no such figure; it is summed up from the transactions that we know of.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from vrio_klaviyo.vrio.records import Transaction, TransactionKind

PAID = {"sale", "capture", "cod"}
GIVEN_BACK = {"refund", "void", "chargeback"}


@dataclass(frozen=True, kw_only=True, slots=True)
class PaidOrder:
    """What of a transaction's order counts."""

    order_id: str = ""
    is_test: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Movement:
    """A transaction without all that does not count here: somebody may have made very many."""

    transaction_id: str
    kind: TransactionKind | None = None
    approved: bool | None = None
    order: PaidOrder = field(default_factory=PaidOrder)
    currency: str = ""
    total: Decimal | None = None
    parent_id: str = ""


def lifetime_value(transactions: Iterable[Transaction | Movement], currency: str) -> Decimal:
    """
    Payments less what was given back; the same whichever order the transactions come in.

    Shape:  approved payments only, and what was given back unless it was refused: what a bank takes back by itself may
            have no answer of it. Test orders and other currencies are left out. Voiding an authorization moves no
            money; a void whose original we do not know is taken for one of a payment.
    Units:  major units of the currency.
    """
    counted = {transaction.transaction_id: transaction for transaction in transactions}
    return sum((_moved(transaction, counted, currency) for transaction in counted.values()), Decimal(0))


def _moved(transaction: Transaction | Movement, known: Mapping[str, Transaction | Movement], currency: str) -> Decimal:
    foreign = bool(transaction.currency) and transaction.currency != currency
    if transaction.total is None or transaction.order.is_test or foreign:
        return Decimal(0)
    if transaction.kind in PAID and transaction.approved:
        return transaction.total
    if transaction.kind in GIVEN_BACK and transaction.approved is not False:
        parent = known.get(transaction.parent_id)
        void_of_auth = transaction.kind == "void" and parent is not None and parent.kind == "auth"
        return Decimal(0) if void_of_auth else -transaction.total
    return Decimal(0)
