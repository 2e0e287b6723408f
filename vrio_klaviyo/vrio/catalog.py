"""
The catalogue that a merchant imports: what Vrio tells of offers, items and reasons nowhere but on its own screens.

It stands behind all that Vrio has said and before the stated defaults, so it fills gaps; only an interval that is told
for a time frame replaces what the frame's label seems to say.

Source: requirements 003-C, 003-33, 003-34, 003-44 and 003-45.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property, lru_cache

from vrio_klaviyo.vrio import keeping
from vrio_klaviyo.vrio.credits import CREDITS, credited
from vrio_klaviyo.vrio.intervals import interval_days, label_of
from vrio_klaviyo.vrio.lines import bought
from vrio_klaviyo.vrio.records import LineItem, Order, OrderOffer, Record, Shipment, SubscriptionChange, Transaction

_CENT = Decimal("0.01")


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogItem:
    """
    One item of an offer.

    Shape:  categories are names, or ids that `Catalog.categories` names.
    Units:  price is for one; quantity is how many of them the offer holds.
    """

    item_id: str
    name: str = ""
    sku: str = ""
    price: Decimal | None = None
    quantity: int = 1
    categories: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[int, str]:
        """Its place among the items of its offer, by the size of the id, as event ids are given."""
        return len(self.item_id), self.item_id


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogOffer:
    """One offer; interval_days is None for what is bought once, and where nobody says it."""

    offer_id: str
    name: str = ""
    interval_days: int | None = None
    items: tuple[CatalogItem, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """
    All that was imported for one source.

    Shape:  the mappings are by Vrio's ids: categories and cancel_reasons to their names, intervals (by time frame) to
            days.
    """

    offers: tuple[CatalogOffer, ...] = ()
    categories: Mapping[str, str] = field(default_factory=dict)
    cancel_reasons: Mapping[str, str] = field(default_factory=dict)
    intervals: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def _offers(self) -> Mapping[str, CatalogOffer]:
        return {offer.offer_id: offer for offer in self.offers}

    @cached_property
    def _items(self) -> Mapping[tuple[str, str], CatalogItem]:
        items = [item for offer in self.offers for item in offer.items]
        # An item of several offers is taken as the first of them has it.
        return {(told, getattr(item, told)): item for item in reversed(items) for told in ("item_id", "sku", "name")}

    def offer(self, offer_id: str) -> CatalogOffer:
        """The offer of this id; one that says nothing when it is not in here."""
        return self._offers.get(offer_id) or CatalogOffer(offer_id=offer_id)

    def item(self, line: LineItem) -> CatalogItem | None:
        """The item on a line, by its id, its SKU or its name: that of the line's offer, else of any other."""
        told = ("item_id", line.item_id), ("sku", line.sku), ("name", line.item_name)
        for how, text in filter(lambda pair: pair[1], told):
            own = (item for item in self.offer(line.offer_id).items if getattr(item, how) == text)
            if found := next(own, None) or self._items.get((how, text)):
                return found
        return None

    def names(self, categories: Iterable[str]) -> tuple[str, ...]:
        """Categories by their names."""
        return tuple(self.categories.get(category, category) for category in categories)


@lru_cache(maxsize=16)
def opened(kept: bytes | None) -> Catalog:
    """The catalogue that was kept as this; an empty one for None."""
    return Catalog() if kept is None else keeping.loads(Catalog, kept)


def filled(record: Record, catalog: Catalog) -> Record:
    """The record with what the catalogue says where Vrio said nothing; its lines are those that defaults go on with."""
    if catalog == Catalog():
        return record
    match record:
        case Transaction():
            return _transaction(record, catalog)
        case Order():
            offers = _offers(record.offers, catalog)
            return replace(record, offers=offers, lines=_lines(bought((), offers), catalog))
        case Shipment():
            paid = record.transaction and _transaction(record.transaction, catalog)
            items = tuple(_named(item, catalog) for item in record.items)
            return replace(record, transaction=paid, items=items)
        case SubscriptionChange():
            offer = _offer(record.offer, catalog)
            paid = record.transaction and _transaction(record.transaction, catalog)
            lines = _lines(bought(record.lines, (offer,)), catalog)
            return replace(record, offer=offer, transaction=paid, lines=lines)
    return record


def _transaction(told: Transaction, catalog: Catalog) -> Transaction:
    parent = told.parent and _transaction(told.parent, catalog)
    known = replace(told, offers=_offers(told.offers, catalog), parent=parent)
    lines = credited(known) if known.kind in CREDITS else bought(known.line_items, known.offers)
    return replace(known, lines=_lines(lines, catalog))


def _offers(told: Iterable[OrderOffer], catalog: Catalog) -> tuple[OrderOffer, ...]:
    return tuple(_offer(offer, catalog) for offer in told)


def _offer(told: OrderOffer, catalog: Catalog) -> OrderOffer:
    known, days = catalog.offer(told.offer_id), catalog.intervals.get(told.timeframe_id)
    if days is None and interval_days(told.timeframe_name) is None:
        days = known.interval_days
    return replace(
        told,
        offer_name=told.offer_name or known.name,
        timeframe_name=label_of(days) if days else told.timeframe_name,
        cancel_reason=catalog.cancel_reasons.get(told.cancel_type_id, told.cancel_reason),
    )


def _lines(told: Iterable[LineItem], catalog: Catalog) -> tuple[LineItem, ...]:
    return tuple(each for line in told for each in _of_line(line, catalog))


def _of_line(line: LineItem, catalog: Catalog) -> Iterator[LineItem]:
    offer = catalog.offer(line.offer_id)
    line = replace(line, offer_name=line.offer_name or offer.name)
    if offer.items and _stands_for_its_offer(line):
        yield from _spread(line, offer.items, catalog)
    else:
        yield _named(line, catalog)


def _stands_for_its_offer(line: LineItem) -> bool:
    return not (line.item_id or line.sku) and line.item_name in ("", line.offer_name)


def _named(line: LineItem, catalog: Catalog) -> LineItem:
    """A line that says which item it is about, with what else is known of that."""
    item = None if _stands_for_its_offer(line) else catalog.item(line)
    categories = catalog.names(line.categories or (item.categories if item else ()))
    if item is None:
        return replace(line, categories=categories)
    return replace(
        line,
        item_id=line.item_id or item.item_id,
        item_name=line.item_name or item.name,
        sku=line.sku or item.sku,
        categories=categories,
    )


def _spread(line: LineItem, items: tuple[CatalogItem, ...], catalog: Catalog) -> Iterator[LineItem]:
    """
    A line for each item of an offer that nobody else has spelled out.

    Shape:  what the offer was sold for is never changed by a list of prices. It is shared out by the items' own prices
            when those add up to it, and else stands on the item with the lowest id, whose event id is the one that the
            whole offer would have; the others then have no price. Where Vrio names none, the items' own count.
    Source: our choice.
    """
    prices = [item.price for item in items]
    listed = sum(((item.price or 0) * item.quantity for item in items), Decimal(0))
    by_item = line.price is None or (None not in prices and listed == line.price)
    first = min(items, key=lambda item: item.rank)
    for item in items:
        own = replace(
            line,
            item_id=item.item_id,
            item_name=item.name or line.offer_name,
            sku=item.sku,
            quantity=line.quantity * item.quantity,
            categories=catalog.names(item.categories),
            price=item.price,
            total=None,
        )
        if by_item:
            yield own
        elif item is first:
            yield _whole(own, line, item.quantity)
        else:
            yield replace(own, price=None)


def _whole(own: LineItem, line: LineItem, in_one: int) -> LineItem:
    """An item's line with the price of the whole offer; for several in one offer the total is exact, one's is cut."""
    if line.price is None or in_one == 1 or line.quantity < 1:
        return replace(own, price=line.price, total=line.total)
    total = line.price * line.quantity if line.total is None else line.total
    return replace(own, price=(line.price / in_one).quantize(_CENT), total=total)
