"""
Final Payment Failure: a subscription that ended because its payment was refused, for the last time.

Source: our choice, beyond the published page; the block is that of its
        "Started Subscription" and its changes.
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio import event_ids
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import change_properties, day, or_blank, row_totals
from vrio_klaviyo.vrio.records import SubscriptionChange


def final_payment_failure(change: SubscriptionChange) -> list[EventRequest]:
    """
    One request for a subscription that ended while its latest payment stood refused; none for one that was paid for.

    Shape:  one for each cycle, by whichever webhooks the end is told and however many attempts there were.
    Units:  value is the price of the subscription before any discount: what is lost with each cycle. EndDate and
            DeclineDate are days on the source's calendar.
    """
    unpaid = change.unpaid
    if unpaid is None and change.kind != "failed":
        return []
    event_id = event_ids.of_failure(change)
    return [
        EventRequest(
            metric="Final Payment Failure",
            unique_id=event_id,
            time=change.at,
            value=row_totals(change.lines),
            currency=change.currency,
            profile=customer_profile(change.customer, change.order),
            properties=change_properties(change)
            | {
                "$event_id": event_id,
                "SubscriptionStatus": change.offer.status.capitalize(),
                "EndDate": day(change.on),
                "Cycle": or_blank(unpaid.cycle if unpaid else None),
                "DeclineReason": unpaid.decline_reason if unpaid else "",
                "DeclineCode": unpaid.decline_code if unpaid else "",
                "DeclineDate": day(unpaid.completed_on if unpaid else None),
            },
        )
    ]
