"""
What commands tell of each thing.

Ids and times are text. What refers to another thing is that thing's id; a workspace, whose name is unique, is named.
"""

from typing import Any

from console.commands.output import moment
from vrio_klaviyo.gate import SkipReason, explain
from vrio_klaviyo.klaviyo.requests import EventRequest, Known, kind_of, loads, render
from vrio_klaviyo.previewing import Previewed
from vrio_klaviyo.replaying import waits_because
from vrio_klaviyo.store.accounts import account_of
from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.connections import Connection, find_connection
from vrio_klaviyo.store.customers import Customer
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.replays import Replay, results
from vrio_klaviyo.store.sources import Source
from vrio_klaviyo.store.workspaces import Workspace, find_workspace

Shape = dict[str, Any]


def of_workspace(workspace: Workspace) -> Shape:
    """A workspace."""
    return {"id": workspace.id, "name": workspace.name, "created_at": moment(workspace.created_at)}


def of_source(session: Session, source: Source) -> Shape:
    """A source, without its webhook path, which is a secret."""
    return {
        "id": source.id,
        "name": source.name,
        "workspace": find_workspace(session, source.workspace_id).name,
        "time_zone": source.time_zone,
        "country": source.country,
        "currency": source.currency,
        "upcoming_days": source.upcoming_days,
        "has_api_key": source.api_key_sealed is not None,
        "previous_key_until": moment(source.previous_key_until),
        "created_at": moment(source.created_at),
    }


def of_connection(session: Session, connection: Connection) -> Shape:
    """A connection and the Klaviyo account behind it; of its key only the end."""
    account = account_of(session, connection)
    return {
        "id": connection.id,
        "name": connection.name,
        "workspace": find_workspace(session, connection.workspace_id).name,
        "status": connection.status,
        "account": {"id": account.klaviyo_id, "name": account.name},
        "key_hint": connection.key_hint,
        "key_status": connection.key_status,
        "key_reason": connection.key_reason,
        "push_events": connection.push_events,
        "campaigns": connection.campaigns,
        "metrics_off": connection.metrics_off,
        "metrics_on": connection.metrics_on,
        "additional_properties": connection.additional_properties,
        "values": "typed" if connection.typed else "strings",
        "one_time_as_placed_order": connection.one_time_as_placed_order,
        "test_orders": connection.test_orders,
        "phone": connection.phone_placement,
        "rate_per_minute": account.rate_per_minute,
        "scopes": connection.scopes,
        "revision": connection.revision,
        "activated_at": moment(connection.activated_at),
        "checked_at": moment(connection.checked_at),
        "created_at": moment(connection.created_at),
    }


def of_inbound(inbound: InboundEvent, deliveries: int) -> Shape:
    """An inbound event, without its body; `deliveries` is how many it has opened."""
    return {
        "id": inbound.id,
        "source": inbound.source_id,
        "type": inbound.type,
        "event": inbound.event,
        "event_id": inbound.event_id,
        "customer": inbound.customer_id,
        "status": inbound.status,
        "reason": inbound.reason,
        "notes": inbound.notes,
        "received_at": moment(inbound.received_at),
        "finished_at": moment(inbound.finished_at),
        "deliveries": deliveries,
    }


def of_delivery(delivery: Delivery, attempts: int) -> Shape:
    """A delivery, without its request; `attempts` is how many it has had."""
    return {
        "id": delivery.id,
        "connection": delivery.connection_id,
        "customer": delivery.customer_id,
        "inbound_event": delivery.inbound_event_id,
        "kind": delivery.kind,
        "metric": delivery.metric,
        "unique_id": delivery.unique_id,
        "status": delivery.status,
        "reason": delivery.reason,
        "notes": delivery.notes,
        "attempts": attempts,
        "next_attempt_at": moment(delivery.next_attempt_at),
        "created_at": moment(delivery.created_at),
        "finished_at": moment(delivery.finished_at),
    }


def of_request(delivery: Delivery, connection: Connection, base_url: str) -> Shape:
    """What is owed, as it goes out when nothing is known against it; what did go out stands on the attempts."""
    rendered = render(loads(delivery.request), connection.style, Known())
    return {
        "method": rendered.method,
        "url": base_url.rstrip("/") + rendered.path,
        "headers": dict(rendered.headers),
        "body": rendered.body.decode(),
    }


def of_previewed(previewed: Previewed) -> Shape:
    """What one request would be, or why it would not go."""
    request, reason = previewed.request, previewed.skip_reason
    event = request if isinstance(request, EventRequest) else None
    return {
        "kind": kind_of(request),
        "metric": event.metric if event else "",
        "unique_id": event.unique_id if event else "",
        "method": previewed.rendered.method,
        "path": previewed.rendered.path,
        "body": previewed.rendered.body.decode(),
        "reason": str(reason) if reason else "",
        "meaning": explain(reason).meaning if reason else "",
        "remedy": explain(reason).remedy if reason else "",
    }


def of_skip(delivery: Delivery) -> Shape:
    """Why a delivery was not sent, and what to do; nothing for one that is owed, or was sent."""
    if delivery.status != DeliveryStatus.SKIPPED:
        return {}
    explanation = explain(SkipReason(delivery.reason))
    return {"meaning": explanation.meaning, "remedy": explanation.remedy}


def of_attempt(attempt: Attempt, delivery: Delivery) -> Shape:
    """One exchange with Klaviyo. There is no response while it is under way, and when nothing came back."""
    response = {
        "status": attempt.response_status,
        "headers": attempt.response_headers,
        "body": text(attempt.response_body or b""),
    }
    return {
        "id": attempt.id,
        "attempt": attempt.number,
        "trigger": attempt.trigger,
        "started_at": moment(attempt.started_at),
        "duration_ms": attempt.duration_ms,
        "delivery": delivery.id,
        "connection": attempt.connection_id,
        "metric": delivery.metric,
        "unique_id": delivery.unique_id,
        "inbound_event": attempt.inbound_event_id,
        "request": {
            "method": attempt.method,
            "url": attempt.url,
            "headers": attempt.request_headers,
            "body": text(attempt.request_body),
        },
        "response": None if attempt.response_status is None else response,
        "error": attempt.error,
    }


def of_customer(session: Session, customer: Customer) -> Shape:
    """A customer, without the log."""
    return {
        "id": customer.id,
        "workspace": find_workspace(session, customer.workspace_id).name,
        "source": customer.source_id,
        "vrio_id": customer.vrio_id,
        "email": customer.email,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "phone": customer.phone,
    }


def of_replay(session: Session, replay: Replay) -> Shape:
    """A replay, and what it has come to so far."""
    return {
        "id": replay.id,
        "connection": replay.connection_id,
        "status": replay.status,
        "waits_because": waits_because(replay, find_connection(session, replay.connection_id)),
        "total": replay.total,
        "released": replay.released,
        "results": results(session, replay),
        "rate": replay.rate,
        "rebuild": replay.rebuild,
        "despite_pause": replay.despite_pause,
        "wanted": replay.wanted,
        "started_by": replay.started_by,
        "started_at": moment(replay.started_at),
        "ended_at": moment(replay.ended_at),
    }


def text(body: bytes) -> str:
    """A body as text; bytes that are none are shown as such."""
    return body.decode("utf-8", "replace")
