"""The memory as records: what we know of a customer's things, and how what a webhook tells is kept."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from vrio_klaviyo.store.memory import Memory, Picture
from vrio_klaviyo.vrio import keeping
from vrio_klaviyo.vrio.records import (
    Customer,
    Order,
    OrderOffer,
    Record,
    Shipment,
    SubscriptionChange,
    Transaction,
)

Thing = TypeVar("Thing", Customer, Order, OrderOffer, Transaction, Shipment)

# What a thing that is only referred to says of itself.
_LINKS = {"customer_id", "order_id", "order_offer_id", "transaction_id", "is_test"}


class Recollection:
    """
    What we remember of one source, as records.

    Shape:  a customer or order that we never heard of is one that says nothing but its id. A picture is read once,
            because the webhooks of a customer come together, and each looks at all that the customer has.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._read: dict[Picture, Any] = {}

    def customer(self, customer_id: str) -> Customer:
        """The customer of this id."""
        return self._thing(Customer, "customer", customer_id) or Customer(customer_id=customer_id)

    def order(self, order_id: str) -> Order:
        """The order of this id."""
        return self._thing(Order, "order", order_id) or Order(order_id=order_id)

    def offer(self, order_offer_id: str) -> OrderOffer | None:
        """The order offer of this id."""
        return self._thing(OrderOffer, "order_offer", order_offer_id)

    def transaction(self, transaction_id: str) -> Transaction | None:
        """The transaction of this id, with its order and customer."""
        found = self._thing(Transaction, "transaction", transaction_id)
        return found and self.with_context(found)

    def with_context(self, found: Transaction) -> Transaction:
        """A remembered transaction together with what it refers to."""
        order = self.order(found.order.order_id)
        offers = tuple(map(self._as_paid_for, found.offers))
        return replace(
            found,
            order=replace(order, is_test=order.is_test if order.is_test is not None else found.order.is_test),
            customer=self.customer(found.customer.customer_id),
            offers=offers,
        )

    def orders_paid(self, transaction_ids: Iterable[str]) -> dict[str, str]:
        """The order of each of these transactions, in one query; what is not remembered is left out."""
        pictures = self._memory.recall_these(("transaction", one) for one in transaction_ids)
        paid = (self._record(Transaction, picture) for picture in pictures)
        return {one.transaction_id: one.order.order_id for one in paid if one.order.order_id}

    def transactions_of(self, customer_id: str) -> list[Transaction]:
        """All transactions of a customer, bare."""
        return self._all(Transaction, "transaction", customer_id)

    def real_transactions_of(self, customer_id: str) -> list[Transaction]:
        """The same, without tests."""
        tests = self._tests_of(customer_id)
        return [one for one in self.transactions_of(customer_id) if one.order.order_id not in tests]

    def subscriptions_of(self, customer_id: str) -> list[OrderOffer]:
        """What a customer subscribes to or did, without gifts and tests."""
        tests = self._tests_of(customer_id)
        subscribed = (offer for offer in self.offers_of(customer_id) if offer.is_recurring)
        return [offer for offer in subscribed if not offer.is_gift and offer.order_id not in tests]

    def _tests_of(self, customer_id: str) -> set[str]:
        """The orders of a customer that are tests: one is when anything in it says so."""
        paid, offers = self.transactions_of(customer_id), self.offers_of(customer_id)
        tests = {order.order_id for order in self.orders_of(customer_id) if order.is_test}
        tests |= {one.order.order_id for one in paid if one.order.is_test or any(line.is_test for line in one.offers)}
        return tests.union(offer.order_id for offer in offers if offer.is_test) - {""}

    def offers_of(self, customer_id: str) -> list[OrderOffer]:
        """All order offers of a customer."""
        return self._all(OrderOffer, "order_offer", customer_id)

    def orders_of(self, customer_id: str) -> list[Order]:
        """All orders of a customer."""
        return self._all(Order, "order", customer_id)

    def _as_paid_for(self, line: OrderOffer) -> OrderOffer:
        """A line as its payment shows it, with what else is known of it; it may have become another one since."""
        known = self.offer(line.order_offer_id)
        is_another = known is None or known.offer_id not in ("", line.offer_id or known.offer_id)
        return line if known is None or is_another else keeping.over(line, known)

    def _thing(self, kind: type[Thing], name: str, vrio_id: str) -> Thing | None:
        picture = self._memory.recall(name, vrio_id) if vrio_id else None
        return None if picture is None else self._record(kind, picture)

    def _all(self, kind: type[Thing], name: str, customer_id: str) -> list[Thing]:
        found = self._memory.recall_all(customer_id) if customer_id else []
        return [self._record(kind, picture) for picture in found if picture.kind == name]

    def _record(self, kind: type[Thing], picture: Picture) -> Thing:
        if picture not in self._read:
            self._read[picture] = keeping.loads(kind, picture.body)
        read: Thing = self._read[picture]
        return read


def things_named(record: Record) -> set[tuple[str, str]]:
    """The kind and id of everything that a record tells of or refers to."""
    named: set[tuple[str, str]] = set()
    parts: tuple[Record | None, ...] = ()
    match record:
        case Customer():
            named = {("customer", record.customer_id)}
        case OrderOffer():
            named = {("order_offer", record.order_offer_id), ("order", record.order_id)}
            named.add(("customer", record.customer_id))
        case Order():
            named = {("order", record.order_id), ("customer", record.customer_id)}
            parts = (record.customer, *record.offers)
        case Shipment():
            named = {("shipment", record.shipment_id), ("transaction", record.transaction_id)}
            named |= {("order", record.order_id), ("customer", record.customer_id)}
        case Transaction():
            named = {("transaction", record.transaction_id), ("transaction", record.parent_id)}
            parts = (record.customer, record.order, *record.offers)
        case SubscriptionChange():
            parts = (record.customer, record.order, record.offer)
    inside = (things_named(part) for part in parts if part is not None)
    return {(kind, vrio_id) for kind, vrio_id in named.union(*inside) if vrio_id}


def pictures_of(record: Record, as_of: datetime, received_at: datetime) -> Iterator[Picture]:
    """
    The things that a record tells of: itself, and those inside it; not those that it only refers to.

    Shape:  what stands inside is kept as a thing of its own, and referred to by its id.
    """
    inside: tuple[Record | None, ...] = ()
    own: Record = record
    match record:
        case Customer():
            kind, vrio_id, customer_id = "customer", record.customer_id, record.customer_id
        case OrderOffer():
            kind, vrio_id, customer_id = "order_offer", record.order_offer_id, record.customer_id
        case Order():
            kind, vrio_id, customer_id = "order", record.order_id, record.customer_id
            own, inside = replace(record, customer=None, offers=()), (record.customer, *record.offers)
        case Shipment():
            kind, vrio_id, customer_id = "shipment", record.shipment_id, record.customer_id
        case Transaction():
            kind, vrio_id, customer_id = "transaction", record.transaction_id, record.customer.customer_id
            own = replace(
                record,
                order=Order(order_id=record.order.order_id, is_test=record.order.is_test),
                customer=Customer(customer_id=customer_id),
            )
            inside = (record.customer, record.order, *record.offers)
        case SubscriptionChange():
            return
    body = keeping.dumps(own)
    if vrio_id and json.loads(body).keys() - _LINKS:
        # What is dated ahead of its arrival would make everything that comes after it old news.
        yield Picture(kind, vrio_id, customer_id, min(record.modified_at or as_of, received_at), body)
    for part in inside:
        if part is not None:
            yield from pictures_of(part, as_of, received_at)
