"""Money is asked for: sales, authorizations, captures, renewals, payments on delivery, and what the bank refuses."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from sandbox.vrio.acts.life import Life
from sandbox.vrio.acts.lines import amounts, charged
from sandbox.vrio.charges import NOTHING, Sale, Transaction
from sandbox.vrio.records import Order, OrderOffer
from sandbox.vrio.words import PaymentMethod, Status, TransactionStatus, TransactionType

APPROVED = "Transaction was approved"
DUNNING_PAUSE = timedelta(days=2)
AUTO_CAPTURE = timedelta(days=3)
MONEY = (TransactionType.SALE, TransactionType.CAPTURE, TransactionType.COD)


def charge(
    life: Life,
    order_id: int,
    type_: TransactionType = TransactionType.SALE,
    *,
    declined: str = "",
    method: PaymentMethod = PaymentMethod.CREDIT_CARD,
    shipping: Decimal = NOTHING,
    tax: Decimal = NOTHING,
    offers: list[OrderOffer] | None = None,
    parent_id: int | None = None,
) -> int:
    """
    The id of a transaction that asks for what is due: the whole cart at first, later the lines that are given.

    Shape:  `declined` is the bank's reason for saying no; an attempt after that one belongs to the same sale.
    """
    world, order = life.world, life.order(order_id)
    due = offers or life.view.offers(order)
    sale = _sale(life, order, due[0].cycle + 1)
    lines = charged(life, due, shipping, tax)
    scheduled = due[0].next_transaction_id
    earlier = [paid.id for paid in life.view.transactions(order) if paid.approved and paid.type in MONEY]
    transaction = world.keep(
        Transaction(
            id=scheduled or world.number("transaction"),
            order_id=order.id,
            customer_id=order.customer_id,
            sale_id=sale.id,
            type=type_,
            status=TransactionStatus.COMPLETE,
            method=method,
            currency=life.customer.currency,
            cycle=sale.cycle,
            attempt=sale.attempts + (type_ is not TransactionType.CAPTURE),
            approved=not declined,
            order_offer_ids=tuple(offer.id for offer in due),
            lines=lines,
            scheduled_at=due[0].next_charge_at or life.now,
            created_at=life.now,
            modified_at=life.now,
            is_test=order.is_test,
            completed_at=life.now,
            parent_id=parent_id,
            initial_id=earlier[0] if sale.cycle > 1 and earlier else None,
            response=declined or APPROVED,
            **amounts(lines),
        )
    )
    _settle_sale(life, sale, transaction)
    if transaction.approved:
        _settle_order(life, order, transaction)
    changed = [_settle_offer(life, offer, transaction) for offer in due]
    world.tell("transaction_completed", transaction)
    life.note(order.id, f"Transaction #{transaction.id}: {transaction.response}")
    for offer in changed:
        if offer.next_charge_at:
            world.tell("order_offer_updated", offer)
    return transaction.id


def capture(life: Life, auth_id: int) -> int:
    """The id of the transaction that takes what was authorized."""
    auth = life.view.get(Transaction, auth_id)
    shipping, tax = auth.shipping, auth.tax
    return charge(life, auth.order_id, TransactionType.CAPTURE, shipping=shipping, tax=tax, parent_id=auth_id)


def due_offers(life: Life, order_id: int) -> list[OrderOffer]:
    """The active subscriptions of an order that are charged next, together."""
    active = [offer for offer in life.subscriptions(order_id) if offer.is_active_subscription and offer.next_charge_at]
    first = min((offer.next_charge_at for offer in active if offer.next_charge_at), default=None)
    return [offer for offer in active if offer.next_charge_at == first]


def _sale(life: Life, order: Order, cycle: int) -> Sale:
    unpaid = [sale for sale in life.view.sales(order) if sale.cycle == cycle and sale.status != "Paid"]
    if unpaid:
        return unpaid[-1]
    return Sale(
        id=life.world.number("sale"),
        order_id=order.id,
        customer_id=order.customer_id,
        cycle=cycle,
        status="Pending",
        first_at=life.now,
        last_at=life.now,
        transaction_id=0,
        attempts=0,
    )


def _settle_sale(life: Life, sale: Sale, transaction: Transaction) -> None:
    if transaction.approved:
        status = "Authorized" if transaction.type is TransactionType.AUTH else "Paid"
    else:
        status = "Failed" if sale.cycle == 1 else "In Dunning"
    told = replace(sale, status=status, last_at=life.now, transaction_id=transaction.id, attempts=transaction.attempt)
    life.world.keep(told)


def _settle_order(life: Life, order: Order, transaction: Transaction) -> None:
    if transaction.type is TransactionType.AUTH:
        life.world.change(order, authorized_at=life.now, auto_capture_at=life.now + AUTO_CAPTURE)
        return
    captured_at = life.now if transaction.type is TransactionType.CAPTURE else order.captured_at
    ordered_at = order.ordered_at or life.now
    life.world.change(order, status=Status.COMPLETE, ordered_at=ordered_at, captured_at=captured_at)


def _settle_offer(life: Life, offer: OrderOffer, transaction: Transaction) -> OrderOffer:
    """The line after the attempt: a subscription goes on and is due again, anything else is complete."""
    if not transaction.approved or transaction.type not in MONEY:
        again = life.now + DUNNING_PAUSE if offer.next_charge_at else None
        # The number of a scheduled transaction is used up by its first attempt.
        return life.world.change(offer, next_charge_at=again, next_transaction_id=None)
    frame = None if offer.is_gift else offer.offer.timeframe
    price = offer.price if offer.next_price is None else offer.next_price
    offer = life.world.change(
        offer,
        status=Status.ACTIVE if frame else Status.COMPLETE,
        cycle=offer.cycle + 1,
        ordered_at=offer.ordered_at or life.now,
        last_charge_at=life.now,
        last_amount=sum((line.total for line in transaction.lines if line.order_offer_id == offer.id), NOTHING),
        price=price,
    )
    # What was free at first costs its price from then on.
    return schedule(life, offer, life.now + frame.length, price or offer.offer.price) if frame else offer


def schedule(life: Life, offer: OrderOffer, at: datetime, price: Decimal) -> OrderOffer:
    """The next charge of a subscription is due then."""
    number = life.world.number("transaction")
    return life.world.change(offer, next_charge_at=at, next_price=price, next_transaction_id=number)
