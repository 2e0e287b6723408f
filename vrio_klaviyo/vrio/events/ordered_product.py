"""
Ordered Product: one thing that was bought.

Source: the published page, "Ordered Product".
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio import event_ids
from vrio_klaviyo.vrio.lines import as_told_first
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import or_blank, product_properties
from vrio_klaviyo.vrio.records import LineItem, Transaction


def ordered_product(sale: Transaction) -> list[EventRequest]:
    """
    One request for each line of an approved payment.

    Shape:  none for a line that was told with another one: items may become known only after the offer was told. Then
            the one that was told stands for the whole offer, as it did.
    Units:  value is the line's price times its quantity, before any discount, as the page's $value is.
    """
    ids = event_ids.of_products(sale)
    lines = as_told_first(sale.lines, ids, sale.offers)
    return [_of_line(sale, line, product_id) for line, product_id in zip(lines, ids, strict=True) if product_id]


def _of_line(sale: Transaction, line: LineItem, product_id: str) -> EventRequest:
    return EventRequest(
        metric="Ordered Product",
        unique_id=product_id,
        time=sale.happened_at,
        value=line.total,
        currency=sale.currency,
        profile=customer_profile(sale.customer, sale.order),
        properties={
            # Klaviyo: in properties these two only look right; unique_id and value are what it reads.
            "$event_id": product_id,
            "$value": or_blank(line.total),
            **product_properties(line),
            "Quantity": line.quantity,
            "ProductCategories": list(line.categories),
        },
    )
