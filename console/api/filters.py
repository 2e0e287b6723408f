"""The parameters of lists, and what they ask of the store."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from console.api.fields import Moment, Several
from console.api.operations import Strict
from vrio_klaviyo.store.deliveries import DeliveryStatus
from vrio_klaviyo.store.inbound import InboundStatus
from vrio_klaviyo.store.listing import Wanted

LARGEST_PAGE = 200
# Deliveries of a profile have no metric; this asks for them.
PROFILE = "Profile"


class PageQuery(Strict):
    """How much of a list, and where it goes on."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, LARGEST_PAGE))
    cursor = fields.String(
        load_default="", validate=validate.Length(max=500), metadata={"description": "From the page before this one."}
    )


class TimesQuery(PageQuery):
    """From when, and until when."""

    since = Moment(metadata={"description": "Made then or later."})
    until = Moment(metadata={"description": "Made before then."})


class DeliveriesQuery(TimesQuery):
    """Which deliveries."""

    status = Several([str(status) for status in DeliveryStatus])
    event = Several(metadata={"description": f"Metrics, such as Placed Order; {PROFILE} for profiles."})
    connection = Several(metadata={"description": "Ids of connections."})
    cause = Several(metadata={"description": "Causes, as /causes tells them."})
    customer = Several(metadata={"description": "Ids of customers."})
    q = fields.String(
        validate=validate.Length(max=200),
        metadata={"description": "An e-mail or a name (with read:pii), a phone number, or an id of Vrio or ours."},
    )
    expand = fields.String(validate=validate.OneOf(["attempts"]))


class WebhooksQuery(TimesQuery):
    """Which webhooks."""

    status = Several([str(status) for status in InboundStatus])
    event = Several(metadata={"description": "Vrio's words, such as transaction_completed."})
    source = Several(metadata={"description": "Ids of sources."})
    customer = Several(metadata={"description": "Ids of customers."})


class HappeningsQuery(TimesQuery):
    """Which of a customer's webhooks: those with a delivery that meets all of it."""

    status = Several([str(status) for status in DeliveryStatus])
    event = Several()
    connection = Several()
    cause = Several()


class CustomersQuery(PageQuery):
    """Whom to look for."""

    q = DeliveriesQuery().fields["q"]


class ConnectionsQuery(PageQuery):
    """Which connections."""

    archived = fields.Boolean(load_default=False)


class CausesQuery(Strict):
    """Of which deliveries."""

    status = Several(["failed", "held", "skipped"])
    connection = Several()
    since = Moment()


class SummaryQuery(Strict):
    """Of which time."""

    since = Moment(metadata={"description": "A day ago when it is left out."})
    connection = Several()


class AuditQuery(PageQuery):
    """Which entries."""

    action = fields.String()
    subject = fields.String()


def wanted(asked: Mapping[str, Any], customers: list[str] | None = None) -> Wanted:
    """What is asked of a list, in the store's words."""
    return Wanted(
        status=asked.get("status", ()),
        event=["" if event == PROFILE else event for event in asked.get("event", ())],
        connections=asked.get("connection", ()),
        sources=asked.get("source", ()),
        causes=asked.get("cause", ()),
        customers=customers,
        since=asked.get("since"),
        until=asked.get("until"),
    )
