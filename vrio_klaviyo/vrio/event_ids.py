"""
The ids by which Klaviyo tells a repeated event from a new one.

Source: the published page, "Smart Deduplication": transaction_id, transaction_id_product_id and
        transaction_id_product_id_sub, where the product is the offer (its example has offer 1, item 2 and id 1668_1).
        What the page leaves open, a cart, a further parcel and a repeated change, is our choice (003-29, -37, -52),
        and so is all that is told beyond it.
"""

from collections import Counter
from itertools import count
from typing import Any

from vrio_klaviyo.vrio.records import LineItem, Order, Shipment, SubscriptionChange, Transaction


def of_transaction(transaction: Transaction) -> str:
    """The id of what happens once per transaction."""
    return transaction.transaction_id


def of_cart(order: Order) -> str:
    """The id of an order that was left before it was paid for; there is no transaction yet."""
    return f"{order.order_id}_abandoned"


def of_parcel(shipment: Shipment, *, is_first: bool) -> str:
    """
    The id of a parcel.

    Shape:  1668 for the first one that a charge pays for, 1668_4501 with the shipment's own id for a further one;
            order1253_4501 where the charge is not named.
    """
    if not shipment.transaction_id:
        return f"order{shipment.order_id}_{shipment.shipment_id}"
    return shipment.transaction_id if is_first else f"{shipment.transaction_id}_{shipment.shipment_id}"


def of_change(change: SubscriptionChange, nth: int) -> str:
    """
    The id of a change of a subscription; nth counts those of its kind since the payment that it is named after.

    Shape:  1668_1_sub, as the start of the subscription has; 1668_1_sub_2 for the second of its kind;
            order1253_1_sub where no payment is known.
    """
    offer, paid = change.offer, change.transaction
    told = zip(paid.lines, of_products(paid), strict=True) if paid else ()
    mine = (pair for pair in told if pair[1] and pair[0].order_offer_id == offer.order_offer_id)
    owner = paid.transaction_id if paid else f"order{offer.order_id}"
    of_offer = LineItem(offer_id=offer.offer_id), f"{owner}_{offer.offer_id or offer.order_offer_id}"
    event_id = f"{min(mine, key=lambda pair: _rank(pair[0]), default=of_offer)[1]}_sub"
    return event_id if nth == 1 else f"{event_id}_{nth}"


def of_products(transaction: Transaction) -> list[str]:
    """
    An id for each line of the transaction, in the order of its lines.

    Shape:  1668_1; a further line of the same offer is 1668_1-3 with the id of its item, and where that is taken too,
            or there is no item, a running number is appended.
            Which line is the further one is decided by what stands on the lines and never by their order, so a replay
            gives the same ids however Vrio sorts them; and 1668_1 stays in use when items become known only later.
            "" for a line that was told with another one, before anybody knew that there are two.
    """
    if transaction.product_ids:
        return list(transaction.product_ids)
    ids: dict[int, str] = {}
    for index, line in sorted(enumerate(transaction.lines), key=lambda numbered: _rank(numbered[1])):
        ids[index] = _free_id(transaction, line, frozenset(ids.values()))
    return [ids[index] for index in range(len(ids))]


def of_subscriptions(transaction: Transaction) -> dict[str, list[LineItem]]:
    """
    An id for each subscription that was bought, with its lines.

    Shape:  a subscription is an order offer, so the items of one offer share an id: that of the first of them.
    """
    bought: dict[str, list[tuple[LineItem, str]]] = {}
    for line, product_id in zip(transaction.lines, of_products(transaction), strict=True):
        if line.is_recurring:
            bought.setdefault(line.order_offer_id or line.offer_id, []).append((line, product_id))
    return {
        f"{min(group, key=lambda pair: _rank(pair[0]))[1]}_sub": [line for line, _ in group]
        for group in bought.values()
    }


def of_skip(transaction: Transaction, subscription_id: str) -> str:
    """
    The id of a payment that is skipped or put back.

    Shape:  1705_1_sub_20251001T090000 with the moment in UTC, because one payment may be skipped several times.
    """
    return f"{subscription_id}_{transaction.chosen_at:%Y%m%dT%H%M%S}"


def of_failure(change: SubscriptionChange) -> str:
    """
    The id of the end of a subscription that could not be charged.

    Shape:  4001_cycle3_failed, whichever of the attempts and of the webhooks that tell of the end came last; where no
            attempt is known, the cycle is the one after the last that was paid.
    """
    unpaid, paid = change.unpaid, change.transaction
    cycle = (unpaid.cycle or 1) if unpaid else (paid.cycle or 1) + 1 if paid else 1
    return f"{change.offer.order_offer_id}_cycle{cycle}_failed"


def of_upcoming(change: SubscriptionChange) -> str:
    """The id of a charge that is near, one for each day that it is due on: 4001_2025-09-15."""
    return f"{change.offer.order_offer_id}_{change.next_charge_on}"


def places(transaction: Transaction) -> list[str]:
    """
    Which line of which subscription each line is, in the order of its lines: 4001/1, 4001/2, 4002/1.

    Shape:  by what stands on the lines, as with `of_products`; the first of an offer is first whatever else becomes
            known of the offer later.
    """
    numbers: Counter[str] = Counter()
    found: dict[int, str] = {}
    for index, line in sorted(enumerate(transaction.lines), key=lambda numbered: _rank(numbered[1])):
        whose = line.order_offer_id or line.offer_id
        numbers[whose] += 1
        found[index] = f"{whose}/{numbers[whose]}"
    return [found[index] for index in range(len(found))]


def _free_id(transaction: Transaction, line: LineItem, taken: frozenset[str]) -> str:
    product_id = f"{transaction.transaction_id}_{line.offer_id or line.order_offer_id}"
    if product_id in taken and line.item_id:
        product_id = f"{product_id}-{line.item_id}"
    if product_id not in taken:
        return product_id
    return next(numbered for n in count(2) if (numbered := f"{product_id}-{n}") not in taken)


def _rank(line: LineItem) -> tuple[Any, ...]:
    """Ids by size, as numbers are; the rest only tells lines apart that have all ids in common."""
    ids = (line.offer_id, line.order_offer_id, line.item_id)
    return *((len(found), found) for found in ids), line.item_name, line.quantity, str(line.total)
