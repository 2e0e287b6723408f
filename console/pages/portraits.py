"""What we know of a customer by now: what they paid, what they subscribe to, what they ordered."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from vrio_klaviyo.assembling import defaults_of
from vrio_klaviyo.complete import Completer
from vrio_klaviyo.klaviyo.phone import e164
from vrio_klaviyo.recollection import Recollection
from vrio_klaviyo.store.connections import Connection, list_connections
from vrio_klaviyo.store.customers import Customer, link_of
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.memory import Memory
from vrio_klaviyo.store.paging import Page, Place, page_around
from vrio_klaviyo.store.sources import Source, find_source
from vrio_klaviyo.vrio import records
from vrio_klaviyo.vrio.records import Order, OrderOffer, Transaction


@dataclass(frozen=True, slots=True)
class Portrait:
    """
    One customer of one source, as Klaviyo would be told of them today.

    Shape:  customer has lifetime value, next charge and whether they subscribe; subscriptions the newest first.
    """

    source: Source
    customer: records.Customer
    subscriptions: list[OrderOffer]


@dataclass(frozen=True, slots=True)
class Bought:
    """One order with its lines and payments, the newest payment first."""

    order: Order
    offers: list[OrderOffer] = field(default_factory=list)
    payments: list[Transaction] = field(default_factory=list)

    @property
    def at(self) -> datetime | None:
        """When it was placed, or first paid."""
        paid = [payment.completed_at for payment in self.payments if payment.completed_at]
        return self.order.ordered_at or min(paid, default=None)

    @property
    def currency(self) -> str:
        """What its payments were made in; "" when nobody says."""
        return self.order.currency or next((payment.currency for payment in self.payments if payment.currency), "")

    @property
    def is_test(self) -> bool:
        """Whether Vrio calls it, or one of its lines, a test."""
        return bool(self.order.is_test) or any(offer.is_test for offer in self.offers)


@dataclass(frozen=True, slots=True)
class AtKlaviyo:
    """How a customer stands with one connection: the number that it refused, when that is still theirs."""

    connection: Connection
    refused_phone: str
    profile_id: str


def portrait(session: Session, customer: Customer, now: datetime) -> Portrait:
    """What is remembered of this customer."""
    source = find_source(session, customer.source_id)
    known = Recollection(Memory(session, source.id))
    who = records.Customer(customer_id=customer.vrio_id)
    told = Completer(known, defaults_of(source), told_at=now, now=now).completed("", who, None).record
    assert isinstance(told, records.Customer)
    subscriptions = [offer for offer in known.offers_of(customer.vrio_id) if offer.is_recurring]
    return Portrait(source, told, sorted(subscriptions, key=lambda offer: _number(offer.order_offer_id), reverse=True))


def at_klaviyo(session: Session, customer: Customer) -> list[AtKlaviyo]:
    """How they stand with each connection of the workspace."""
    found = []
    source = find_source(session, customer.source_id)
    for connection in list_connections(session, customer.workspace_id):
        link = link_of(session, connection.id, customer.id)
        refused = (link and link.refused_phone) or ""
        # The number is remembered until it changes; how it is read depends on a country that only webhooks tell.
        theirs = refused and (e164(customer.phone, source.country) == refused or _ends_alike(customer.phone, refused))
        profile_id = (link and link.klaviyo_profile_id) or ""
        found.append(AtKlaviyo(connection, refused if theirs else "", profile_id))
    return found


def page_of_orders(session: Session, customer: Customer, place: Place | None, limit: int = 50) -> Page[Bought]:
    """A customer's orders as they are remembered, the newest first."""
    known = Recollection(Memory(session, customer.source_id))
    orders = {order.order_id: Bought(order) for order in known.orders_of(customer.vrio_id)}
    offers: defaultdict[str, list[OrderOffer]] = defaultdict(list)
    for offer in known.offers_of(customer.vrio_id):
        offers[offer.order_id].append(offer)
    payments: defaultdict[str, list[Transaction]] = defaultdict(list)
    for payment in known.transactions_of(customer.vrio_id):
        payments[payment.order.order_id].append(payment)
    # A payment may be known whose order is not.
    for order_id in filter(None, {*offers, *payments}):
        orders.setdefault(order_id, Bought(Order(order_id=order_id)))
    page = _page(list(orders), place, limit)
    for order_id in page.rows:
        orders[order_id].offers.extend(sorted(offers[order_id], key=lambda offer: _number(offer.order_offer_id)))
        newest_first = sorted(payments[order_id], key=lambda payment: _number(payment.transaction_id), reverse=True)
        orders[order_id].payments.extend(newest_first)
    return page.of(orders[order_id] for order_id in page.rows)


def _page(ids: Sequence[str], place: Place | None, limit: int) -> Page[str]:
    backwards = place is not None and place.backwards
    ordered = sorted(ids, key=_number, reverse=not backwards)
    if place is not None:
        beyond = _number(place.key)
        ordered = [one for one in ordered if (_number(one) > beyond if backwards else _number(one) < beyond)]
    return page_around(ordered, place, limit, key=str)


def _number(vrio_id: str) -> tuple[int, str]:
    # Vrio: ids ascend.
    return len(vrio_id), vrio_id


def _ends_alike(phone: str, e164_number: str) -> bool:
    digits = "".join(sign for sign in phone if sign.isdigit())
    return len(digits) >= 7 and e164_number.endswith(digits[-7:])
