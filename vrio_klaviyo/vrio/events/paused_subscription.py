"""
Paused Subscription: a subscription that is not charged for a while.

Source: the published page, "Subscription Status Changes", which names no properties: the block of "Started
        Subscription", and names of our choice.
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import change_properties, day, row_totals
from vrio_klaviyo.vrio.records import SubscriptionChange


def paused_subscription(change: SubscriptionChange) -> list[EventRequest]:
    """
    One request for one pause.

    Shape:  PausedUntil stands there when the end of the pause is planned. PreviousStatus is "" where it is not known.
    Units:  value is the price of the subscription before any discount. StatusDate is the day on the source's calendar.
    """
    return [
        EventRequest(
            metric="Paused Subscription",
            unique_id=change.event_id,
            time=change.at,
            value=row_totals(change.lines),
            currency=change.currency,
            profile=customer_profile(change.customer, change.order),
            properties=change_properties(change)
            | {
                "SubscriptionStatus": "Paused",
                "PreviousStatus": change.previous_status.capitalize(),
                "StatusDate": day(change.on),
            }
            | ({"PausedUntil": day(change.paused_until_on)} if change.paused_until_on else {}),
        )
    ]
