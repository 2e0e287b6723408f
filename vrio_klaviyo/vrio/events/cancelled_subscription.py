"""
Cancelled Subscription: a subscription that will not be charged again.

Source: the published page, "Cancelled Subscription", which promises the cancellation reason and subscription details
        without naming any: the block of "Started Subscription", and names of our choice.
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import change_properties, day, row_totals
from vrio_klaviyo.vrio.records import SubscriptionChange


def cancelled_subscription(change: SubscriptionChange) -> list[EventRequest]:
    """
    One request for one cancellation; what staff wrote about it is not sent.

    Shape:  CancelReason is Vrio's number for the reason where nobody says what it stands for.
    Units:  value is the price of the subscription before any discount. CancelDate is the day on the source's calendar.
    """
    return [
        EventRequest(
            metric="Cancelled Subscription",
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
