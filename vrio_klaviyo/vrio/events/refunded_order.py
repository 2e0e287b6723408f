"""
Refunded Order: what was given back, and of which payment.

Source: the published page, "Refunded Order". PartialRefund is our choice: Vrio refunds amounts and seldom says of what.
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio import event_ids
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import order_properties, refund_properties
from vrio_klaviyo.vrio.records import Transaction


def refunded_order(refund: Transaction) -> list[EventRequest]:
    """
    One request for one completed refund.

    Shape:  Cycle and Attempt are those that Vrio writes on the refund; the page's example shows cycle 2 for a sale of
            cycle 1.
    Units:  value and RefundAmount are positive. RefundDate is the day on the source's calendar.
    """
    return [
        EventRequest(
            metric="Refunded Order",
            unique_id=event_ids.of_transaction(refund),
            time=refund.happened_at,
            value=refund.total,
            currency=refund.currency,
            profile=customer_profile(refund.customer, refund.order),
            properties=order_properties(refund) | refund_properties(refund),
        )
    ]
