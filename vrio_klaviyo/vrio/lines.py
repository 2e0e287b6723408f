"""
What was bought, line by line: made of the items that Vrio lists, else of the offers, for a parcel of what is in it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from vrio_klaviyo.vrio.intervals import interval_days
from vrio_klaviyo.vrio.records import LineItem, OrderOffer


def bought(items: Iterable[LineItem], offers: Iterable[OrderOffer]) -> list[LineItem]:
    """
    A line for each item, with what only its offer knows; without any items, a line for each offer.

    Shape:  a line that names nothing is left out. Quantities as they came: 0 where nobody knows.
    """
    offers = tuple(offers)
    lines = [of_offer(item, _offer_of(item, offers)) for item in items]
    lines = lines or [of_offer(_standing_for(offer), offer) for offer in offers]
    return [line for line in lines if line.order_offer_id or line.offer_id or line.item_id or line.item_name]


def of_offer(line: LineItem, offer: OrderOffer) -> LineItem:
    """The line with what its offer knows."""
    interval = interval_days(offer.timeframe_name) or line.interval_days
    # Only what is charged again and again has an interval, so it tells where the flag does not.
    recurring = interval is not None if offer.is_recurring is None else offer.is_recurring
    name = line.offer_name or offer.offer_name
    return replace(
        line,
        order_offer_id=line.order_offer_id or offer.order_offer_id,
        offer_id=line.offer_id or offer.offer_id,
        offer_name=name,
        item_name=line.item_name or name,
        is_recurring=recurring and not offer.is_gift,
        interval_days=interval,
    )


def as_told_first(
    lines: Iterable[LineItem], product_ids: Iterable[str], offers: Iterable[OrderOffer]
) -> list[LineItem]:
    """
    The lines, where an offer was told before its items were known with the offer for the one line that has an id.

    Shape:  a line whose id is "" was told with another one.
    """
    lines, ids, offers = list(lines), list(product_ids), tuple(offers)
    whose = [line.order_offer_id or line.offer_id for line in lines]
    told = Counter(owner for owner, product_id in zip(whose, ids, strict=True) if product_id)
    whole = {owner for owner, product_id in zip(whose, ids, strict=True) if not product_id and told[owner] == 1}
    return [
        next(map(counted, bought((), [_offer_of(line, offers)])), line) if owner in whole else line
        for owner, line in zip(whose, lines, strict=True)
    ]


def packed(items: Iterable[LineItem], paid: tuple[LineItem, ...]) -> list[LineItem]:
    """
    A line for each item in a parcel, with offer and price of the paid line that it is on; without any, the paid lines.

    Shape:  an item is on the line with its id, its SKU or its name. Where all that was paid for is one offer whose
            items nobody lists, everything in the parcel belongs to it, and its price to what is alone in there.
    Source: our choice; Vrio writes neither offer nor price on a parcel.
    """
    items = tuple(items)
    return [_paid_for(item, paid, alone=len(items) == 1) for item in items] or list(paid)


def counted(line: LineItem) -> LineItem:
    """The line with a quantity, and with its total where there is a price."""
    quantity = max(line.quantity, 1)
    # Vrio: the total of a line item is after its discount; the published page prints the one before.
    total = line.price * quantity if line.total is None and line.price is not None else line.total
    return replace(line, quantity=quantity, total=total)


def _standing_for(offer: OrderOffer) -> LineItem:
    return LineItem(order_offer_id=offer.order_offer_id, quantity=offer.quantity or 0, price=offer.price)


def _offer_of(item: LineItem, offers: tuple[OrderOffer, ...]) -> OrderOffer:
    same = (offer for offer in offers if item.order_offer_id and offer.order_offer_id == item.order_offer_id)
    alike = (offer for offer in offers if item.offer_id and offer.offer_id == item.offer_id)
    return next(same, None) or next(alike, None) or OrderOffer()


def _paid_for(item: LineItem, paid: tuple[LineItem, ...], *, alone: bool) -> LineItem:
    line = _line_of(item, paid)
    if line is None:
        return item
    is_its_own = bool(line.item_id) or line.item_name == item.item_name
    return replace(
        line,
        item_id=item.item_id or line.item_id,
        item_name=item.item_name or line.item_name,
        sku=item.sku or line.sku,
        categories=item.categories or line.categories,
        quantity=item.quantity or line.quantity,
        price=line.price if is_its_own or alone else None,
        total=None,
    )


def _line_of(item: LineItem, paid: tuple[LineItem, ...]) -> LineItem | None:
    for told in ("item_id", "sku", "item_name"):
        same = (line for line in paid if getattr(item, told) and getattr(line, told) == getattr(item, told))
        if found := next(same, None):
            return found
    return paid[0] if len(paid) == 1 and not paid[0].item_id else None
