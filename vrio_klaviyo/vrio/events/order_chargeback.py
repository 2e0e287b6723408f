"""
Order Chargeback: a payment that the bank took back for its customer.

Source: the published page, "Order Chargeback", which promises full transaction details without naming any:
        OriginalTransactionId, ChargebackAmount and ChargebackDate are our choice, after its refund's.
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio import event_ids
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import day, or_blank, order_properties
from vrio_klaviyo.vrio.records import Transaction


def order_chargeback(chargeback: Transaction) -> list[EventRequest]:
    """
    One request for one chargeback.

    Units:  value and ChargebackAmount are positive. ChargebackDate is the day that the bank dates it, else that on
            which Vrio recorded it; the event's time is always the latter.
    """
    return [
        EventRequest(
            metric="Order Chargeback",
            unique_id=event_ids.of_transaction(chargeback),
            time=chargeback.happened_at,
            value=chargeback.total,
            currency=chargeback.currency,
            profile=customer_profile(chargeback.customer, chargeback.order),
            properties=order_properties(chargeback)
            | {
                "OriginalTransactionId": chargeback.parent_id,
                "ChargebackAmount": or_blank(chargeback.total),
                "ChargebackDate": day(chargeback.chargeback_on),
            },
        )
    ]
