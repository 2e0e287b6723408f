"""
Declined Order: a payment that the bank refused.

Source: the published page, "Declined Order", whose example has no names for the "decline details" of its text:
        DeclineReason, DeclineCode and DeclineDate are our choice, after its RefundDate and RefundAmount.
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio import event_ids
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import day, order_properties
from vrio_klaviyo.vrio.records import Transaction


def declined_order(attempt: Transaction) -> list[EventRequest]:
    """
    One request for one refused attempt; the next attempt is a transaction of its own.

    Units:  value is what should have been charged. DeclineDate is the day on the source's calendar, as Vrio shows it.
    """
    return [
        EventRequest(
            metric="Declined Order",
            unique_id=event_ids.of_transaction(attempt),
            time=attempt.happened_at,
            value=attempt.total,
            currency=attempt.currency,
            profile=customer_profile(attempt.customer, attempt.order),
            properties=order_properties(attempt)
            | {
                "DeclineReason": attempt.decline_reason,
                "DeclineCode": attempt.decline_code,
                "DeclineDate": day(attempt.completed_on),
            },
        )
    ]
