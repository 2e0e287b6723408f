"""
Started Subscription: the first payment of a subscription.

Source: the published page, "Started Subscription".
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio import event_ids
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import row_totals, subscription_properties
from vrio_klaviyo.vrio.records import LineItem, Transaction


def started_subscription(sale: Transaction) -> list[EventRequest]:
    """
    One request for each recurring offer of an approved payment; none from the second cycle on.

    Shape:  the items of one offer stand together in Items. A first cycle may be charged in several parts: the one that
            was told first was the start.
    Units:  value is the price of all of them before any discount; a trial's may be 0.
    """
    if sale.cycle != 1:
        return []
    started = event_ids.of_subscriptions(sale).items()
    return [_of_offer(sale, lines, event_id) for event_id, lines in started if event_id not in sale.told_starts]


def _of_offer(sale: Transaction, lines: list[LineItem], event_id: str) -> EventRequest:
    return EventRequest(
        metric="Started Subscription",
        unique_id=event_id,
        time=sale.happened_at,
        value=row_totals(lines),
        currency=sale.currency,
        profile=customer_profile(sale.customer, sale.order),
        properties=subscription_properties(event_id, lines, sale.discount_code, sale.discount),
    )
