"""The samples that the demo and merchants' trials send."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vrio_klaviyo.klaviyo.requests import ProfileRequest
from vrio_klaviyo.vrio import routes
from vrio_klaviyo.vrio.completing import SourceDefaults, with_defaults
from vrio_klaviyo.vrio.schemas import load

SAMPLES = {path.stem: path for path in (Path(__file__).parents[2] / "sandbox" / "samples").glob("*.json")}
PLACED = "Placed Order"
ONCE = "Placed Non-Recurring Order"
PRODUCT = "Ordered Product"
STARTED = "Started Subscription"
DECLINED = "Declined Order"
PROFILE = "only the profile"


@pytest.mark.requirement("003-1", "003-14", "003-15", "003-28b", "003-32")
@pytest.mark.parametrize(
    ("sample", "metrics"),
    [
        ("transaction_completed_sale_subscription_cycle1", [PLACED, PRODUCT, STARTED]),
        ("transaction_completed_sale_with_line_items", [PLACED, PRODUCT, STARTED]),
        ("transaction_completed_sale_onetime", [ONCE, PRODUCT]),
        ("transaction_completed_sale_mixed", [PLACED, PRODUCT, PRODUCT, STARTED]),
        ("transaction_completed_capture_recurring_cycle2", [PLACED, PRODUCT]),
        ("transaction_completed_declined_cycle1", [DECLINED]),
        ("transaction_completed_declined_rebill_attempt2", [DECLINED]),
        ("transaction_completed_sale_refused_phone", [PLACED, PRODUCT, STARTED]),
        ("transaction_completed_sale_no_email", [ONCE, PRODUCT]),
        ("transaction_completed_sale_test_order", [PLACED, PRODUCT, STARTED]),
        ("transaction_completed_refund_full", ["Refunded Order"]),
        ("transaction_completed_refund_partial", ["Refunded Order"]),
        ("transaction_completed_void", ["Voided Order"]),
        ("transaction_completed_chargeback", ["Order Chargeback"]),
        ("transaction_completed_alert", ["Order Alert"]),
        ("transaction_completed_auth", ["Order Auth"]),
        ("transaction_skipped", []),
        ("transaction_unskipped", []),
        ("shipment_shipped", ["Fulfilled Order"]),
        ("v2_shipment_shipped", ["Fulfilled Order"]),
        ("shipment_fulfilled", []),
        ("order_abandonned", ["Abandoned Order"]),
        ("order_offer_cancelled", []),
        ("order_offer_updated_paused", []),
        ("order_offer_updated_unpaused", []),
        ("order_offer_updated_reactivated", []),
        ("customer_created", [PROFILE]),
        ("order_updated", []),
        ("order_gift_wrapped", []),
    ],
)
def test_a_sample_becomes_these_events(sample: str, metrics: list[str]) -> None:
    webhook = load(SAMPLES[sample].read_bytes())
    assert webhook.notes == ()
    assert webhook.record is not None
    record, _ = with_defaults(webhook.record, SourceDefaults(zone=UTC), datetime(2026, 11, 21, tzinfo=UTC))
    requests = routes.requests_for(webhook.event, record)
    assert [PROFILE if isinstance(request, ProfileRequest) else request.metric for request in requests] == metrics
    assert routes.is_known(webhook.event, record) == (sample != "order_gift_wrapped")


def test_no_two_samples_share_an_event_id() -> None:
    ids = [str(json.loads(path.read_bytes())["webhook_event_id"]) for path in SAMPLES.values()]
    assert len(ids) == len(set(ids)) == 29
