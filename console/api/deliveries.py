"""`/deliveries`: what is owed to Klaviyo, every attempt at it, and sending it again."""

from collections.abc import Iterable, Sequence
from typing import Any

from flask import Response
from marshmallow import fields, validate

from console.api.answering import needs_scope
from console.api.filters import CausesQuery, DeliveriesQuery, wanted
from console.api.operations import Call, Operations, Strict
from console.api.schemas import AttemptAnswer, CausesAnswer, DeliveryAnswer
from console.api.trail import note
from console.explaining import explained
from vrio_klaviyo.errors import NotFound
from vrio_klaviyo.sending_again import send_again
from vrio_klaviyo.store.attempts import Attempt, counts_of_deliveries
from vrio_klaviyo.store.causes import STANDING_STILL, groups_by_cause
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.listing import attempts_of, page_of_deliveries
from vrio_klaviyo.store.paging import Page
from vrio_klaviyo.store.searching import QueryKind, ids_meant, understood
from vrio_klaviyo.store.tenancy import find_in
from vrio_klaviyo.store.tokens import Scope

operations = Operations("deliveries")

BYTES = "application/octet-stream"


class ExpandQuery(Strict):
    """What is shown beside it."""

    expand = fields.String(validate=validate.OneOf(["attempts"]))


class ResendBody(Strict):
    """How it is sent again."""

    rebuild = fields.Boolean(
        load_default=False, metadata={"description": "Built again from Vrio's webhook, with the settings of today."}
    )
    despite_pause = fields.Boolean(load_default=False)


@operations.list("/deliveries", DeliveryAnswer, DeliveriesQuery)
def list_deliveries(call: Call) -> Page[dict[str, Any]]:
    """The deliveries, the newest first."""
    asked = call.asked
    with call.site.db.read() as session:
        page = page_of_deliveries(
            session,
            call.workspace_id,
            wanted(asked, customers_asked(call, session)),
            place=asked["place"],
            limit=asked["limit"],
        )
        return page.of(shapes(session, page.rows, expand="expand" in asked))


@operations.get("/deliveries/{delivery_id}", DeliveryAnswer, query=ExpandQuery)
def show_delivery(call: Call, delivery_id: str) -> dict[str, Any]:
    """One delivery."""
    with call.site.db.read() as session:
        delivery = find_in(session, call.workspace_id, Delivery, delivery_id)
        return next(iter(shapes(session, [delivery], expand="expand" in call.asked)))


@operations.list("/deliveries/{delivery_id}/attempts", AttemptAnswer, Strict)
def list_attempts(call: Call, delivery_id: str) -> Page[Attempt]:
    """Every attempt at a delivery, the first one first, in one page."""
    with call.site.db.read() as session:
        find_in(session, call.workspace_id, Delivery, delivery_id)
        return Page(attempts_of(session, [delivery_id]))


@operations.get("/deliveries/{delivery_id}/attempts/{attempt_id}/request", None, scope=Scope.READ_PII)
def show_request_body(call: Call, delivery_id: str, attempt_id: str) -> Response:
    """What was sent to Klaviyo, byte for byte."""
    return Response(_attempt(call, delivery_id, attempt_id).request_body, content_type=BYTES)


@operations.get("/deliveries/{delivery_id}/attempts/{attempt_id}/response", None, scope=Scope.READ_PII)
def show_response_body(call: Call, delivery_id: str, attempt_id: str) -> Response:
    """What Klaviyo answered, byte for byte up to 64 KiB."""
    return Response(_attempt(call, delivery_id, attempt_id).response_body or b"", content_type=BYTES)


@operations.post(
    "/deliveries/{delivery_id}/resend",
    DeliveryAnswer,
    Scope.RESEND,
    status=202,
    body=ResendBody,
    idempotency="must",
    problems=("conflict",),
)
def resend_delivery(call: Call, delivery_id: str) -> dict[str, Any]:
    """
    Send a delivery once more.

    One attempt, no automatic retry; a retry that was waiting is given up for it. It goes out under the same unique id,
    so Klaviyo counts it once.
    """
    with call.site.db.write() as session:
        find_in(session, call.workspace_id, Delivery, delivery_id)
        connection = send_again(session, delivery_id, call.site.now(), **call.told)
        note(call, session, "delivery.resent", delivery_id, **call.told)
    call.site.bells.ring("lane", connection.account_id)
    with call.site.db.read() as session:
        delivery = find_in(session, call.workspace_id, Delivery, delivery_id)
        return next(iter(shapes(session, [delivery])))


@operations.get("/causes", CausesAnswer, query=CausesQuery)
def list_causes(call: Call) -> dict[str, Any]:
    """Failed, held and not sent deliveries by their cause, with what to do."""
    asked = call.asked
    with call.site.db.read() as session:
        groups = groups_by_cause(
            session,
            call.workspace_id,
            statuses=asked.get("status") or STANDING_STILL,
            connections=asked.get("connection", ()),
            since=asked.get("since"),
        )
    return {
        "data": [
            {name: getattr(group, name) for name in group.__slots__}
            | {"explanation": _explanation(group.status, group.cause)}
            for group in groups
        ]
    }


def customers_asked(call: Call, session: Session) -> list[str] | None:
    """The customers that a list is asked for, by id or by what was typed; None for all. Raises Problem."""
    ids: list[str] | None = call.asked.get("customer")
    typed = call.asked.get("q")
    if not typed:
        return ids
    query = understood(typed)
    if query.kind in (QueryKind.EMAIL, QueryKind.NAME):
        # Whoever may ask for what begins so could find out every address, sign by sign.
        needs_scope(call, Scope.READ_PII, "Looking for an e-mail or a name")
    meant = ids_meant(session, call.workspace_id, query)
    return [one for one in meant if one in ids] if ids is not None else meant


def shapes(session: Session, deliveries: Sequence[Delivery], *, expand: bool = False) -> Iterable[dict[str, Any]]:
    """Deliveries as their answer's schema dumps them."""
    ids = [delivery.id for delivery in deliveries]
    counts = counts_of_deliveries(session, ids) if ids else {}
    expanded: dict[str, list[Attempt]] = {delivery_id: [] for delivery_id in ids} if expand else {}
    for attempt in attempts_of(session, list(expanded)) if expanded else ():
        expanded[attempt.delivery_id].append(attempt)
    same = ("id", "kind", "metric", "unique_id", "status", "notes", "next_attempt_at", "created_at", "finished_at")
    for delivery in deliveries:
        told = {name: getattr(delivery, name) for name in same} | {
            "connection": delivery.connection_id,
            "customer": delivery.customer_id,
            "inbound_event": delivery.inbound_event_id,
            "reason": delivery.cause,
            "explanation": _explanation(delivery.status, delivery.cause),
            "attempts": counts.get(delivery.id, 0),
        }
        yield told | {"expanded": expanded[delivery.id]} if expand else told


def _explanation(status: str, cause: str) -> dict[str, Any] | None:
    words = explained(status, cause)
    return words._asdict() if words else None


def _attempt(call: Call, delivery_id: str, attempt_id: str) -> Attempt:
    with call.site.db.read() as session:
        attempt = find_in(session, call.workspace_id, Attempt, attempt_id)
    if attempt.delivery_id != delivery_id:
        raise NotFound(f"nothing here has the id {attempt_id}")
    return attempt
