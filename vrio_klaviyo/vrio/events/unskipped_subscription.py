"""
Unskipped Subscription: a payment that was to be left out and is due again.

Source: our choice, beyond the published page; the block is that of its "Started Subscription".
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio import event_ids
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import day, or_blank, row_totals, subscription_properties
from vrio_klaviyo.vrio.records import LineItem, Transaction


def unskipped_subscription(payment: Transaction) -> list[EventRequest]:
    """
    One request for each subscription in a payment that is due again.

    Units:  value is the price of the subscription before any discount. UnskippedDate is the day on which
            that was chosen, ChargeDate the one on which it is due, both on the source's calendar.
    """
    return [_of_offer(payment, lines, started) for started, lines in event_ids.of_subscriptions(payment).items()]


def _of_offer(payment: Transaction, lines: list[LineItem], started: str) -> EventRequest:
    event_id = event_ids.of_skip(payment, started)
    return EventRequest(
        metric="Unskipped Subscription",
        unique_id=event_id,
        time=payment.chosen_at,
        value=row_totals(lines),
        currency=payment.currency,
        profile=customer_profile(payment.customer, payment.order),
        properties=subscription_properties(event_id, lines, payment.discount_code, payment.discount)
        | {
            "OrderId": payment.order.order_id,
            "TransactionId": payment.transaction_id,
            "Cycle": or_blank(payment.cycle),
            "UnskippedDate": day(payment.changed_on),
            "ChargeDate": day(payment.scheduled_on),
        },
    )
