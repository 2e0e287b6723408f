"""
The ids of what was bought: transaction and offer, and what keeps two lines of one offer apart.

Source: the published page, "Smart Deduplication", whose product is the offer; requirements 003-51 and 003-52.
"""

from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, count

from sandbox.vrio.charges import NOTHING, Transaction


@dataclass(frozen=True)
class Product:
    """One line as Klaviyo is told of it; `amount` is price times quantity, before any discount."""

    unique_id: str
    order_offer_id: int
    amount: Decimal


def products(paid: Transaction, with_rest: bool) -> list[Product]:
    """
    The lines of a payment: its items with REST, else its offers.

    Shape:  1668_1; a further line of offer 1 is 1668_1-3 with its item's id, in the order of these ids; where that is
            taken, or no item is known, a running number follows.
    """
    if with_rest:
        rows = [(line.offer.offer_id, line.item.item_id, line.order_offer_id, line.amount) for line in paid.lines]
    else:
        offers = {line.order_offer_id: line.offer.offer_id for line in paid.lines}
        rows = [(offers[which], 0, which, _amount(paid, which)) for which in paid.order_offer_ids if which in offers]
    listed: dict[str, Product] = {}
    for offer_id, item_id, order_offer_id, amount in sorted(rows):
        plain = f"{paid.id}_{offer_id}"
        with_item = f"{plain}-{item_id}" if item_id else plain
        ids = chain((plain, with_item), (f"{with_item}-{number}" for number in count(2)))
        unique_id = next(told for told in ids if told not in listed)
        listed[unique_id] = Product(unique_id, order_offer_id, amount)
    return list(listed.values())


def subscription_ids(paid: Transaction, with_rest: bool) -> dict[int, str]:
    """By order offer: the id of its first line, with `_sub`."""
    ids: dict[int, str] = {}
    for product in products(paid, with_rest):
        ids.setdefault(product.order_offer_id, f"{product.unique_id}_sub")
    return ids


def _amount(paid: Transaction, order_offer_id: int) -> Decimal:
    return sum((line.amount for line in paid.lines if line.order_offer_id == order_offer_id), NOTHING)
