"""What a customer has paid, all in all: exact, and the same in any order."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from vrio_klaviyo.vrio.lifetime_value import lifetime_value
from vrio_klaviyo.vrio.records import Order, Transaction, TransactionKind

PAID = Transaction(transaction_id="1668", kind="sale", approved=True, total=Decimal("100.10"))


def of(kind: TransactionKind, **said: Any) -> Transaction:
    told = {"transaction_id": "1669", "approved": True, "total": Decimal("30.05"), "parent_id": "1668"}
    return Transaction(kind=kind, **told | said)


@pytest.mark.requirement("003-21")
@pytest.mark.parametrize(
    ("other", "value"),
    [
        (of("sale"), "130.15"),
        (of("capture"), "130.15"),
        (of("cod"), "130.15"),
        (of("refund"), "70.05"),
        (of("void"), "70.05"),
        (of("chargeback"), "70.05"),
        (of("alert"), "100.10"),
        (of("auth"), "100.10"),
        (of("chargeback reversal"), "100.10"),
        (of("sale", approved=False), "100.10"),
        (of("sale", approved=None), "100.10"),
        (of("refund", approved=False), "100.10"),
        # The bank is asked for payments; what it took back by itself may have no answer of it.
        (of("refund", approved=None), "70.05"),
        (of("chargeback", approved=None), "70.05"),
        (of("sale", total=None), "100.10"),
        (of("sale", currency="EUR"), "100.10"),
        (of("sale", currency="USD"), "130.15"),
        (of("sale", order=Order(is_test=True)), "100.10"),
        # The same one, told twice.
        (PAID, "100.10"),
    ],
)
def test_what_counts(other: Transaction, value: str) -> None:
    for order in permutations((PAID, other)):
        assert lifetime_value(order, "USD") == Decimal(value)


@pytest.mark.requirement("003-40")
def test_a_void_of_an_authorization_takes_nothing_back() -> None:
    auth, void = of("auth", transaction_id="1700", parent_id=""), of("void", parent_id="1700")

    for order in permutations((PAID, auth, void)):
        assert lifetime_value(order, "USD") == Decimal("100.10")
