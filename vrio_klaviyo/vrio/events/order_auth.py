"""
Order Auth: an amount that the bank holds ready; the payment comes later, as a capture.

Source: the published page, "Order Auth".
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio import event_ids
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import order_properties
from vrio_klaviyo.vrio.records import Transaction


def order_auth(auth: Transaction) -> list[EventRequest]:
    """
    One request for one approved authorization; its products are told of when it is captured.

    Units:  value is the amount that was authorized.
    """
    return [
        EventRequest(
            metric="Order Auth",
            unique_id=event_ids.of_transaction(auth),
            time=auth.happened_at,
            value=auth.total,
            currency=auth.currency,
            profile=customer_profile(auth.customer, auth.order),
            properties=order_properties(auth),
        )
    ]
