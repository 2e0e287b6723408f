"""What becomes of a subscription between two charges."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.vrio.acts.life import Life
from sandbox.vrio.acts.lines import amounts, charged
from sandbox.vrio.acts.payments import schedule
from sandbox.vrio.charges import Transaction
from sandbox.vrio.records import Change, OrderOffer
from sandbox.vrio.words import CancelReason, PaymentMethod, Status, TransactionStatus, TransactionType

# What is not charged any more.
NOT_DUE: Mapping[str, Any] = {"next_charge_at": None, "next_transaction_id": None}


def pause(life: Life, offer_id: int, until: datetime | None = None) -> None:
    """No charges, for now or until then."""
    offer = life.offer(offer_id)
    offer = life.world.change(offer, status=Status.PAUSED, paused_at=life.now, unpause_at=until, **NOT_DUE)
    _changed(life, offer, "paused")


def unpause(life: Life, offer_id: int) -> None:
    """Charges go on, the next one in one interval."""
    offer = life.world.change(life.offer(offer_id), status=Status.ACTIVE, unpause_at=life.now)
    _changed(life, _due_again(life, offer), "unpaused")


def cancel(life: Life, offer_id: int, reason: CancelReason) -> None:
    """Vrio tells of it twice."""
    offer = life.world.change(
        life.offer(offer_id), status=Status.CANCELLED, cancelled_at=life.now, cancel_reason=reason, **NOT_DUE
    )
    life.world.tell("order_offer_cancelled", offer)
    _changed(life, offer, "cancelled")


def reactivate(life: Life, offer_id: int) -> None:
    """What was cancelled goes on, the next charge comes in one interval."""
    offer = life.world.change(life.offer(offer_id), status=Status.ACTIVE, reactivated_at=life.now, cancel_reason=None)
    _changed(life, _due_again(life, offer), "reactivated")


def expire(life: Life, offer_id: int) -> None:
    """It was meant to last so long and no longer."""
    offer = life.offer(offer_id)
    offer = life.world.change(offer, status=Status.EXPIRED, expires_at=life.now, **NOT_DUE)
    life.world.tell("order_offer_updated", offer)
    life.note(offer.order_id, f"Order offer #{offer.id} expired")


def change_terms(life: Life, offer_id: int, *, quantity: int, price: Decimal) -> None:
    """Another quantity at another price, from the next charge on."""
    offer = life.world.change(life.offer(offer_id), quantity=quantity, price=price, next_price=price)
    life.world.tell("order_offer_updated", offer)


def start_later(life: Life, order_id: int, at: datetime) -> None:
    """The subscriptions of an order begin now and are charged for the first time then."""
    for offer in life.subscriptions(order_id):
        offer = life.world.change(offer, status=Status.ACTIVE, ordered_at=life.now)
        life.world.tell("order_offer_updated", schedule(life, offer, at, offer.price))
    life.world.change(life.order(order_id), status=Status.ACTIVE, ordered_at=life.now)
    life.note(order_id, "First charge scheduled")


def skip(life: Life, offer_id: int) -> int:
    """The id of the next charge, which is left out."""
    offer = life.offer(offer_id)
    left_out = life.world.keep(_scheduled(life, offer))
    life.world.tell("transaction_skipped", left_out)
    due, frame = offer.next_charge_at, offer.offer.timeframe
    if due and frame:
        life.world.tell(
            "order_offer_updated", schedule(life, offer, due + frame.length, offer.next_price or offer.price)
        )
    return left_out.id


def unskip(life: Life, offer_id: int, left_out_id: int) -> None:
    """The charge that was left out takes place after all."""
    left_out = life.view.get(Transaction, left_out_id)
    back = life.world.change(left_out, status=TransactionStatus.SCHEDULED, skipped_at=None)
    life.world.tell("transaction_unskipped", back)
    offer = life.world.change(life.offer(offer_id), next_charge_at=back.scheduled_at, next_transaction_id=left_out_id)
    life.world.tell("order_offer_updated", offer)


def _scheduled(life: Life, offer: OrderOffer) -> Transaction:
    lines = charged(life, [offer])
    return Transaction(
        id=offer.next_transaction_id or life.world.number("transaction"),
        order_id=offer.order_id,
        customer_id=offer.customer_id,
        sale_id=life.world.number("sale"),
        type=TransactionType.SALE,
        status=TransactionStatus.SKIPPED,
        method=PaymentMethod.CREDIT_CARD,
        currency=life.customer.currency,
        cycle=offer.cycle + 1,
        attempt=1,
        approved=None,
        order_offer_ids=(offer.id,),
        lines=lines,
        scheduled_at=offer.next_charge_at or life.now,
        created_at=life.now,
        modified_at=life.now,
        is_test=offer.is_test,
        skipped_at=life.now,
        **amounts(lines),
    )


def _due_again(life: Life, offer: OrderOffer) -> OrderOffer:
    frame = offer.offer.timeframe
    if frame is None:
        return offer
    return schedule(life, offer, life.now + frame.length, offer.next_price or offer.price)


def _changed(life: Life, offer: OrderOffer, kind: str) -> None:
    life.world.changes.append(Change(offer.customer_id, offer.id, kind, life.now))
    life.world.tell("order_offer_updated", offer)
    life.note(offer.order_id, f"Order offer #{offer.id} {kind}")
