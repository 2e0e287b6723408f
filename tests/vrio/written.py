"""The sale of the published page and other webhooks, written in some other way, and what is read of them."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from vrio_klaviyo.vrio.records import Transaction, Webhook
from vrio_klaviyo.vrio.schemas import load

SALE = json.loads((Path(__file__).parents[1] / "fixtures" / "vrio" / "placed_order" / "webhook.json").read_bytes())
TRACKED = {"tracking1": "newsletter", "tracking20": "podcast"}


def short(value: Any) -> str:
    """A test's name for a value that may be long."""
    return repr(value)[:40]


def written(**changes: Any) -> bytes:
    """The sale with some of its fields written otherwise; "order.is_test" is the one in the order."""
    webhook = deepcopy(SALE)
    for path, value in changes.items():
        *parents, name = path.split(".")
        thing = webhook["webhook_data"]["transaction"]
        for parent in parents:
            thing = thing[int(parent) if parent.isdigit() else parent]
        thing[name] = value
    return json.dumps(webhook).encode()


def read(body: bytes) -> tuple[Transaction, tuple[str, ...]]:
    """The transaction of a webhook, and the notes on it."""
    webhook = load(body)
    assert isinstance(webhook.record, Transaction)
    return webhook.record, webhook.notes


def value_at(record: Any, path: str) -> Any:
    """What stands in a record; "line_items.0.quantity" is the quantity of its first line."""
    for name in path.split("."):
        record = record[int(name)] if name.isdigit() else getattr(record, name)
    return record


def envelope(kind: str, thing: dict[str, Any], **changes: Any) -> Webhook:
    """What is read of a webhook about this thing."""
    webhook = {"webhook_type": kind, "webhook_event": f"{kind}_updated", "webhook_data": {kind: thing}} | changes
    return load(json.dumps(webhook).encode())
