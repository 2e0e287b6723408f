"""
Upcoming Order: a subscription that is to be charged in a few days.

Source: our choice, beyond the published page; the block is that of its
        "Started Subscription" and its changes.
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio import event_ids
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import change_properties, day, row_totals
from vrio_klaviyo.vrio.records import SubscriptionChange


def upcoming_order(change: SubscriptionChange) -> list[EventRequest]:
    """
    One request for one day on which a subscription is to be charged; a day that is put off is told anew.

    Units:  value is the price of the subscription before any discount. ChargeDate is the day on the source's calendar,
            DaysUntilCharge counts calendar days.
    """
    if change.on is None or change.next_charge_on is None:
        return []
    event_id = event_ids.of_upcoming(change)
    return [
        EventRequest(
            metric="Upcoming Order",
            unique_id=event_id,
            time=change.at,
            value=row_totals(change.lines),
            currency=change.currency,
            profile=customer_profile(change.customer, change.order),
            properties=change_properties(change)
            | {
                "$event_id": event_id,
                "ChargeDate": day(change.next_charge_on),
                "DaysUntilCharge": (change.next_charge_on - change.on).days,
            },
        )
    ]
