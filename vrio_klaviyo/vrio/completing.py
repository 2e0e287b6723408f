"""
The last step of completing: what neither the webhook nor any other place said gets a stated default.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from decimal import Decimal

from vrio_klaviyo.klaviyo.phone import e164
from vrio_klaviyo.vrio import event_ids
from vrio_klaviyo.vrio.credits import CREDITS, credited, leaves_some, like_its_charge
from vrio_klaviyo.vrio.lines import bought, counted, of_offer, packed
from vrio_klaviyo.vrio.records import (
    Address,
    Customer,
    LineItem,
    Order,
    OrderOffer,
    Record,
    Shipment,
    SubscriptionChange,
    Transaction,
)

NO_PRODUCTS = "No products are listed."
NO_ITEMS = "No items are listed: each offer stands for its item, without item id and SKU."
NO_INTERVAL = "How often a subscription is charged is not understood: its interval is left empty."


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceDefaults:
    """What a source says about all that comes from it; country is two letters, currency an ISO 4217 code."""

    zone: tzinfo
    country: str = "US"
    currency: str = "USD"

    def day_of(self, moment: datetime) -> date:
        """The day on the source's calendar."""
        return moment.astimezone(self.zone).date()

    def maybe_day_of(self, moment: datetime | None) -> date | None:
        """The same; None for none."""
        return moment and self.day_of(moment)


def with_defaults(record: Record, source: SourceDefaults, as_of: datetime) -> tuple[Record, tuple[str, ...]]:
    """
    The record with all that a builder needs, and a sentence for staff on each default worth knowing.

    Shape:  an order offer stays as it is: what is told of it is told by the change that was made of it. as_of is the
            date of the webhook, or when it came.
    """
    match record:
        case Transaction():
            return _transaction(record, source, as_of)
        case Order():
            return _order(record, source, as_of)
        case Shipment():
            return _shipment(record, source, as_of)
        case SubscriptionChange():
            return _change(record, source, as_of)
        case Customer():
            return _customer(record, source)
        case OrderOffer():
            return record, ()


def _transaction(told: Transaction, source: SourceDefaults, as_of: datetime) -> tuple[Transaction, tuple[str, ...]]:
    is_credit = told.kind in CREDITS
    if is_credit and told.parent is not None:
        told = like_its_charge(told, _transaction(told.parent, source, as_of)[0])
    lines = list(told.lines) or (credited(told) if is_credit else bought(told.line_items, told.offers))
    completed_at = told.completed_at or as_of
    customer, about_the_customer = _customer(told.customer, source, told.billing, told.shipping)
    completed = replace(
        told,
        customer=customer,
        currency=told.currency or source.currency,
        completed_at=completed_at,
        completed_on=source.day_of(completed_at),
        chargeback_on=source.day_of(told.chargeback_at or completed_at),
        scheduled_on=source.maybe_day_of(told.scheduled_at),
        changed_at=told.changed_at or as_of,
        changed_on=source.day_of(told.changed_at or as_of),
        next_attempt_on=source.maybe_day_of(told.next_attempt_at),
        first_declined_on=source.maybe_day_of(next((one.completed_at for one in told.declined_before), None)),
        cycle=max(told.cycle or told.paid_before + 1, 1),
        discount=_discount(told.discount, told.order.discount),
        discount_code=_discount_code(told.discount_code, lines),
        lines=tuple(map(counted, lines)),
        is_partial=leaves_some(told),
        shipping=told.shipping or told.billing,
    )
    notes = (
        *_of_lines(lines, recurring_from_now=completed.cycle == 1 and not is_credit),
        *_of_payment(told, completed),
    )
    return completed, notes + about_the_customer


def _of_payment(told: Transaction, completed: Transaction) -> Iterator[str]:
    if told.total is None:
        yield "No amount is given: the event goes without a value."
    if not told.currency:
        yield f"No currency is given: taken to be {completed.currency}."
    if told.completed_at is None:
        yield "No date of completion is given: the date of the webhook stands for it."
    if told.cycle != completed.cycle:
        yield f"No cycle is given: taken to be {completed.cycle}."
    if told.kind in CREDITS and not told.parent_id:
        yield "The charge that it is about is not named: its id is left empty."
    if completed.is_partial:
        yield "It takes back a part and does not say of what: all that was charged is listed."


def _order(told: Order, source: SourceDefaults, as_of: datetime) -> tuple[Order, tuple[str, ...]]:
    lines = list(told.lines) or bought((), told.offers)
    who = told.customer or Customer(customer_id=told.customer_id)
    customer, about_the_customer = _customer(who, source, told.billing, told.shipping)
    completed = replace(
        told,
        customer=customer,
        # Vrio: an order never says its currency.
        currency=told.currency or source.currency,
        discount=_discount(told.discount),
        lines=tuple(map(counted, lines)),
        abandoned_at=told.abandoned_at or as_of,
        shipping=told.shipping or told.billing,
    )
    return completed, (*_of_lines(lines), *about_the_customer)


def _shipment(told: Shipment, source: SourceDefaults, as_of: datetime) -> tuple[Shipment, tuple[str, ...]]:
    paid = told.transaction and _transaction(told.transaction, source, as_of)[0]
    known = paid or Transaction(transaction_id="")
    billing, shipping = told.billing or known.billing, told.shipping or known.shipping
    lines = list(told.lines) or packed(told.items, known.lines or tuple(bought((), told.order.offers)))
    customer, about_the_customer = _customer(told.customer, source, billing, shipping)
    shipped_at = told.shipped_at or as_of
    completed = replace(
        told,
        customer=customer,
        order=replace(told.order, order_id=told.order.order_id or told.order_id),
        transaction=paid,
        event_id=told.event_id or event_ids.of_parcel(told, is_first=True),
        currency=known.currency or told.currency or source.currency,
        lines=tuple(map(counted, lines)),
        billing=billing,
        shipping=shipping or billing,
        shipped_at=shipped_at,
        shipped_on=source.day_of(shipped_at),
    )
    return completed, (*_of_parcel(told, lines), *about_the_customer)


def _of_parcel(told: Shipment, lines: list[LineItem]) -> Iterator[str]:
    if told.transaction is None:
        yield "The payment for this parcel is not known: the event has what the parcel itself says."
    if not lines:
        yield NO_PRODUCTS
    if any(line.quantity < 1 for line in lines):
        yield "A line has no quantity: it counts as 1."
    if told.transaction is not None and not all(line.offer_id or line.order_offer_id for line in lines):
        yield "Something in the parcel is on no line of its payment: it goes without offer and price."
    if told.shipped_at is None:
        yield "No date of shipping is given: the date of the webhook stands for it."


def _change(
    told: SubscriptionChange, source: SourceDefaults, as_of: datetime
) -> tuple[SubscriptionChange, tuple[str, ...]]:
    offer, paid = told.offer, told.transaction and _transaction(told.transaction, source, as_of)[0]
    told = replace(told, transaction=paid)
    lines = [of_offer(line, offer) for line in told.lines] or bought((), (offer,))
    customer, about_the_customer = _customer(told.customer, source, offer.billing, offer.shipping)
    ends = offer.unpause_at if told.kind == "paused" else None
    completed = replace(
        told,
        customer=customer,
        order=replace(told.order, order_id=told.order.order_id or offer.order_id),
        event_id=told.event_id or event_ids.of_change(told, 1),
        currency=told.currency or (paid.currency if paid else source.currency),
        discount=_discount(told.discount, paid.discount if paid else None),
        discount_code=_discount_code(told.discount_code or (paid.discount_code if paid else ""), lines),
        lines=tuple(map(counted, lines)),
        on=source.day_of(told.at),
        paused_until_on=source.day_of(ends) if ends and ends > told.at else None,
        next_charge_on=source.maybe_day_of(offer.next_charge_at),
        previous_charge_on=source.maybe_day_of(told.previous_charge_at),
        unpaid=told.unpaid and _transaction(told.unpaid, source, as_of)[0],
    )
    return completed, (*_of_lines(lines, recurring_from_now=True), *about_the_customer)


def _of_lines(lines: list[LineItem], *, recurring_from_now: bool = False) -> Iterator[str]:
    """What had to be assumed of lines whose quantities are as they came."""
    if not lines:
        yield NO_PRODUCTS
    elif not any(line.item_id for line in lines):
        yield NO_ITEMS
    if any(line.quantity < 1 for line in lines):
        yield "A line has no quantity: it counts as 1."
    if any(line.price is None for line in lines):
        yield "A line has no price: its product goes without a value."
    if recurring_from_now and any(line.is_recurring and line.interval_days is None for line in lines):
        yield NO_INTERVAL


def _customer(told: Customer, source: SourceDefaults, *addresses: Address | None) -> tuple[Customer, tuple[str, ...]]:
    """The customer with the country of the first address that has one, and the phone number as it is read there."""
    named = next((found.country for found in (*addresses, *told.addresses) if found and found.country), "")
    country = named or source.country
    completed = replace(told, country=country, phone_e164=e164(told.phone, country))
    if told.phone and not completed.phone_e164:
        return completed, ("The phone number cannot be written in international form: left out.",)
    if told.phone and not named and "+" not in told.phone:
        return completed, (f"No address names a country: the phone number is read as one of {country}.",)
    return completed, ()


def _discount(*told: Decimal | None) -> Decimal:
    return next((discount for discount in told if discount is not None), Decimal(0))


def _discount_code(told: str, lines: list[LineItem]) -> str:
    return next(filter(None, (told, *(line.discount_code for line in lines))), "")
