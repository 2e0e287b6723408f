"""
Voided Order: a payment that was taken back before it was settled.

Source: the published page, "Voided Order": the fields of "Refunded Order".
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio import event_ids
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import order_properties, refund_properties
from vrio_klaviyo.vrio.records import Transaction


def voided_order(void: Transaction) -> list[EventRequest]:
    """
    One request for one completed void.

    Units:  value and RefundAmount are positive. RefundDate is the day on the source's calendar.
    """
    return [
        EventRequest(
            metric="Voided Order",
            unique_id=event_ids.of_transaction(void),
            time=void.happened_at,
            value=void.total,
            currency=void.currency,
            profile=customer_profile(void.customer, void.order),
            properties=order_properties(void) | refund_properties(void),
        )
    ]
