"""
Next Charge Date Changed: a subscription that will be charged on another day than was planned.

Source: our choice, beyond the published page; the block is that of its
        "Started Subscription" and its changes.
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import change_properties, day, row_totals
from vrio_klaviyo.vrio.records import SubscriptionChange


def next_charge_date_changed(change: SubscriptionChange) -> list[EventRequest]:
    """
    One request for one move of the date that is no ordinary renewal.

    Units:  value is the price of the subscription before any discount. All dates are days on the source's calendar.
    """
    return [
        EventRequest(
            metric="Next Charge Date Changed",
            unique_id=change.event_id,
            time=change.at,
            value=row_totals(change.lines),
            currency=change.currency,
            profile=customer_profile(change.customer, change.order),
            properties=change_properties(change)
            | {
                "PreviousChargeDate": day(change.previous_charge_on),
                "ChargeDate": day(change.next_charge_on),
                "StatusDate": day(change.on),
            },
        )
    ]
