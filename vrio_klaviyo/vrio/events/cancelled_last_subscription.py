"""
Cancelled Last Subscription: a cancellation after which the customer has no active subscription left.

Source: our choice, beyond the published page; the block is that of its
        "Started Subscription" and its changes.
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import change_properties, day, row_totals
from vrio_klaviyo.vrio.records import SubscriptionChange


def cancelled_last_subscription(change: SubscriptionChange) -> list[EventRequest]:
    """
    One request for the cancellation of the last active subscription; none while another one is active.

    Units:  value is the price of the subscription before any discount. CancelDate is the day on the source's calendar.
    """
    if not change.is_last:
        return []
    return [
        EventRequest(
            metric="Cancelled Last Subscription",
            unique_id=change.event_id,
            time=change.at,
            value=row_totals(change.lines),
            currency=change.currency,
            profile=customer_profile(change.customer, change.order),
            properties=change_properties(change)
            | {
                "CancelReason": change.offer.cancel_reason,
                "CancelDate": day(change.on),
                "SubscriptionStatus": "Cancelled",
            },
        )
    ]
