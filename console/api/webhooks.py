"""`/webhooks`: what came from Vrio, as it was received."""

from typing import Any

from flask import Response

from console.api.deliveries import BYTES, shapes
from console.api.filters import WebhooksQuery, wanted
from console.api.operations import Call, Operations
from console.api.schemas import HappeningAnswer, WebhookAnswer
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import deliveries_of_inbound
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.listing import Happening, page_of_webhooks
from vrio_klaviyo.store.paging import Page
from vrio_klaviyo.store.tenancy import find_in
from vrio_klaviyo.store.tokens import Scope

operations = Operations("webhooks")


@operations.list("/webhooks", WebhookAnswer, WebhooksQuery)
def list_webhooks(call: Call) -> Page[InboundEvent]:
    """The webhooks from Vrio, the newest first."""
    asked = call.asked
    with call.site.db.read() as session:
        return page_of_webhooks(
            session,
            call.workspace_id,
            wanted(asked, asked.get("customer")),
            place=asked["place"],
            limit=asked["limit"],
        )


@operations.get("/webhooks/{webhook_id}", HappeningAnswer)
def show_webhook(call: Call, webhook_id: str) -> dict[str, Any]:
    """One webhook from Vrio, and every delivery that followed from it."""
    with call.site.db.read() as session:
        webhook = find_in(session, call.workspace_id, InboundEvent, webhook_id)
        return shape(session, Happening(webhook, deliveries_of_inbound(session, [webhook_id])))


@operations.get("/webhooks/{webhook_id}/body", None, scope=Scope.READ_PII)
def show_webhook_body(call: Call, webhook_id: str) -> Response:
    """What Vrio sent, byte for byte but for card data, which is never kept."""
    with call.site.db.read() as session:
        body = find_in(session, call.workspace_id, InboundEvent, webhook_id).body
    return Response(body, content_type=BYTES)


def shape(session: Session, happening: Happening) -> dict[str, Any]:
    """A webhook and what followed, as its answer's schema dumps it."""
    return {"webhook": happening.webhook, "deliveries": list(shapes(session, happening.deliveries))}
