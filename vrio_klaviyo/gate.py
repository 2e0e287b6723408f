"""May this request go to Klaviyo through this connection; if not, why."""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from vrio_klaviyo.klaviyo.requests import EventRequest, Request
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.vrio.records import (
    Customer,
    Order,
    OrderOffer,
    Record,
    Shipment,
    SubscriptionChange,
    Transaction,
)

# Klaviyo: events before 1990 or more than a year ahead are refused. We do not bend a date to make it pass.
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
FURTHEST_AHEAD = timedelta(days=365)

_EMAIL_SIGN = r"[^@\s\"(),:;<>\[\\\]\x00-\x20\x7f]"
_EMAIL = re.compile(rf"{_EMAIL_SIGN}+@{_EMAIL_SIGN}+\.(?:(?!\.){_EMAIL_SIGN}){{2,}}")
# Klaviyo: longer addresses are refused.
_EMAIL_LENGTH = 100


class SkipReason(StrEnum):
    """Why a request is not sent; `explain` has the sentences for people."""

    CONNECTION_PAUSED = "connection_paused"
    PUSH_EVENTS_OFF = "push_events_off"
    BEFORE_ACTIVATION = "before_activation"
    NO_EMAIL = "no_email"
    INVALID_EMAIL = "invalid_email"
    TEST_ORDER = "test_order"
    CAMPAIGN_UNKNOWN = "campaign_unknown"
    CAMPAIGN_NOT_SELECTED = "campaign_not_selected"
    INVALID_TIME = "invalid_time"
    METRIC_OFF = "metric_off"
    CUSTOMER_UNKNOWN = "customer_unknown"
    ORDER_COMPLETED = "order_completed"


class Explanation(NamedTuple):
    """A reason for people: what it means, what to do, and whether sending again helps."""

    meaning: str
    remedy: str
    again_helps: bool


def skip_reason(
    request: Request, record: Record, connection: Connection, received_at: datetime, *, by_hand: bool = False
) -> SkipReason | None:
    """
    The first reason that keeps this request from going; None when it may go.

    Shape:  what a person sends again by hand is not kept back by a pause, nor by when the connection was activated.
    Source: requirements 003-10, -11, -13, -67; test orders and the order of reasons are our choice: what a person
            switched comes before what the data lack.
    """
    if not connection.active and not by_hand:
        return SkipReason.CONNECTION_PAUSED
    if not connection.push_events:
        return SkipReason.PUSH_EVENTS_OFF
    if not by_hand and (connection.activated_at is None or received_at < connection.activated_at):
        return SkipReason.BEFORE_ACTIVATION
    if isinstance(request, EventRequest) and request.metric in connection.metrics_off:
        return SkipReason.METRIC_OFF
    if not request.profile.email:
        return SkipReason.CUSTOMER_UNKNOWN if _is_of_nobody(record) else SkipReason.NO_EMAIL
    if not is_email(request.profile.email):
        return SkipReason.INVALID_EMAIL
    if _is_test(record) and not connection.test_orders:
        return SkipReason.TEST_ORDER
    if isinstance(request, EventRequest) and _was_completed(record):
        return SkipReason.ORDER_COMPLETED
    if connection.campaigns:
        campaign = _campaign(record)
        if not campaign:
            return SkipReason.CAMPAIGN_UNKNOWN
        if campaign not in connection.campaigns:
            return SkipReason.CAMPAIGN_NOT_SELECTED
    if isinstance(request, EventRequest) and not EARLIEST <= request.time <= received_at + FURTHEST_AHEAD:
        return SkipReason.INVALID_TIME
    return None


def is_email(text: str) -> bool:
    """Whether Klaviyo may take this for an e-mail address."""
    return len(text) <= _EMAIL_LENGTH and ".." not in text and bool(_EMAIL.fullmatch(text))


def _is_test(record: Record) -> bool:
    match record:
        case Transaction(order=order, offers=offers):
            return bool(order.is_test) or any(offer.is_test for offer in offers)
        case Shipment(order=order):
            return bool(order.is_test or record.is_test)
        case SubscriptionChange(order=order, offer=offer):
            return bool(order.is_test or offer.is_test)
        case Order() | OrderOffer():
            return bool(record.is_test)
        case Customer():
            return False


def _was_completed(record: Record) -> bool:
    """Whether a cart that was left behind is an order by now."""
    if not isinstance(record, Order) or record.abandoned_at is None:
        return False
    return record.ordered_at is not None and record.ordered_at <= record.abandoned_at


def _is_of_nobody(record: Record) -> bool:
    """Whether Vrio has told nothing of the customer, as it does with shipments and subscriptions."""
    return isinstance(record, Shipment | SubscriptionChange) and not record.customer.first_name


def _campaign(record: Record) -> str:
    match record:
        case Transaction():
            return record.campaign_id or record.order.campaign_id
        case Shipment():
            return record.campaign_id or record.order.campaign_id
        case SubscriptionChange(offer=offer, order=order):
            return offer.campaign_id or order.campaign_id
        case Order() | OrderOffer():
            return record.campaign_id
        case Customer():
            return ""


def explain(reason: SkipReason) -> Explanation:
    """The reason in words."""
    return _EXPLAINED[reason]


_EXPLAINED = {
    SkipReason.CONNECTION_PAUSED: Explanation(
        "The connection was paused when this came in.",
        "Activate the connection, then send it again.",
        again_helps=True,
    ),
    SkipReason.PUSH_EVENTS_OFF: Explanation(
        "Push Events is off for this connection.",
        "Switch Push Events on, then send it again.",
        again_helps=True,
    ),
    SkipReason.BEFORE_ACTIVATION: Explanation(
        "This came in before the connection was activated for the first time.",
        "Send it again if Klaviyo should have it after all.",
        again_helps=True,
    ),
    SkipReason.NO_EMAIL: Explanation(
        "The customer has no e-mail address, and Klaviyo knows people by it.",
        "Add the e-mail address in Vrio; what comes after that will go.",
        again_helps=False,
    ),
    SkipReason.INVALID_EMAIL: Explanation(
        "The customer's e-mail address cannot be one.",
        "Correct the e-mail address in Vrio; what comes after that will go.",
        again_helps=False,
    ),
    SkipReason.TEST_ORDER: Explanation(
        "This is a test order.",
        "Nothing to do: test orders stay out of a merchant's figures.",
        again_helps=False,
    ),
    SkipReason.CAMPAIGN_UNKNOWN: Explanation(
        "The connection sends chosen campaigns only, and the webhook does not say which one this is.",
        "Send it again after the campaign filter was emptied.",
        again_helps=True,
    ),
    SkipReason.CAMPAIGN_NOT_SELECTED: Explanation(
        "The connection sends chosen campaigns only, and this one is not among them.",
        "Add the campaign to the connection, then send it again.",
        again_helps=True,
    ),
    SkipReason.METRIC_OFF: Explanation(
        "This connection does not send this event.",
        "Switch the event on for the connection, then send it again.",
        again_helps=True,
    ),
    SkipReason.CUSTOMER_UNKNOWN: Explanation(
        "Vrio has told nothing of this customer, not even the e-mail address.",
        "Give the source a REST key, or wait for the customer's next payment; then send it again.",
        again_helps=True,
    ),
    SkipReason.ORDER_COMPLETED: Explanation(
        "The order was completed before it counted as abandoned.",
        "Nothing to do: a reminder would come too late.",
        again_helps=False,
    ),
    SkipReason.INVALID_TIME: Explanation(
        "The event's date is before 1990 or more than a year ahead, which Klaviyo refuses.",
        "Correct the date in Vrio.",
        again_helps=False,
    ),
}
