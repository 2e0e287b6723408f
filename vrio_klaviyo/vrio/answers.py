"""
What Vrio's REST API answers, as records: one thing, or all of a customer's; with what no webhook carries.

Source: Vrio API reference.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Any, Generic, TypeVar

from vrio_klaviyo.vrio.amounts import ZONE, Count, Money
from vrio_klaviyo.vrio.fields import Id, Text, identity
from vrio_klaviyo.vrio.orders import OrderOfferSchema, OrderSchema
from vrio_klaviyo.vrio.people import CustomerSchema
from vrio_klaviyo.vrio.reading import MOST_NOTES, MOST_PARTS, Part, Parts, RecordSchema, notes
from vrio_klaviyo.vrio.records import Customer, LineItem, Order, OrderOffer, Transaction
from vrio_klaviyo.vrio.schemas import TransactionSchema

MOST_PAGES = 25

R = TypeVar("R")


@dataclass(frozen=True, kw_only=True, slots=True)
class Found(Generic[R]):
    """
    One thing, as Vrio has it.

    Shape:  notes say which fields could not be read; they name the field, never its value.
    """

    record: R
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundTransaction(Found[Transaction]):
    """A transaction; credits are the refunds, voids and chargebacks that were made against it."""

    credits: tuple[Transaction, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundOrderOffer(Found[OrderOffer]):
    """
    An order offer and the items in it.

    Shape:  lines say what Vrio says of the items; a quantity is 0 where nobody knows it. Each has the offer's discount
            code, which also stands beside them for an offer without items.
    Units:  the price of a line is the item's own, and not what the offer is sold for.
    """

    lines: tuple[LineItem, ...] = ()
    discount_code: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundAll(Generic[R]):
    """
    A customer's things of one kind, each of them once.

    Shape:  is_whole is False when there are, or may be, more of them than were read: a sum would be wrong.
    """

    records: tuple[R, ...]
    is_whole: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Generic[R]):
    """
    One answer to a search for what a customer has.

    Shape:  records by their id. length counts also what could not be read, and the strangers, which are another
            customer's. total, None when Vrio does not say it, is how many there are on all pages.
    """

    records: Mapping[str, R] = field(default_factory=dict)
    length: int = 0
    strangers: int = 0
    total: int | None = None
    notes: tuple[str, ...] = ()


class OfferedItemSchema(RecordSchema):
    """An item of an order offer. Vrio: its price, quantity and SKU have other names than those of a line item."""

    record = LineItem

    item_id = Id()
    item_name = Text()
    sku = Text(data_key="item_sku")
    quantity = Count(data_key="item_quantity")
    price = Money(data_key="item_price")

    def made_of(self, values: dict[str, Any]) -> LineItem:
        return LineItem(**{"quantity": 0} | values)


class DiscountSchema(RecordSchema):
    code = Text(data_key="discount_code")

    def made_of(self, values: dict[str, Any]) -> str:
        return str(values.get("code", ""))


class BesideTransactionSchema(RecordSchema):
    """What stands in the answer about a transaction and in no webhook."""

    credits = Parts(TransactionSchema())

    def made_of(self, values: dict[str, Any]) -> tuple[Transaction, ...]:
        # Without an id there is no transaction.
        return tuple(credit for credit in values.get("credits", ()) if credit)


class BesideOrderOfferSchema(RecordSchema):
    """What stands in the answer about an order offer and in no webhook."""

    items = Parts(OfferedItemSchema(), data_key="order_offer_items")
    discount = Part(DiscountSchema())

    def made_of(self, values: dict[str, Any]) -> tuple[tuple[LineItem, ...], str]:
        return values.get("items", ()), values.get("discount", "")


class TotalSchema(RecordSchema):
    total = Count()

    def made_of(self, values: dict[str, Any]) -> int | None:
        return values.get("total")


TRANSACTION, BESIDE_TRANSACTION = TransactionSchema(), BesideTransactionSchema()
ORDER_OFFER, BESIDE_ORDER_OFFER = OrderOfferSchema(), BesideOrderOfferSchema()
ORDER, CUSTOMER, TOTAL = OrderSchema(), CustomerSchema(), TotalSchema()


@contextmanager
def in_zone(zone: tzinfo) -> Iterator[None]:
    """While it lasts, dates that name no zone are in this one."""
    outer = ZONE.set(zone)
    try:
        yield
    finally:
        ZONE.reset(outer)


def transaction(data: Mapping[str, Any]) -> FoundTransaction | None:
    """The transaction in an answer; None when it has no id."""
    record, unreadable = TRANSACTION.read(data)
    credits, unreadable_beside = BESIDE_TRANSACTION.read(data)
    found = notes({**unreadable, **unreadable_beside})
    return FoundTransaction(record=record, credits=credits, notes=found) if record else None


def customer(data: Mapping[str, Any]) -> Found[Customer]:
    """The customer in an answer."""
    record, unreadable = CUSTOMER.read(data)
    return Found(record=record, notes=notes(unreadable))


def order(data: Mapping[str, Any]) -> Found[Order]:
    """The order in an answer."""
    record, unreadable = ORDER.read(data)
    return Found(record=record, notes=notes(unreadable))


def order_offer(data: Mapping[str, Any]) -> FoundOrderOffer:
    """The order offer in an answer, with its items."""
    record, unreadable = ORDER_OFFER.read(data)
    (items, code), unreadable_beside = BESIDE_ORDER_OFFER.read(data)
    known = {name: getattr(record, name) for name in ("order_offer_id", "offer_id", "offer_name")}
    return FoundOrderOffer(
        record=record,
        lines=tuple(replace(item, discount_code=code, **known) for item in items),
        discount_code=code,
        notes=notes({**unreadable, **unreadable_beside}),
    )


def transactions(data: Mapping[str, Any], customer_id: str) -> Page[Transaction] | None:
    """A page of a customer's transactions; None when it is no page."""
    return _page(data, "transactions", TRANSACTION, customer_id)


def order_offers(data: Mapping[str, Any], customer_id: str) -> Page[OrderOffer] | None:
    """A page of a customer's order offers; None when it is no page."""
    return _page(data, "order_offers", ORDER_OFFER, customer_id)


def gathered(page_after: Callable[[int], Page[R]]) -> FoundAll[R]:
    """
    All that stands on the pages of a search; a page is asked for by how many entries came before it.

    Shape:  ends where a page brings nothing new, and where one shows that the search is not for this customer alone:
            what follows is not wanted either.
    """
    records: dict[str, R] = {}
    told: dict[str, None] = {}
    length, total, is_whole = 0, None, False
    for _ in range(MOST_PAGES):
        page = page_after(length)
        known = len(records)
        records |= page.records
        length += page.length
        told |= dict.fromkeys(page.notes)
        if page.strangers:
            told[f"{page.strangers} entries are another customer's: left out."] = None
            break
        total = page.total if page.total is not None else total
        # Without a total, only an empty page says that there is nothing more.
        is_whole = len(records) >= total if total is not None else not page.length and len(records) == length
        if is_whole or len(records) == known:
            break
    return FoundAll(records=tuple(records.values()), is_whole=is_whole, notes=tuple(told)[:MOST_NOTES])


def _page(data: Mapping[str, Any], name: str, schema: RecordSchema, customer_id: str) -> Page[Any] | None:
    rows = data.get(name)
    if not isinstance(rows, list):
        return None
    records: dict[str, Any] = {}
    unreadable: dict[int, Any] = {}
    strangers = 0
    for index, row in enumerate(rows[:MOST_PARTS]):
        row = row if isinstance(row, dict) else {}
        if identity(row.get("customer_id")) not in (None, customer_id):
            strangers += 1
            continue
        # Vrio: whose an order offer is does not stand in the answer.
        record, why = schema.read({**row, "customer_id": customer_id})
        if why:
            unreadable[index] = why
        if record and (found := getattr(record, f"{schema.thing}_id")):
            records.setdefault(found, record)
    total, bad_total = TOTAL.read(data)
    return Page(
        records=records,
        length=min(len(rows), MOST_PARTS),
        strangers=strangers,
        total=total,
        notes=notes({**({name: unreadable} if unreadable else {}), **bad_total}),
    )
