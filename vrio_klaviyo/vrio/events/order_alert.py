"""
Order Alert: a warning that a payment may be disputed.

Source: the published page, "Order Alert", which promises full transaction details without naming any:
        OriginalTransactionId, AlertAmount, AlertDate and AlertType are our choice, after its refund's.
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio import event_ids
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import day, or_blank, order_properties
from vrio_klaviyo.vrio.records import Transaction


def order_alert(alert: Transaction) -> list[EventRequest]:
    """
    One request for one alert; a further one on the same payment is a transaction of its own.

    Shape:  AlertType is who warned, as Vrio's chargeback_code names it (Ethoca, RDR); left out when nobody is named.
    Units:  value and AlertAmount are what the payment was; money that goes back is told of by its own refund.
    """
    return [
        EventRequest(
            metric="Order Alert",
            unique_id=event_ids.of_transaction(alert),
            time=alert.happened_at,
            value=alert.total,
            currency=alert.currency,
            profile=customer_profile(alert.customer, alert.order),
            properties=order_properties(alert)
            | {
                "OriginalTransactionId": alert.parent_id,
                "AlertAmount": or_blank(alert.total),
                "AlertDate": day(alert.chargeback_on),
            }
            | ({"AlertType": alert.chargeback_code} if alert.chargeback_code else {}),
        )
    ]
