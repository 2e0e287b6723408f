"""
THE TABLE: what happened at Vrio, and what Klaviyo is told of it.

Source: the published page, "Event Types and Properties"; Vrio help centre, "Webhook events reference".
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from typing import Any

from vrio_klaviyo.klaviyo.requests import EventRequest, Request
from vrio_klaviyo.vrio.additional import additional_properties
from vrio_klaviyo.vrio.changes import UPCOMING
from vrio_klaviyo.vrio.events.abandoned_order import abandoned_order
from vrio_klaviyo.vrio.events.cancelled_last_subscription import cancelled_last_subscription
from vrio_klaviyo.vrio.events.cancelled_subscription import cancelled_subscription
from vrio_klaviyo.vrio.events.customer_created import customer_created
from vrio_klaviyo.vrio.events.declined_order import declined_order
from vrio_klaviyo.vrio.events.expired_subscription import expired_subscription
from vrio_klaviyo.vrio.events.final_payment_failure import final_payment_failure
from vrio_klaviyo.vrio.events.fulfilled_order import fulfilled_order
from vrio_klaviyo.vrio.events.next_charge_date_changed import next_charge_date_changed
from vrio_klaviyo.vrio.events.order_alert import order_alert
from vrio_klaviyo.vrio.events.order_auth import order_auth
from vrio_klaviyo.vrio.events.order_chargeback import order_chargeback
from vrio_klaviyo.vrio.events.ordered_product import ordered_product
from vrio_klaviyo.vrio.events.paused_subscription import paused_subscription
from vrio_klaviyo.vrio.events.payment_recovered import payment_recovered
from vrio_klaviyo.vrio.events.placed_non_recurring_order import placed_non_recurring_order
from vrio_klaviyo.vrio.events.placed_order import placed_order
from vrio_klaviyo.vrio.events.reactivated_subscription import reactivated_subscription
from vrio_klaviyo.vrio.events.refunded_order import refunded_order
from vrio_klaviyo.vrio.events.skipped_subscription import skipped_subscription
from vrio_klaviyo.vrio.events.started_subscription import started_subscription
from vrio_klaviyo.vrio.events.unpaused_subscription import unpaused_subscription
from vrio_klaviyo.vrio.events.unskipped_subscription import unskipped_subscription
from vrio_klaviyo.vrio.events.upcoming_order import upcoming_order
from vrio_klaviyo.vrio.events.voided_order import voided_order
from vrio_klaviyo.vrio.records import Customer, Order, Record, Shipment, SubscriptionChange, Transaction

Builder = Callable[[Any], list[Any]]

ROUTES: Mapping[str, tuple[Builder, ...]] = {
    "subscription_sale": (placed_order, ordered_product, started_subscription),
    "one_time_sale": (placed_non_recurring_order, ordered_product),
    "declined": (declined_order,),
    "auth": (order_auth,),
    "refund": (refunded_order,),
    "void": (voided_order,),
    "chargeback": (order_chargeback,),
    "alert": (order_alert,),
    "cart_abandoned": (abandoned_order,),
    "parcel_shipped": (fulfilled_order,),
    "subscription_cancelled": (cancelled_subscription,),
    "subscription_paused": (paused_subscription,),
    "subscription_unpaused": (unpaused_subscription,),
    "subscription_reactivated": (reactivated_subscription,),
    "customer_created": (customer_created,),
}

# What merchants build flows on and the published page lacks: nobody gets any of these before switching it on.
BEYOND: Mapping[str, Builder] = {
    "Skipped Subscription": skipped_subscription,
    "Unskipped Subscription": unskipped_subscription,
    "Payment Recovered": payment_recovered,
    "Final Payment Failure": final_payment_failure,
    "Cancelled Last Subscription": cancelled_last_subscription,
    "Expired Subscription": expired_subscription,
    "Next Charge Date Changed": next_charge_date_changed,
    "Upcoming Order": upcoming_order,
}

ROUTES_BEYOND: Mapping[str, tuple[str, ...]] = {
    "transaction_skipped": ("Skipped Subscription",),
    "transaction_unskipped": ("Unskipped Subscription",),
    "subscription_sale": ("Payment Recovered",),
    "one_time_sale": ("Payment Recovered",),
    "subscription_cancelled": ("Final Payment Failure", "Cancelled Last Subscription"),
    "subscription_expired": ("Expired Subscription", "Final Payment Failure"),
    "subscription_failed": ("Final Payment Failure",),
    "subscription_rescheduled": ("Next Charge Date Changed",),
    "subscription_upcoming": ("Upcoming Order",),
}

# Known, and nothing follows: the sentence says why, and staff read it.
IGNORED: Mapping[str, str] = {
    "cod": "Klaviyo has no event for a payment on delivery.",
    "chargeback_reversal": "Klaviyo has no event for the reversal of a chargeback.",
    "returned_check": "Klaviyo has no event for a returned check.",
    "declined_credit": "It was declined, so no money moved.",
    "transaction_of_unknown_type": "Its transaction_type_id cannot be read, so nobody can tell what happened.",
    "payment_of_unknown_result": "Its transaction_declined does not say whether the payment was approved.",
    "transaction_skipped": "A skipped payment makes no event.",
    "transaction_unskipped": "A payment that is due again makes no event.",
    UPCOMING: "The subscription is not charged on that day any more, or nobody is told of it ahead.",
    "order_updated": "Vrio sends it for any change of an order; it says nothing of its own.",
    "order_offer_updated": "Nothing changed that Klaviyo is told of: no pause, no end of one, no new start.",
    "order_offer_cancelled": "Nothing changed: it was cancelled before, or a later webhook has said what became of it.",
    "shipment_fulfilled": "Klaviyo is told of a parcel when it is shipped, not before.",
    "shipment_scheduled": "Klaviyo is told of a parcel when it is shipped, not before.",
    "shipment_cancelled": "Klaviyo has no event for a shipment that does not take place.",
    "shipment_skipped": "Klaviyo has no event for a shipment that does not take place.",
    "shipment_address_updated": "Klaviyo has no event for a changed shipment.",
    "shipment_item_updated": "Klaviyo has no event for a changed shipment.",
    "shipment_error": "Klaviyo has no event for a shipment in trouble.",
    "shipment_rma": "Klaviyo has no event for a returned shipment.",
}

# The reasons that tell of something which happened, and nobody knows what it was.
UNCLEAR = frozenset({IGNORED["transaction_of_unknown_type"], IGNORED["payment_of_unknown_result"]})

# Every metric of the published page, in its order: each is on until a merchant switches it off.
METRICS = (
    "Placed Order",
    "Placed Non-Recurring Order",
    "Declined Order",
    "Fulfilled Order",
    "Refunded Order",
    "Voided Order",
    "Order Chargeback",
    "Order Alert",
    "Order Auth",
    "Abandoned Order",
    "Ordered Product",
    "Started Subscription",
    "Cancelled Subscription",
    "Paused Subscription",
    "Unpaused Subscription",
    "Reactivated Subscription",
)


def requests_for(event: str, record: Record | None, beyond: Set[str] = frozenset()) -> list[Request]:
    """
    All that Klaviyo is to be told; empty for what is ignored or unknown.

    Shape:  beyond are the metrics of `BEYOND` that somebody wants; the others are not even made.
    """
    happened = trigger(event, record)
    wanted = (BEYOND[metric] for metric in ROUTES_BEYOND.get(happened, ()) if metric in beyond)
    return [request for build in (*ROUTES.get(happened, ()), *wanted) for request in told_of(record, build)]


def told_of(record: Record | None, build: Builder) -> list[Request]:
    """What one builder makes of a record; each event takes along what a connection may add to it."""
    return [
        replace(request, additional=additional_properties(record)) if isinstance(request, EventRequest) else request
        for request in build(record)
    ]


def ignored_because(event: str, record: Record | None) -> str | None:
    """The reason why nothing follows, a sentence for staff; None when something does, or the event is unknown."""
    return IGNORED.get(trigger(event, record))


def is_known(event: str, record: Record | None) -> bool:
    """Whether one of the tables has a row for what happened."""
    happened = trigger(event, record)
    return happened in ROUTES or happened in ROUTES_BEYOND or happened in IGNORED


def trigger(event: str, record: Record | None) -> str:
    """
    What happened, in the words of the tables.

    Shape:  the event's own name where nothing is made of it; "" when an event is named like a row that is none of its
            own.
    """
    match record:
        case Transaction() if event == "transaction_completed":
            return _of_payment(record)
        # Vrio: the first is how it is spelled; the second is in case that gets corrected.
        case Order() if event in ("order_abandonned", "order_abandoned"):
            return "cart_abandoned"
        case Shipment() if event == "shipment_shipped":
            return "parcel_shipped"
        case SubscriptionChange():
            return f"subscription_{record.kind}"
        case Customer() if event == "customer_created":
            return "customer_created"
    return "" if event in ROUTES or event.startswith("subscription_") else event


def _of_payment(payment: Transaction) -> str:
    match payment.kind, payment.approved:
        case "sale" | "capture" | "auth", None:
            return "payment_of_unknown_result"
        case "sale" | "capture" | "auth", False:
            return "declined"
        case "sale" | "capture", True:
            return "subscription_sale" if _is_for_subscription(payment) else "one_time_sale"
        case None, _:
            return "transaction_of_unknown_type"
        case _, False:
            return "declined_credit"
        case kind, _:
            return kind.replace(" ", "_")


def _is_for_subscription(sale: Transaction) -> bool:
    # Vrio: what is bought once has no second cycle.
    return any(line.is_recurring for line in sale.lines) or (sale.cycle or 1) > 1
