"""Money goes back, or a bank says that it will: refunds, voids, chargebacks, alerts and what undoes them."""

from decimal import Decimal

from sandbox.vrio.acts.life import Life
from sandbox.vrio.acts.lines import amounts
from sandbox.vrio.acts.payments import APPROVED
from sandbox.vrio.acts.subscriptions import cancel
from sandbox.vrio.charges import Dispute, LineItem, Transaction
from sandbox.vrio.words import CancelReason, Status, TransactionStatus, TransactionType

CODES = {TransactionType.CHARGEBACK: "10.4", TransactionType.ALERT: "Ethoca"}


def refund(life: Life, charge_id: int, amount: Decimal | None = None, *, declined: str = "") -> int:
    """The id of a refund of the whole charge, or of an amount of it."""
    return _credit(life, charge_id, TransactionType.REFUND, amount, declined=declined)


def refund_item(life: Life, charge_id: int, item_id: int) -> int:
    """The id of a refund of what one item cost."""
    charge = life.view.get(Transaction, charge_id)
    lines = tuple(line for line in charge.lines if line.item.item_id == item_id)
    return _credit(life, charge_id, TransactionType.REFUND, lines=lines)


def void(life: Life, charge_id: int) -> int:
    """The id of a void of a charge or of an authorization, before it was settled; the order is off."""
    voided = life.view.get(Transaction, charge_id)
    life.world.change(life.order(voided.order_id), status=Status.CANCELLED)
    return _credit(life, charge_id, TransactionType.VOID)


def dispute(life: Life, charge_id: int, type_: TransactionType) -> int:
    """
    The id of a chargeback or an alert.

    Shape:  Vrio blacklists the customer and cancels what is active of the order.
    """
    charge = life.view.get(Transaction, charge_id)
    life.world.change(life.customer, is_blacklist=True)
    life.world.change(life.order(charge.order_id), status=Status.CANCELLED)
    told = Dispute(life.now, CODES[type_], f"REF-{charge_id}", f"CASE-{charge_id}")
    disputed = _credit(life, charge_id, type_, told=told)
    for offer in life.subscriptions(charge.order_id):
        if offer.status in (Status.ACTIVE, Status.PAUSED):
            cancel(life, offer.id, CancelReason.DISPUTE)
    return disputed


def reverse(life: Life, chargeback_id: int) -> int:
    """The id of the reversal of a chargeback: the merchant won."""
    return _credit(life, chargeback_id, TransactionType.CHARGEBACK_REVERSAL)


def return_check(life: Life, charge_id: int) -> int:
    """The id of the record that a check came back."""
    return _credit(life, charge_id, TransactionType.RETURNED_CHECK)


def _credit(
    life: Life,
    charge_id: int,
    type_: TransactionType,
    amount: Decimal | None = None,
    *,
    lines: tuple[LineItem, ...] | None = None,
    declined: str = "",
    told: Dispute | None = None,
) -> int:
    charge = life.view.get(Transaction, charge_id)
    if lines is None:
        lines = charge.lines if amount is None else ()
    sums = amounts(lines)
    if amount is not None:
        sums["price"] = amount
    transaction = life.world.keep(
        Transaction(
            id=life.world.number("transaction"),
            order_id=charge.order_id,
            customer_id=charge.customer_id,
            sale_id=charge.sale_id,
            type=type_,
            status=TransactionStatus.COMPLETE,
            method=charge.method,
            currency=charge.currency,
            cycle=charge.cycle,
            attempt=charge.attempt,
            approved=not declined,
            order_offer_ids=charge.order_offer_ids,
            lines=lines,
            scheduled_at=life.now,
            created_at=life.now,
            modified_at=life.now,
            is_test=charge.is_test,
            completed_at=life.now,
            parent_id=charge.id,
            response=declined or APPROVED,
            dispute=told,
            note=f"{type_.label} of #{charge.id}",
            **sums,
        )
    )
    life.world.tell("transaction_completed", transaction)
    life.note(charge.order_id, f"{type_.label} #{transaction.id} of #{charge.id}")
    return transaction.id
