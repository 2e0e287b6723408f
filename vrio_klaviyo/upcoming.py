"""
Upcoming Order: a few days before a subscription is charged, the clock says so, in Vrio's own envelope.

It is kept like a webhook, and goes the way of all webhooks: the intake looks at what is remembered by then, the gate
decides, and staff see it. Its id is the subscription's with the day of the charge, so that a day is announced once,
however many clocks there are, and a date that was moved once more.
"""

import hashlib
import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from vrio_klaviyo.store import keeping, next_charges
from vrio_klaviyo.store.connections import list_connections
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.keeping import Envelope
from vrio_klaviyo.store.next_charges import NextCharge
from vrio_klaviyo.store.sources import list_sources
from vrio_klaviyo.vrio.changes import UPCOMING

METRIC = "Upcoming Order"
# In one round of the clock; the next one goes on.
BATCH = 200


def announce(session: Session, now: datetime) -> int:
    """Keep an event for each charge that is near and that somebody wants to be told of; how many that were."""
    wanted = {one.workspace_id for one in list_connections(session) if one.active and METRIC in one.metrics_on}
    announced = 0
    for source in list_sources(session) if wanted else ():
        if source.workspace_id in wanted:
            ends = now + timedelta(days=source.upcoming_days)
            near = next_charges.take_due(session, source.id, now, ends, BATCH - announced)
            keeping.keep_own(session, source.id, [_told(charge, ZoneInfo(source.time_zone)) for charge in near], now)
            announced += len(near)
    return announced


def _told(charge: NextCharge, zone: ZoneInfo) -> tuple[Envelope, bytes, str]:
    """Envelope, body and what makes it the same as another one: the subscription and the day of its charge."""
    day = charge.due_at.astimezone(zone).date()
    envelope = Envelope("order_offer", UPCOMING, f"{charge.order_offer_id}_{day}")
    offer = {
        "id": charge.order_offer_id,
        "customer_id": charge.vrio_customer_id,
        "next_recurring_date": charge.due_at.isoformat(),
    }
    body = {
        "webhook_type": envelope.type,
        "webhook_event": envelope.event,
        "webhook_event_id": envelope.event_id,
        "webhook_data": {envelope.type: offer},
    }
    return envelope, json.dumps(body).encode(), hashlib.sha256("\n".join(envelope).encode()).hexdigest()
