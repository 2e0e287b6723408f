"""
What an event may say beside the properties of the published page, for connections that ask for it.

Source: our choice. Vrio: a webhook says whether a decline is final in few accounts only; where it does not, the words
        of the answer do. Its code does not: each gateway has its own, and 57 is "not permitted" with one and "try
        again" with another (in Vrio's examples it is 100 or 200 for everything).
"""

import re
from typing import Any

from vrio_klaviyo.vrio.properties import day, or_blank
from vrio_klaviyo.vrio.records import Order, OrderOffer, Record, Shipment, SubscriptionChange, Transaction

# Source: Visa, decline category 1, "issuer will never approve", as checkout.com and Adyen document it; only the answers
#         on which the networks agree, in the words that gateways write them with.
HARD = re.compile(
    r"pick\W?up card|(lost|stolen) card|card (was )?(reported )?(lost|stolen)|closed account|account (is )?closed"
    r"|invalid (card|account) number|no such (issuer|card|account)|stop payment|revocation of",
    re.IGNORECASE,
)
# Source: the same, category 2, "issuer cannot approve at this time", and the answer that gives no reason at all.
SOFT = re.compile(
    r"insufficient funds|not sufficient funds|do not hono|exceeds (withdrawal|approval)|re-?enter transaction"
    r"|issuer (is )?(unavailable|not available)|issuer or switch|system malfunction",
    re.IGNORECASE,
)


def additional_properties(record: Record | None) -> dict[str, Any]:
    """
    Campaign and money of what an event is about; of a declined payment also what to expect of the next attempt.

    Shape:  always there, "" for what is not known. Amounts are those of the payment, not of one line of it.
    """
    match record:
        case Transaction():
            # What is given back is told by the event itself; these are about what was ordered.
            return _of_campaign(record, record.order) | _of_money(record.parent or record) | _of_decline(record)
        case Shipment() | SubscriptionChange():
            paid = record.transaction or Transaction(transaction_id="", currency=record.currency)
            own = record.offer if isinstance(record, SubscriptionChange) else record
            unpaid = record.unpaid if isinstance(record, SubscriptionChange) else None
            return _of_campaign(paid, record.order, own) | _of_money(paid) | _of_decline(unpaid)
        case Order():
            cart = Transaction(transaction_id="", total=record.cart_total, currency=record.currency)
            return _of_campaign(record) | _of_money(cart)
    return {}


def decline_class(attempt: Transaction) -> str:
    """Whether another try with the same card can help: soft when it can, hard when not, "" when nobody says."""
    if attempt.is_hard_decline is not None:
        return "hard" if attempt.is_hard_decline else "soft"
    if HARD.search(attempt.decline_reason):
        return "hard"
    return "soft" if SOFT.search(attempt.decline_reason) else ""


def _of_campaign(*told: Transaction | Order | OrderOffer | Shipment) -> dict[str, Any]:
    """Of the first that names one."""
    return {
        "CampaignId": next((one.campaign_id for one in told if one.campaign_id), ""),
        "CampaignName": next((one.campaign_name for one in told if one.campaign_name), ""),
    }


def _of_money(paid: Transaction) -> dict[str, Any]:
    return {
        "OrderTotal": or_blank(paid.total),
        "OrderTax": or_blank(paid.tax),
        "OrderShipping": or_blank(paid.shipping_total),
        "OrderCurrency": paid.currency,
    }


def _of_decline(attempt: Transaction | None) -> dict[str, Any]:
    if attempt is None or attempt.approved is not False:
        return {}
    return {
        "DeclineCode": attempt.decline_code,
        "DeclineClass": decline_class(attempt),
        "NextAttemptDate": day(attempt.next_attempt_on),
    }
