"""
Completing: what a webhook leaves out, from what we remember.

Vrio's webhooks carry no items, no lifetime value and, but for transactions, hardly a customer. What the memory does
not know either gets a stated default in the end. Looking things up over the network is done before; nothing here waits.

Source: requirements 003-C, 003-21, 003-22 and 003-24.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from vrio_klaviyo.recollection import Recollection
from vrio_klaviyo.vrio.changes import change_of
from vrio_klaviyo.vrio.completing import SourceDefaults
from vrio_klaviyo.vrio.lifetime_value import PAID, lifetime_value
from vrio_klaviyo.vrio.records import (
    Customer,
    LineItem,
    Order,
    OrderOffer,
    Record,
    Shipment,
    SubscriptionChange,
    Transaction,
)

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Completed:
    """
    A record with what we remember, before the stated defaults.

    Shape:  waits_for names the thing without which nothing can be told yet: its kind and id; "" when nothing is
            missing. counted is for what counts among its like: the thing, and what it is counted among. customer and
            order are given for what says by itself only whose it is.
    """

    record: Record
    customer: Customer | None = None
    order: Order | None = None
    waits_for: str = ""
    counted: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Completer:
    """
    Puts what a webhook says together with what is known beside it.

    Shape:  told_at is the date of the webhook, now when it came: what lies ahead is judged by that.
    """

    known: Recollection
    defaults: SourceDefaults
    told_at: datetime
    now: datetime

    def completed(self, event: str, told: Record, before: OrderOffer | None) -> Completed:
        """
        The record as it is known by now.

        Shape:  before is what was remembered of an order offer when its webhook came, None when that was nothing or
                newer.
        """
        match told:
            case Transaction():
                return Completed(self._transaction(told))
            case Order():
                return Completed(self._order(told))
            case Shipment():
                return self._shipment(told)
            case OrderOffer():
                return self._change(event, told, before)
            case Customer():
                return Completed(self._customer(told))
            case SubscriptionChange():
                return Completed(told)

    def _transaction(self, told: Transaction) -> Transaction:
        own = self.known.transaction(told.transaction_id) or told
        customer = self._customer(told.customer)
        earlier = [other for other in self.known.transactions_of(customer.customer_id) if _credits_before(other, own)]
        return replace(
            own,
            order=self._latest_tracking(own.order if own.order.order_id else told.order, customer),
            customer=customer,
            parent=self.known.transaction(own.parent_id),
            already_credited=sum((other.total or Decimal(0) for other in earlier), Decimal(0)),
        )

    def _order(self, told: Order) -> Order:
        own = self.known.order(told.order_id)
        offers = tuple(self.known.offer(offer.order_offer_id) or offer for offer in told.offers)
        customer = self._customer(told.customer or Customer(customer_id=told.customer_id or own.customer_id))
        paid_at = _first_paid_at(told.order_id, self.known.transactions_of(customer.customer_id))
        ordered_at = min(filter(None, (own.ordered_at, paid_at)), default=None)
        order = replace(own, offers=offers, customer=customer, ordered_at=ordered_at)
        return self._latest_tracking(order, customer)

    def _shipment(self, told: Shipment) -> Completed:
        paid_by = self.known.transaction(told.transaction_id)
        order = paid_by.order if paid_by else self.known.order(told.order_id)
        customer_id = told.customer_id or order.customer_id or (paid_by.customer.customer_id if paid_by else "")
        customer = self._customer(Customer(customer_id=customer_id))
        missing = ""
        if told.transaction_id and paid_by is None:
            missing = f"transaction/{told.transaction_id}"
        elif not _is_known(customer):
            missing = f"customer/{customer_id}"
        order = self._latest_tracking(order, customer)
        shipment = replace(told, transaction=paid_by, order=order, customer=customer)
        counted = (f"parcel/{told.shipment_id}", f"parcel of {told.transaction_id or told.order_id}")
        return Completed(shipment, waits_for=missing, counted=counted)

    def _change(self, event: str, told: OrderOffer, before: OrderOffer | None) -> Completed:
        change = change_of(event, told, self.told_at, before)
        own = self.known.offer(told.order_offer_id) or told
        order = self.known.order(own.order_id)
        customer = self._customer(Customer(customer_id=own.customer_id or order.customer_id))
        if change is None:
            return Completed(told, customer, self._latest_tracking(order, customer))
        payment = _latest_payment(own, change.at, self.known.transactions_of(customer.customer_id))
        record = SubscriptionChange(
            kind=change.kind,
            offer=own,
            at=change.at,
            previous_status=change.previous_status,
            customer=customer,
            order=self._latest_tracking(order, customer),
            transaction=payment and self.known.with_context(payment),
            lines=_lines_of(own, payment),
        )
        thing = f"{change.kind}/{own.order_offer_id}/{change.at.isoformat(timespec='seconds')}"
        since = payment.transaction_id if payment else f"order {own.order_id}"
        counted = (thing, f"{change.kind}/{own.order_offer_id} since {since}")
        missing = "" if _is_known(customer) else f"customer/{customer.customer_id}"
        return Completed(record, waits_for=missing, counted=counted)

    def _customer(self, told: Customer) -> Customer:
        """The customer as all that we know shows them: what they paid, whether they subscribe, when they pay next."""
        if not told.customer_id:
            return told
        tests = {order.order_id for order in self.known.orders_of(told.customer_id) if order.is_test}
        subscribed = (offer for offer in self.known.offers_of(told.customer_id) if offer.is_recurring)
        offers = [offer for offer in subscribed if not offer.is_gift and offer.order_id not in tests]
        active = [offer for offer in offers if offer.status == "active"]
        ahead = [offer.next_charge_at for offer in active if offer.next_charge_at and offer.next_charge_at >= self.now]
        found = self.known.customer(told.customer_id)
        return replace(
            found,
            active_subscriber=bool(active) if offers else found.active_subscriber,
            clv=lifetime_value(self.known.transactions_of(told.customer_id), self.defaults.currency),
            next_charge_on=self.defaults.day_of(min(ahead)) if ahead else None,
            had_next_charge=any(offer.next_charge_at for offer in offers),
        )

    def _latest_tracking(self, order: Order, customer: Customer) -> Order:
        """The order with the tracking fields of the customer's latest one, which are those that the profile shows."""
        orders = [one for one in self.known.orders_of(customer.customer_id) if not one.is_test]
        # Vrio: ids ascend.
        latest = max(orders, key=lambda one: (len(one.order_id), one.order_id), default=order)
        return replace(order, tracking=latest.tracking)


def _credits_before(other: Transaction, own: Transaction) -> bool:
    """Whether another credit took something from the same charge before this one did."""
    same = bool(own.parent_id) and other.parent_id == own.parent_id and other.transaction_id != own.transaction_id
    if not (same and other.approved and other.kind in ("refund", "void")):
        return False
    return (other.completed_at or LONG_AGO, other.transaction_id) < (own.completed_at or LONG_AGO, own.transaction_id)


def _first_paid_at(order_id: str, transactions: list[Transaction]) -> datetime | None:
    paid = (
        transaction.completed_at
        for transaction in transactions
        if transaction.order.order_id == order_id and transaction.approved and transaction.kind in PAID
    )
    return min(filter(None, paid), default=None)


def _is_known(customer: Customer) -> bool:
    return bool(customer.email or customer.first_name or customer.modified_at)


def _latest_payment(offer: OrderOffer, at: datetime, transactions: list[Transaction]) -> Transaction | None:
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


def _lines_of(offer: OrderOffer, payment: Transaction | None) -> tuple[LineItem, ...]:
    lines = payment.line_items if payment else ()
    return tuple(line for line in lines if line.order_offer_id == offer.order_offer_id)
