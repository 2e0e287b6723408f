"""Webhooks to post, and a request that Klaviyo takes; each may be changed as a test likes."""

import copy
import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from vrio_klaviyo.klaviyo.requests import EventRequest, Profile

SAMPLES = Path(__file__).parents[1] / "sandbox" / "samples"

SALE = "transaction_completed_sale_subscription_cycle1"
DECLINED = "transaction_completed_declined_cycle1"


@cache
def _sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_bytes())


def sample(name: str) -> dict[str, Any]:
    """A sample webhook, to be changed as you like."""
    return copy.deepcopy(_sample(name))


def declined(
    number: int = 1,
    *,
    customer: int = 301,
    email: str = "john@acme.test",
    phone: str = "(555) 123-4567",
    at: str = "2026-08-30 11:00:00",
    campaign: str = "1",
) -> dict[str, Any]:
    """A declined payment: one webhook that becomes one delivery, transaction 1001 for number 1."""
    body = sample(DECLINED)
    body |= {"webhook_event_id": 7000 + number, "webhook_event_date": at}
    transaction = body["webhook_data"]["transaction"]
    transaction |= {"id": str(1000 + number), "date_complete": at, "date_modified": at}
    transaction["customer"] |= {"id": str(customer), "email": email, "phone": phone, "date_modified": at}
    transaction["order"] |= {"customer_id": str(customer), "campaign_id": campaign, "date_modified": at}
    transaction["campaign"]["id"] = campaign
    return body


def event(unique_id: str = "1668", *, email: str = "john@acme.test", **changes: Any) -> EventRequest:
    """A neutral request that Klaviyo takes."""
    fields: dict[str, Any] = {
        "metric": "Declined Order",
        "unique_id": unique_id,
        "time": datetime(2026, 8, 15, 10, 30, tzinfo=UTC),
        "profile": Profile(email=email, first_name="John"),
        "properties": {"OrderId": "1253"},
    }
    return EventRequest(**fields | changes)
