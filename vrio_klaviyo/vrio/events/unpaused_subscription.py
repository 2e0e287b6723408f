"""
Unpaused Subscription: a subscription that is charged again after a pause.

Source: the published page, "Subscription Status Changes", which names no properties: the block of "Started
        Subscription", and names of our choice.
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import change_properties, day, row_totals
from vrio_klaviyo.vrio.records import SubscriptionChange


def unpaused_subscription(change: SubscriptionChange) -> list[EventRequest]:
    """
    One request for one end of a pause.

    Shape:  PreviousStatus is "" where it is not known.
    Units:  value is the price of the subscription before any discount. StatusDate is the day on the source's calendar.
    """
    return [
        EventRequest(
            metric="Unpaused Subscription",
            unique_id=change.event_id,
            time=change.at,
            value=row_totals(change.lines),
            currency=change.currency,
            profile=customer_profile(change.customer, change.order),
            properties=change_properties(change)
            | {
                "SubscriptionStatus": "Active",
                "PreviousStatus": change.previous_status.capitalize(),
                "StatusDate": day(change.on),
            },
        )
    ]
