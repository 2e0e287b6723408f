"""
Payment Recovered: a payment that went through after the bank had refused it.

Source: our choice, beyond the published page; the block is that of its "Placed Order".
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio import event_ids
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import day, order_properties
from vrio_klaviyo.vrio.records import Transaction


def payment_recovered(sale: Transaction) -> list[EventRequest]:
    """
    One request for an approved payment that was refused before in the same cycle; none for any other.

    Shape:  the id is the payment's own, however many attempts are known. DeclineReason and DeclineCode are those of the
            last attempt that was refused.
    Units:  value is what was charged. FirstDeclineDate is the day on the source's calendar.
    """
    if not sale.declined_before:
        return []
    last = sale.declined_before[-1]
    return [
        EventRequest(
            metric="Payment Recovered",
            unique_id=event_ids.of_transaction(sale),
            time=sale.happened_at,
            value=sale.total,
            currency=sale.currency,
            profile=customer_profile(sale.customer, sale.order),
            properties=order_properties(sale)
            | {
                "DeclinedAttempts": len(sale.declined_before),
                "FirstDeclineDate": day(sale.first_declined_on),
                "DeclineReason": last.decline_reason,
                "DeclineCode": last.decline_code,
            },
        )
    ]
