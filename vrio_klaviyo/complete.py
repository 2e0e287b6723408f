"""
Completing: what a webhook leaves out, from what we remember.

Vrio's webhooks carry no items, no lifetime value and, but for transactions, hardly a customer. What the memory does
not know either gets a stated default in the end. Looking things up over the network is done before; nothing here waits.

Source: requirements 003-C, 003-21, 003-22 and 003-24.
"""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from vrio_klaviyo.recollection import Recollection
from vrio_klaviyo.vrio import dunning, keeping
from vrio_klaviyo.vrio.changes import UPCOMING, Change, change_of, ended_as, ended_at
from vrio_klaviyo.vrio.completing import SourceDefaults
from vrio_klaviyo.vrio.payments import LONG_AGO, credits_before, first_paid_at, latest_payment, paid_before
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
from vrio_klaviyo.vrio.routes import ROUTES, ROUTES_BEYOND

# Beyond the published page, and told of more than what the webhook itself is about.
RECOVERED = "Payment Recovered"
FAILED = "Final Payment Failure"
LAST = "Cancelled Last Subscription"

# The kinds of change after which a subscription is not charged any more.
ENDED = ("cancelled", "expired", "failed")


@dataclass(frozen=True, slots=True)
class Completed:
    """
    A record with what we remember, before the stated defaults.

    Shape:  waits_for names the thing without which nothing can be told yet: its kind and id; "" when nothing is
            missing. counted is for what counts among its like: the thing, and what it is counted among. customer and
            order are given for what says by itself only whose it is. again is told before, and is to be told once more
            by its metric, because the record puts it in another light.
    """

    record: Record
    customer: Customer | None = None
    order: Order | None = None
    waits_for: str = ""
    counted: tuple[str, str] | None = None
    again: tuple[tuple[str, "Completed"], ...] = ()


@dataclass(frozen=True, slots=True)
class Completer:
    """
    Puts what a webhook says together with what is known beside it.

    Shape:  told_at is the date of the webhook, now when it came: what lies ahead is judged by that. beyond are the
            metrics beyond the published page that somebody wants; nothing is looked for that only the others need.
    """

    known: Recollection
    defaults: SourceDefaults
    told_at: datetime
    now: datetime
    beyond: Set[str] = frozenset()

    def completed(self, event: str, told: Record, before: OrderOffer | None) -> Completed:
        """
        The record as it is known by now.

        Shape:  before is what was remembered of an order offer when its webhook came, None when that was nothing or
                newer.
        """
        match told:
            case Transaction():
                own = self._transaction(told)
                return Completed(own, again=tuple(self._in_another_light(own)))
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
        others = self.known.transactions_naming(customer.customer_id, [own.parent_id])
        earlier = [other for other in others if credits_before(other, own)]
        offers = self.known.offers_of(customer.customer_id) if dunning.refused(own) else []
        return replace(
            own,
            order=self._latest_tracking(own.order if own.order.order_id else told.order, customer),
            customer=customer,
            parent=self.known.transaction(own.parent_id),
            already_credited=sum((other.total or Decimal(0) for other in earlier), Decimal(0)),
            declined_before=dunning.made_good(own, self._attempts(own, customer) if RECOVERED in self.beyond else ()),
            paid_before=0 if own.cycle else paid_before(own, self._for_lines_of([own], customer)),
            changed_at=told.skipped_at or told.modified_at,
            next_attempt_at=dunning.next_attempt(own, offers),
        )

    def _for_lines_of(self, paid: Iterable[Transaction], customer: Customer) -> list[Transaction]:
        """A customer's transactions for any line of these."""
        lines = {line.order_offer_id for one in paid for line in one.offers}
        return self.known.transactions_naming(customer.customer_id, lines)

    def _attempts(self, payment: Transaction, customer: Customer) -> list[Transaction]:
        """The attempts at the lines of a payment, and at all that these were for: either may have been made good."""
        return self._for_lines_of(self._for_lines_of([payment], customer), customer)

    def _in_another_light(self, attempt: Transaction) -> Iterator[tuple[str, Completed]]:
        """What a refusal that is told late turns out to have come before: a payment that made it good, or the end."""
        if not dunning.refused(attempt):
            return
        attempts = self._for_lines_of([attempt], attempt.customer) if RECOVERED in self.beyond else []
        if sale := dunning.recovery(attempt, attempts):
            yield RECOVERED, Completed(self._transaction(sale))
        if FAILED in self.beyond:
            for line in attempt.offers:
                offer = self.known.offer(line.order_offer_id)
                if offer and (kind := ended_as(offer)):
                    yield FAILED, self._changed(offer, Change(kind, ended_at(offer, self.told_at), ""))

    def _order(self, told: Order) -> Order:
        own = self.known.order(told.order_id)
        offers = tuple(self.known.offer(offer.order_offer_id) or offer for offer in told.offers)
        customer = self._customer(told.customer or Customer(customer_id=told.customer_id or own.customer_id))
        paid_at = first_paid_at(told.order_id, self.known.transactions_naming(customer.customer_id, [told.order_id]))
        ordered_at = min(filter(None, (own.ordered_at, paid_at)), default=None)
        order = replace(own, offers=offers, customer=customer, ordered_at=ordered_at)
        return self._latest_tracking(order, customer)

    def _shipment(self, told: Shipment) -> Completed:
        paid_by = self.known.transaction(told.transaction_id)
        order = paid_by.order if paid_by else self.known.order(told.order_id)
        customer_id = told.customer_id or order.customer_id or (paid_by.customer.customer_id if paid_by else "")
        customer = self._customer(Customer(customer_id=customer_id))
        missing = _missing(customer, told.order_id)
        if told.transaction_id and paid_by is None:
            missing = f"transaction/{told.transaction_id}"
        order = self._latest_tracking(order, customer)
        shipment = replace(told, transaction=paid_by, order=order, customer=customer)
        counted = (f"parcel/{told.shipment_id}", f"parcel of {told.transaction_id or f'order {told.order_id}'}")
        return Completed(shipment, waits_for=missing, counted=counted)

    def _change(self, event: str, told: OrderOffer, before: OrderOffer | None) -> Completed:
        own = self.known.offer(told.order_offer_id) or told
        change = self._told_change(event, told, own, before)
        if change is not None:
            # An end of a pause and a reason that were told before belong to an earlier change.
            mine = {name: getattr(told, name) for name in ("unpause_at", "cancel_reason", "cancel_type_id")}
            return self._changed(replace(keeping.over(told, own), **mine), change)
        order = self.known.order(own.order_id)
        customer = self._customer(Customer(customer_id=own.customer_id or order.customer_id))
        campaign = told.campaign_id or own.campaign_id or order.campaign_id
        return Completed(replace(told, campaign_id=campaign), customer, self._latest_tracking(order, customer))

    def _told_change(self, event: str, told: OrderOffer, own: OrderOffer, before: OrderOffer | None) -> Change | None:
        # The clock tells of what was remembered; nothing can have come before that.
        change = change_of(event, told, self.told_at, own if event == UPCOMING else before)
        if change is None or f"subscription_{change.kind}" in ROUTES:
            return change
        wanted = not self.beyond.isdisjoint(ROUTES_BEYOND[f"subscription_{change.kind}"])
        return change if wanted and own.is_recurring and not own.is_gift else None

    def _changed(self, own: OrderOffer, change: Change) -> Completed:
        order = self.known.order(own.order_id)
        customer = self._customer(Customer(customer_id=own.customer_id or order.customer_id))
        transactions = self.known.transactions_naming(customer.customer_id, [own.order_offer_id])
        payment = latest_payment(own, change.at, transactions)
        record = SubscriptionChange(
            kind=change.kind,
            offer=own,
            at=change.at,
            previous_status=change.previous_status,
            previous_charge_at=change.previous_charge_at,
            unpaid=dunning.unpaid(own.order_offer_id, change.at, transactions) if change.kind in ENDED else None,
            customer=customer,
            order=self._latest_tracking(order, customer),
            transaction=payment and self.known.with_context(payment),
            lines=_lines_of(own, payment),
        )
        # A charge that is near is told of once a day at most, and counted by nothing else.
        counted = None if change.kind == "upcoming" else _counted(own, change, payment)
        told = Completed(record, waits_for=_missing(customer, own.order_id), counted=counted)
        if LAST not in self.beyond or change.kind != "cancelled":
            return told
        last = self._last_of(own, customer)
        if last is not own:
            return replace(told, again=((LAST, self._changed(last, _cancellation(last))),) if last else ())
        return replace(told, record=replace(record, is_last=True))

    def _last_of(self, told: OrderOffer, customer: Customer) -> OrderOffer | None:
        """
        The subscription whose cancellation left the customer without any active one; None when one is active.

        Shape:  of several it is the one with the latest date, whichever is told last.
        """
        offers = self.known.subscriptions_of(customer.customer_id)
        if any(offer.status == "active" for offer in offers):
            return None
        others = [one for one in offers if one.order_offer_id != told.order_offer_id and one.status == "cancelled"]
        # Vrio: ids ascend.
        return max(
            (told, *others), key=lambda one: (one.cancelled_at or LONG_AGO, len(one.order_offer_id), one.order_offer_id)
        )

    def _customer(self, told: Customer) -> Customer:
        """The customer as all that we know shows them: what they paid, whether they subscribe, when they pay next."""
        if not told.customer_id:
            return told
        offers = self.known.subscriptions_of(told.customer_id)
        active = [offer for offer in offers if offer.status == "active"]
        ahead = [offer.next_charge_at for offer in active if offer.next_charge_at and offer.next_charge_at >= self.now]
        found = self.known.customer(told.customer_id)
        return replace(
            found,
            active_subscriber=bool(active) if offers else found.active_subscriber,
            clv=self.known.lifetime_value_of(told.customer_id, self.defaults.currency),
            next_charge_on=self.defaults.day_of(min(ahead)) if ahead else None,
            had_next_charge=any(offer.next_charge_at for offer in offers),
        )

    def _latest_tracking(self, order: Order, customer: Customer) -> Order:
        """The order with the tracking fields of the customer's latest one, which are those that the profile shows."""
        latest = self.known.latest_order_of(customer.customer_id) or order
        return replace(order, tracking=latest.tracking)


def _cancellation(offer: OrderOffer) -> Change:
    """The cancellation that a remembered subscription is known to have had."""
    return Change("cancelled", ended_at(offer, LONG_AGO), "")


def _counted(offer: OrderOffer, change: Change, payment: Transaction | None) -> tuple[str, str]:
    """A change, and its like since the latest payment; without one, two subscriptions to one offer have one id."""
    series = f"{offer.order_offer_id} since {payment.transaction_id}" if payment else ""
    series = series or f"{offer.offer_id or offer.order_offer_id} since order {offer.order_id}"
    thing = f"{change.kind}/{offer.order_offer_id}/{change.at.isoformat(timespec='seconds')}"
    return thing, f"{change.kind}/{series}"


def _missing(customer: Customer, order_id: str) -> str:
    """What would tell who it is about: the customer, else the order; "" when that is known, or nothing would."""
    if customer.email or customer.first_name or customer.modified_at:
        return ""
    if customer.customer_id:
        return f"customer/{customer.customer_id}"
    return f"order/{order_id}" if order_id else ""


def _lines_of(offer: OrderOffer, payment: Transaction | None) -> tuple[LineItem, ...]:
    lines = payment.line_items if payment else ()
    # Of another offer, it is what the subscription was before it was moved to this one.
    same = ("", offer.offer_id)
    return tuple(line for line in lines if line.order_offer_id == offer.order_offer_id and line.offer_id in same)
