"""
Placed Order: a payment for a subscription, the first one and every renewal.

Source: the published page, "Placed Order / Placed Non-Recurring Order".
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio import event_ids
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import order_properties
from vrio_klaviyo.vrio.records import Transaction


def placed_order(sale: Transaction) -> list[EventRequest]:
    """
    One request for one approved payment; what is bought once beside a subscription is in it too.

    Units:  value is what was charged: after discounts, with shipping and tax.
    """
    return [
        EventRequest(
            metric="Placed Order",
            unique_id=event_ids.of_transaction(sale),
            time=sale.happened_at,
            value=sale.total,
            currency=sale.currency,
            profile=customer_profile(sale.customer, sale.order),
            properties=order_properties(sale),
        )
    ]
