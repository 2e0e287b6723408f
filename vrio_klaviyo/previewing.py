"""Preview: what a webhook that came in would send through each connection today. Nothing is written, nothing sent."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from vrio_klaviyo import gate
from vrio_klaviyo.assembling import Assembler
from vrio_klaviyo.consequences import NO_CONNECTION, waits_because
from vrio_klaviyo.errors import Refused, UnreadableWebhook
from vrio_klaviyo.gate import SkipReason
from vrio_klaviyo.klaviyo.requests import Known, ProfileRequest, Rendered, Request, render
from vrio_klaviyo.store.connections import Connection, list_connections
from vrio_klaviyo.store.customers import link_of
from vrio_klaviyo.store.db import Database, Session
from vrio_klaviyo.store.inbound import InboundEvent, InboundStatus, find_inbound
from vrio_klaviyo.store.sources import Source, find_source
from vrio_klaviyo.vrio import routes, schemas
from vrio_klaviyo.vrio.records import Record, Webhook
from vrio_klaviyo.wanted import for_connection

UNKNOWN = "Vrio's event is not one that we know."
PROFILE_ONLY = "It makes no event. The profile goes when it has changed since it was sent last."

# Not worked off yet.
_AHEAD = (InboundStatus.RECEIVED, InboundStatus.WAITING)


@dataclass(frozen=True, slots=True)
class Previewed:
    """One request, with the bytes that would go; or, where a reason is given, would go without it."""

    request: Request
    rendered: Rendered
    skip_reason: SkipReason | None


@dataclass(frozen=True, slots=True)
class Preview:
    """
    What follows from a webhook, connection by connection.

    Shape:  note says in a sentence why there is less than one might expect; "" when there is nothing to say.
    """

    inbound: InboundEvent
    note: str
    by_connection: list[tuple[Connection, list[Previewed]]]


def preview(db: Database, inbound_id: str, now: datetime) -> Preview:
    """
    What this webhook would send today, by today's settings and by what is known today.

    Shape:  a number that Klaviyo has refused is left out, as it would be. A webhook that the intake has not worked off
            yet is told as it will be. Of one that it has, only those changes of a subscription can be told that the
            webhook itself dates: what it changed from is not known any more.
    Raises: NotFound; Refused when its body is gone or cannot be read.
    """
    # Numbering a second parcel writes, and so does remembering what is still to be worked off; nothing of that stays.
    with db.trial() as session:
        inbound = find_inbound(session, inbound_id)
        source = find_source(session, inbound.source_id)
        webhook = _loaded(inbound, source)
        connections = list_connections(session, source.workspace_id)
        assembler, waits_for = Assembler(session, source, connections), ""
        if inbound.status in _AHEAD:
            record, requests, waits_for = assembler.ahead(inbound, webhook)
        else:
            record, requests = assembler.again(inbound, webhook)
        requests, note = _worth_showing(webhook, record, requests)
        note = note or (waits_because(waits_for) if waits_for else "")
        told = [(connection, _through(session, connection, inbound, record, requests)) for connection in connections]
        session.expunge_all()
    return Preview(inbound, note or ("" if connections else NO_CONNECTION), told)


def _loaded(inbound: InboundEvent, source: Source) -> Webhook:
    if inbound.body_removed_at is not None:
        raise Refused(f"The body was removed on {inbound.body_removed_at:%d %b %Y}; nothing is left to look at.")
    try:
        return schemas.load(inbound.body, ZoneInfo(source.time_zone))
    except UnreadableWebhook as error:
        raise Refused(f"The webhook cannot be read: {error}") from error


def _worth_showing(webhook: Webhook, record: Record, requests: list[Request]) -> tuple[list[Request], str]:
    """What of the requests would go, and why not all of them would: a profile goes along with its events."""
    if webhook.record is None or not routes.is_known(webhook.event, record):
        return [], UNKNOWN
    events: list[Request] = [request for request in requests if not isinstance(request, ProfileRequest)]
    if events or webhook.event == "customer_created":
        return (events or requests[:1]), ""
    return requests[-1:], routes.ignored_because(webhook.event, record) or PROFILE_ONLY


def _through(
    session: Session, connection: Connection, inbound: InboundEvent, record: Record, requests: list[Request]
) -> list[Previewed]:
    link = link_of(session, connection.id, inbound.customer_id)
    known = Known(refused_phone=link.refused_phone if link else None)
    return [
        Previewed(
            request,
            render(request, connection.style, known),
            gate.skip_reason(request, record, connection, inbound.received_at),
        )
        for request in for_connection(requests, connection)
    ]
