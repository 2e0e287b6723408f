"""
Expired Subscription: a subscription that came to its end: its time is over, or all of its cycles are charged.

Source: our choice, beyond the published page; the block is that of its
        "Started Subscription" and its changes.
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import change_properties, day, row_totals
from vrio_klaviyo.vrio.records import SubscriptionChange


def expired_subscription(change: SubscriptionChange) -> list[EventRequest]:
    """
    One request for one end.

    Shape:  SubscriptionStatus is Expired where Vrio ended it, Complete where it ran out of cycles.
    Units:  value is the price of the subscription before any discount. ExpirationDate is the day on the source's
            calendar.
    """
    return [
        EventRequest(
            metric="Expired Subscription",
            unique_id=change.event_id,
            time=change.at,
            value=row_totals(change.lines),
            currency=change.currency,
            profile=customer_profile(change.customer, change.order),
            properties=change_properties(change)
            | {
                "SubscriptionStatus": change.offer.status.capitalize(),
                "PreviousStatus": change.previous_status.capitalize(),
                "ExpirationDate": day(change.on),
            },
        )
    ]
