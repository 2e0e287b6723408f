"""Test events: what a person has sent through a connection to see that it works. They count in no figure."""

import json
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from vrio_klaviyo.errors import Refused
from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.store import resending
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import TEST_ID, Delivery
from vrio_klaviyo.store.ids import new_id
from vrio_klaviyo.store.inbound import InboundEvent, InboundStatus
from vrio_klaviyo.store.opening import Opening, open_delivery
from vrio_klaviyo.store.resending import MANUAL
from vrio_klaviyo.store.sources import Source

# The event of the webhook that stands in for the one that Vrio did not send.
TEST = "test_event"


def new_test_id() -> str:
    """A unique id that no event of Vrio's can have."""
    return new_id(TEST_ID)


def open_test_event(session: Session, connection: Connection, request: EventRequest, now: datetime) -> Delivery:
    """
    A test event, owed from now on as if a person had asked for it once more: one attempt, also while paused.

    Shape:  a delivery belongs to a webhook, so one of our own stands in, at the workspace's oldest source.
    Raises: Refused when the workspace has no source yet.
    """
    sources = select(Source.id).where(Source.workspace_id == connection.workspace_id).order_by(Source.id)
    source_id = session.scalar(sources.limit(1))
    if source_id is None:
        raise Refused("the workspace has no source yet: make one first, then send the test event")
    told = {"test": True, "metric": request.metric, "unique_id": request.unique_id}
    inbound = InboundEvent(
        id=new_id("in"),
        source_id=source_id,
        type=TEST,
        event=TEST,
        event_id=request.unique_id,
        received_at=now,
        body=json.dumps(told).encode(),
        dedup_key=request.unique_id,
        status=InboundStatus.PROCESSED,
        reason="",
        notes=[],
        starts=0,
        customer_id=None,
        finished_at=now,
        waits_for="",
        wait_until=None,
        body_removed_at=None,
    )
    session.add(inbound)
    session.flush()
    opening = Opening(
        connection_id=connection.id,
        source_id=source_id,
        customer_id=None,
        inbound_event_id=inbound.id,
        request=request,
        as_of=now,
        skip_reason=None,
        notes=(),
    )
    delivery_id = open_delivery(session, opening, now)
    delivery = session.get_one(Delivery, delivery_id)
    resending.queue_again(session, delivery, MANUAL, now)
    session.refresh(delivery)
    return delivery
