"""A webhook's envelope is read as far as it can be, and refused only where it is about nothing."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.vrio.written import SALE, envelope, read, short, written
from vrio_klaviyo.errors import UnreadableWebhook
from vrio_klaviyo.vrio.records import Webhook
from vrio_klaviyo.vrio.schemas import load


def test_the_envelope_is_read() -> None:
    webhook = load(json.dumps(SALE).encode())
    assert (webhook.type, webhook.event, webhook.event_id) == ("transaction", "transaction_completed", "6002")
    assert webhook.event_at == datetime(2025, 8, 15, 10, 30, tzinfo=UTC)


@pytest.mark.requirement("003-A")
def test_an_event_id_is_the_same_as_number_and_as_text() -> None:
    assert envelope("order", {"id": 1}, webhook_event_id=4806) == envelope("order", {"id": 1}, webhook_event_id="4806")


def test_an_odd_envelope_is_read_as_far_as_it_can_be() -> None:
    webhook = envelope("order", {"id": 1}, webhook_event=" Order_Updated ", webhook_event_id=[], webhook_event_date="x")
    assert (webhook.event, webhook.event_id, webhook.event_at) == ("order_updated", "", None)
    assert len(webhook.notes) == 2


@pytest.mark.requirement("003-B")
@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"12", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{}", "webhook_type"),
        (b'{"webhook_type": null, "webhook_event": "order_updated"}', "webhook_type"),
        (b'{"webhook_type": ["order"], "webhook_event": "order_updated"}', "webhook_type"),
        (b'{"webhook_type": "order"}', "webhook_event"),
        (b'{"webhook_type": "order", "webhook_event": "made"}', "webhook_data"),
        (b'{"webhook_type": "order", "webhook_event": "made", "webhook_data": []}', "webhook_data"),
        (b'{"webhook_type": "order", "webhook_event": "made", "webhook_data": {"order": 1}}', "webhook_data"),
        (b'{"webhook_type": "order", "webhook_event": "made", "webhook_data": {"order": {}}}', "order has no id"),
        (written(id=None), "transaction has no id"),
        (written(id="0"), "transaction has no id"),
        (written(id=["1668"]), "transaction has no id"),
        (written(id="1" * 65), "transaction has no id"),
        (b"[" * 100_000, "too deeply"),
        (b'{"a":' * 100_000, "too deeply"),
    ],
    ids=short,
)  # fmt: skip
def test_only_what_is_about_nothing_cannot_be_read_at_all(body: bytes, what: str) -> None:
    with pytest.raises(UnreadableWebhook, match=what):
        load(body)


def test_forty_levels_are_nothing_special() -> None:
    nested: Any = "deep"
    for _ in range(40):
        nested = {"in": [nested]}
    record, notes = read(written(extra=nested, **{"order.extra": nested}))
    assert record.transaction_id == "1668"
    assert notes == ()


def test_a_thing_of_a_kind_that_we_do_not_know_is_kept_without_a_record() -> None:
    assert envelope("gift", {"id": "251606"}) == Webhook(type="gift", event="gift_updated")
