"""The memory as records: what we know of a customer's things, and how what a webhook tells is kept."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.memory import Memory, Picture
from vrio_klaviyo.vrio import keeping
from vrio_klaviyo.vrio.lifetime_value import Movement, lifetime_value
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
Kept = TypeVar("Kept")

# What a thing that is only referred to says of itself.
_LINKS = {"customer_id", "order_id", "order_offer_id", "transaction_id", "is_test"}

# As `keeping` writes it. What does not hold these bytes need not be read to know that it is no test, or recurs never.
_SAYS_TEST = b'"is_test":true'
_SAYS_RECURRING = b'"is_recurring":true'


class Shelf(Generic[Kept]):
    """
    What was made of the pictures of one customer, by the kind and id of each thing; of news only what is new is made.

    Shape:  a thing of which nothing is made, or that has become somebody else's, is not on it.
    """

    def __init__(self, memory: Memory, customer_id: str, make: Callable[[Picture], Kept | None]) -> None:
        self._memory = memory
        self._customer_id = customer_id
        self._make = make
        self._seen = 0
        self._things: dict[tuple[str, str], Kept] = {}

    def things(self) -> dict[tuple[str, str], Kept]:
        """All of it, as of now."""
        for picture in self._memory.told_of(self._customer_id, self._seen):
            self._seen += 1
            made = self._make(picture) if picture.vrio_customer_id == self._customer_id else None
            if made is not None:
                self._things[picture.kind, picture.vrio_id] = made
            else:
                self._things.pop((picture.kind, picture.vrio_id), None)
        return self._things


class Recollection:
    """
    What we remember of one source, as records.

    Shape:  a customer or order that we never heard of is one that says nothing but its id. A picture is read once,
            because the webhooks of a customer come together, and each looks at all that the customer has; and only when
            it matters, because a customer may have very much.
    """

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self._read: dict[Picture, Any] = {}
        self._shelves: dict[tuple[str, str], Shelf[Any]] = {}

    def go_on(self, session: Session) -> None:
        """Go on in another transaction, as the memory does: what was read of long histories stays."""
        self.memory.go_on(session)
        long = self.memory.long_histories()
        self._read = {}
        self._shelves = {which: shelf for which, shelf in self._shelves.items() if which[1] in long}

    def read_ahead(self, things: Iterable[tuple[str, str]]) -> None:
        """Look for these things, and read what is needed of long histories whatever is told next."""
        self.memory.expect(things)
        for customer_id in self.memory.long_histories():
            self.subscriptions_of(customer_id)
            self._movements_of(customer_id)
            self.latest_order_of(customer_id)

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
        pictures = self.memory.recall_these(("transaction", one) for one in transaction_ids)
        paid = (self._record(Transaction, picture) for picture in pictures)
        return {one.transaction_id: one.order.order_id for one in paid if one.order.order_id}

    def transactions_of(self, customer_id: str) -> list[Transaction]:
        """All transactions of a customer, bare."""
        return self._all(Transaction, "transaction", customer_id)

    def transactions_naming(self, customer_id: str, ids: Iterable[str]) -> list[Transaction]:
        """Those of them that may refer to one of these ids; what surely does not is not even read."""
        named = {json.dumps(one, ensure_ascii=plain).encode() for one in set(ids) - {""} for plain in (True, False)}
        paid = self._shelf("payments", customer_id, _payment).values() if named else ()
        return [self._record(Transaction, one) for one in paid if any(name in one.body for name in named)]

    def lifetime_value_of(self, customer_id: str, currency: str) -> Decimal:
        """What a customer has paid, without tests."""
        tests, movements = self._tests_of(customer_id), self._movements_of(customer_id)
        return lifetime_value((one for one in movements if one.order.order_id not in tests), currency)

    def subscriptions_of(self, customer_id: str) -> list[OrderOffer]:
        """What a customer subscribes to or did, without gifts and tests."""
        tests, offers = self._tests_of(customer_id), self._shelf("subscriptions", customer_id, self._subscription)
        return [offer for offer in offers.values() if offer.order_id not in tests]

    def latest_order_of(self, customer_id: str) -> Order | None:
        """The latest order of a customer that does not call itself a test."""
        orders = self._shelf("orders", customer_id, self._real_order)
        # Vrio: ids ascend.
        latest = max(orders.values(), key=lambda one: (len(one.vrio_id), one.vrio_id), default=None)
        return latest and self._record(Order, latest)

    def _movements_of(self, customer_id: str) -> Iterable[Movement]:
        return self._shelf("movements", customer_id, _movement).values()

    def _tests_of(self, customer_id: str) -> set[str]:
        """The orders of a customer that are tests: one is when anything in it says so."""
        return set(self._shelf("tests", customer_id, self._test).values())

    def _subscription(self, picture: Picture) -> OrderOffer | None:
        if picture.kind != "order_offer" or _SAYS_RECURRING not in picture.body:
            return None
        offer = self._record(OrderOffer, picture)
        return offer if offer.is_recurring and not offer.is_gift else None

    def _real_order(self, picture: Picture) -> Picture | None:
        if picture.kind != "order":
            return None
        is_test = _SAYS_TEST in picture.body and self._record(Order, picture).is_test
        return None if is_test else picture

    def _test(self, picture: Picture) -> str | None:
        """The order that a picture calls a test."""
        if _SAYS_TEST not in picture.body:
            return None
        match picture.kind:
            case "order":
                order = self._record(Order, picture)
                return order.order_id or None if order.is_test else None
            case "order_offer":
                offer = self._record(OrderOffer, picture)
                return offer.order_id or None if offer.is_test else None
            case "transaction":
                paid = self._record(Transaction, picture)
                is_test = paid.order.is_test or any(line.is_test for line in paid.offers)
                return paid.order.order_id or None if is_test else None
        return None

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
        picture = self.memory.recall(name, vrio_id) if vrio_id else None
        return None if picture is None else self._record(kind, picture)

    def _all(self, kind: type[Thing], name: str, customer_id: str) -> list[Thing]:
        def made(picture: Picture) -> Thing | None:
            return self._record(kind, picture) if picture.kind == name else None

        return list(self._shelf(name, customer_id, made).values())

    def _shelf(
        self, name: str, customer_id: str, make: Callable[[Picture], Kept | None]
    ) -> dict[tuple[str, str], Kept]:
        if not customer_id:
            return {}
        if (name, customer_id) not in self._shelves:
            self._shelves[name, customer_id] = Shelf(self.memory, customer_id, make)
        things: dict[tuple[str, str], Kept] = self._shelves[name, customer_id].things()
        return things

    def _record(self, kind: type[Thing], picture: Picture) -> Thing:
        if picture not in self._read:
            self._read[picture] = keeping.loads(kind, picture.body)
        read: Thing = self._read[picture]
        return read


def _payment(picture: Picture) -> Picture | None:
    return picture if picture.kind == "transaction" else None


def _movement(picture: Picture) -> Movement | None:
    return keeping.loads(Movement, picture.body) if picture.kind == "transaction" else None


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
