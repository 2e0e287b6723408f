"""
Send again: may this delivery go out once more, and with which body; if it may not, why.

The body is the one that went out last, byte for byte, or it is built again from Vrio's webhook by what is known and set
today. What was never sent has no such body, so it is always built again, and the gate is asked once more. E-mail, time
and unique id stay as they were promised: under another one of them Klaviyo would take it for something else. What is
history by now says so. And late never overwrites new: once Klaviyo has a newer picture of the customer, the lane sends
of the profile the identity only.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from vrio_klaviyo import gate, log
from vrio_klaviyo.assembling import Assembler
from vrio_klaviyo.errors import BROKEN_ROW, Refused, UnreadableWebhook
from vrio_klaviyo.gate import SkipReason, explain
from vrio_klaviyo.klaviyo.requests import EventRequest, Request, loads
from vrio_klaviyo.store import leases, resending
from vrio_klaviyo.store.connections import Connection, KeyStatus, find_connection
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus, find_delivery
from vrio_klaviyo.store.inbound import find_inbound
from vrio_klaviyo.store.resending import MANUAL
from vrio_klaviyo.store.sources import find_source
from vrio_klaviyo.vrio import schemas
from vrio_klaviyo.vrio.records import Record
from vrio_klaviyo.wanted import for_connection

# For so long a delivery is tried by itself. What is sent later than that is history, and must start no flow.
HISTORY_AFTER = timedelta(days=3)

GONE = "Its webhook no longer makes this request: it can be sent with the same body only."


@dataclass(frozen=True, slots=True)
class Again:
    """
    How a delivery goes out once more: a request that was built anew, the attempt whose bytes go, or neither.

    Shape:  backfill says that it is history by now.
    """

    request: Request | None = None
    same_as: str | None = None
    backfill: bool = False


def send_again(
    session: Session, delivery_id: str, now: datetime, *, rebuild: bool = False, despite_pause: bool = False
) -> Connection:
    """
    Queue one more attempt, and no retry after it; the connection, whose lane is to be rung.

    Shape:  a retry that was waiting is given up for it. On a paused connection only when that is asked for.
    Raises: NotFound; Refused, with the reason.
    """
    delivery = find_delivery(session, delivery_id)
    connection = find_connection(session, delivery.connection_id)
    leases.shut_out(session, f"lane/{connection.account_id}")
    session.refresh(delivery, with_for_update=True)
    again = how(session, delivery, connection, now, rebuild=rebuild, despite_pause=despite_pause)
    resending.queue_again(
        session, delivery, MANUAL, now, request=again.request, same_as=again.same_as, backfill=again.backfill
    )
    return connection


def how(
    session: Session, delivery: Delivery, connection: Connection, now: datetime, *, rebuild: bool, despite_pause: bool
) -> Again:
    """
    How this delivery goes out once more. To be asked by who has shut out the lane.

    Raises: Refused.
    """
    _may_be_asked(session, delivery, connection, despite_pause)
    skipped, history = delivery.status == DeliveryStatus.SKIPPED, is_history(delivery, now)
    if not (rebuild or skipped):
        # What is history says so in its body, which is then not the one that went out last.
        return Again(same_as=None if history else resending.last_alone(session, delivery.id), backfill=history)
    record, built = _built(session, delivery, connection)
    if built is None and rebuild:
        raise Refused(GONE)
    if not skipped:
        return Again(built, backfill=history)
    request, received_at = (
        built or loads(delivery.request),
        find_inbound(session, delivery.inbound_event_id).received_at,
    )
    reason = gate.skip_reason(request, record, connection, received_at, by_hand=True) if record else None
    if reason:
        raise Refused(" ".join(explain(reason)[:2]))
    return Again(request, backfill=history)


def hopeless() -> list[str]:
    """The reasons for not sending that no sending again helps against."""
    return [str(reason) for reason in SkipReason if not explain(reason).again_helps]


def is_history(delivery: Delivery, now: datetime) -> bool:
    """Whether so much time has passed since it happened that no flow must start."""
    try:
        request = loads(delivery.request)
    except BROKEN_ROW:
        # The lane finds that out too, and shows why.
        return False
    return isinstance(request, EventRequest) and request.time < now - HISTORY_AFTER


def _may_be_asked(session: Session, delivery: Delivery, connection: Connection, despite_pause: bool) -> None:
    if resending.is_being_sent(session, delivery.id):
        raise Refused(f"{delivery.id} is being sent right now. Look again in a moment.")
    if delivery.status == DeliveryStatus.QUEUED:
        raise Refused(f"{delivery.id} is in the queue and goes out by itself.")
    if delivery.bodies_removed_at is not None:
        raise Refused(f"Its bodies were removed on {delivery.bodies_removed_at:%d %b %Y}; nothing is left to send.")
    if connection.archived_at is not None:
        raise Refused("The connection is archived: nothing is sent through it any more.")
    if not connection.push_events:
        raise Refused("Push Events is off for this connection. Switch it on, then send it again.")
    if connection.key_status == KeyStatus.REJECTED:
        raise Refused("Klaviyo does not take the connection's key. Give it another one, then send it again.")
    if not connection.active and not despite_pause:
        raise Refused("The connection is paused. Activate it, or say that this is to go out despite the pause.")
    if delivery.status == DeliveryStatus.SKIPPED:
        explanation = explain(SkipReason(delivery.reason))
        if not explanation.again_helps:
            raise Refused(f"{explanation.meaning} {explanation.remedy}")
        if other := resending.promised_by(session, delivery):
            raise Refused(f"The same was promised anew since: see {other}.")


def _built(session: Session, delivery: Delivery, connection: Connection) -> tuple[Record | None, Request | None]:
    """What the webhook says today, and of what follows from it the request that takes this one's place."""
    inbound = find_inbound(session, delivery.inbound_event_id)
    source = find_source(session, inbound.source_id)
    if inbound.body_removed_at is not None:
        return None, None
    try:
        webhook = schemas.load(inbound.body, ZoneInfo(source.time_zone))
        record, requests = Assembler(session, source, [connection]).again(inbound, webhook)
        kept = loads(delivery.request)
    except UnreadableWebhook:
        return None, None
    except BROKEN_ROW as error:
        log.error("delivery.not_built", delivery=delivery.id, error=type(error).__name__)
        raise Refused(f"Building it again failed ({type(error).__name__}).") from error
    for request in for_connection(requests, connection):
        if _takes_the_place_of(kept, request):
            return record, _as_promised(request, kept)
    return record, None


def _takes_the_place_of(kept: Request, request: Request) -> bool:
    match kept, request:
        case EventRequest(), EventRequest():
            return (kept.metric, kept.unique_id) == (request.metric, request.unique_id)
    return type(kept) is type(request)


def _as_promised(request: Request, kept: Request) -> Request:
    """The request under the e-mail and time of the one that was kept; an address that was missing may come in."""
    profile = replace(request.profile, email=kept.profile.email or request.profile.email)
    match request, kept:
        case EventRequest(), EventRequest():
            return replace(request, profile=profile, time=kept.time)
    return replace(request, profile=profile)
