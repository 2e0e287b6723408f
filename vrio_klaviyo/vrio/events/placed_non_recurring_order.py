"""
Placed Non-Recurring Order: a payment for an order without any subscription.

Source: the published page, "Placed Order / Placed Non-Recurring Order".
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio import event_ids
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import order_properties
from vrio_klaviyo.vrio.records import Transaction


def placed_non_recurring_order(sale: Transaction) -> list[EventRequest]:
    """
    One request for one approved payment.

    Units:  value is what was charged: after discounts, with shipping and tax.
    """
    return [
        EventRequest(
            metric="Placed Non-Recurring Order",
            unique_id=event_ids.of_transaction(sale),
            time=sale.happened_at,
            value=sale.total,
            currency=sale.currency,
            profile=customer_profile(sale.customer, sale.order),
            properties=order_properties(sale),
        )
    ]
