"""The memory as records: what we know of a customer's things, and how what a webhook tells is kept."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

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
    What we remember of one source, as records, while one webhook is worked on.

    Shape:  a customer or order that we never heard of is one that says nothing but its id. All that belongs to a
            customer is fetched together, because most of it is looked at.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._fetched: dict[str, dict[tuple[str, str], Picture]] = {}
        self._known: dict[tuple[str, str], Picture | None] = {}

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
        offers = tuple(self.offer(offer.order_offer_id) or offer for offer in found.offers)
        return replace(
            found,
            order=replace(order, is_test=order.is_test if order.is_test is not None else found.order.is_test),
            customer=self.customer(found.customer.customer_id),
            offers=offers,
        )

    def transactions_of(self, customer_id: str) -> list[Transaction]:
        """All transactions of a customer, bare."""
        return self._all(Transaction, "transaction", customer_id)

    def offers_of(self, customer_id: str) -> list[OrderOffer]:
        """All order offers of a customer."""
        return self._all(OrderOffer, "order_offer", customer_id)

    def orders_of(self, customer_id: str) -> list[Order]:
        """All orders of a customer."""
        return self._all(Order, "order", customer_id)

    def _thing(self, kind: type[Thing], name: str, vrio_id: str) -> Thing | None:
        key = (name, vrio_id)
        if not vrio_id:
            return None
        if key not in self._known:
            picture = self._memory.recall(name, vrio_id)
            self._known[key] = picture
            if picture and picture.vrio_customer_id:
                self._of(picture.vrio_customer_id)
        picture = self._known[key]
        return None if picture is None else keeping.loads(kind, picture.body)

    def _all(self, kind: type[Thing], name: str, customer_id: str) -> list[Thing]:
        found = self._of(customer_id) if customer_id else {}
        return [keeping.loads(kind, picture.body) for (told_of, _), picture in found.items() if told_of == name]

    def _of(self, customer_id: str) -> dict[tuple[str, str], Picture]:
        if customer_id not in self._fetched:
            pictures = self._memory.recall_all(customer_id)
            self._fetched[customer_id] = {(picture.kind, picture.vrio_id): picture for picture in pictures}
            self._known |= self._fetched[customer_id]
        return self._fetched[customer_id]


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
