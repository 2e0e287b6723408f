"""The goldens that need what was told before, with the memory's part filled in here: builders and completing alone."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest

from vrio_klaviyo.klaviyo.requests import Known, Style, render
from vrio_klaviyo.vrio import event_ids, routes
from vrio_klaviyo.vrio.completing import SourceDefaults, with_defaults
from vrio_klaviyo.vrio.records import ChangeKind, OrderOffer, Record, Shipment, SubscriptionChange, Transaction
from vrio_klaviyo.vrio.schemas import load

FIXTURES = Path(__file__).parents[1] / "fixtures" / "vrio"
SOURCE = SourceDefaults(zone=UTC)
AS_OF = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

R = TypeVar("R")


def read(file: Path, kind: type[R]) -> R:
    webhook = load(file.read_bytes())
    assert webhook.notes == ()
    assert isinstance(webhook.record, kind)
    return webhook.record


def sale_before(case: str) -> Transaction:
    sale, _ = with_defaults(read(FIXTURES / case / "before" / "01_sale.json", Transaction), SOURCE, AS_OF)
    assert isinstance(sale, Transaction)
    return sale


def the_request(case: str, event: str, record: Record) -> tuple[Any, Any]:
    """What was made and what was typed, but for what the memory alone knows of the customer."""
    completed, _ = with_defaults(record, SOURCE, AS_OF)
    (request,) = routes.requests_for(event, completed)
    made = json.loads(render(request, Style(), Known()).body, parse_float=Decimal)
    (golden,) = json.loads((FIXTURES / case / "klaviyo.json").read_bytes(), parse_float=Decimal)
    for body in (made, golden["body"]):
        properties = body["data"]["attributes"]["profile"]["data"]["attributes"]["properties"]
        for name in ("CLV", "NextChargeDate", "ActiveSubscriber"):
            properties.pop(name, None)
    return made, golden["body"]


@pytest.mark.requirement("003-38", "003-39", "003-40")
@pytest.mark.parametrize(
    ("case", "already_credited"),
    [("refunded_order__partial", "0"), ("refunded_order__rest", "10"), ("voided_order", "0")],
)
def test_a_credit_is_told_with_what_was_charged(case: str, already_credited: str) -> None:
    credit = read(FIXTURES / case / "webhook.json", Transaction)
    known = replace(credit, parent=sale_before(case), already_credited=Decimal(already_credited))
    made, typed = the_request(case, "transaction_completed", known)
    assert made == typed


@pytest.mark.requirement("003-37")
@pytest.mark.parametrize(
    ("case", "file"),
    [
        ("fulfilled_order", "webhook.json"),
        ("fulfilled_order", "webhook__v2.json"),
        ("fulfilled_order__offers_only", "webhook.json"),
        ("fulfilled_order__second_parcel", "webhook.json"),
    ],
)
def test_a_parcel_is_told_with_its_payment(case: str, file: str) -> None:
    parcel, sale = read(FIXTURES / case / file, Shipment), sale_before(case)
    event_id = event_ids.of_parcel(parcel, is_first="second" not in case)
    known = replace(parcel, transaction=sale, order=sale.order, customer=sale.customer, event_id=event_id)
    made, typed = the_request(case, "shipment_shipped", known)
    assert made == typed


@pytest.mark.requirement("003-45", "003-46", "003-47", "003-48", "003-52")
@pytest.mark.parametrize(
    ("case", "kind", "previous_status", "nth"),
    [
        ("cancelled_subscription", "cancelled", "active", 1),
        ("paused_subscription", "paused", "active", 1),
        ("paused_subscription__again", "paused", "active", 2),
        ("unpaused_subscription", "unpaused", "paused", 1),
        ("reactivated_subscription", "reactivated", "cancelled", 1),
    ],
)
def test_a_change_is_told_with_its_subscription(case: str, kind: ChangeKind, previous_status: str, nth: int) -> None:
    offer, sale = read(FIXTURES / case / "webhook.json", OrderOffer), sale_before(case)
    at = {
        "cancelled": offer.cancelled_at,
        "paused": offer.paused_at,
        "unpaused": offer.unpause_at,
        "reactivated": offer.reactivated_at,
    }[kind]
    assert at is not None
    change = SubscriptionChange(
        kind=kind,
        offer=offer,
        at=at,
        previous_status=previous_status,
        customer=sale.customer,
        order=sale.order,
        transaction=sale,
        lines=tuple(line for line in sale.lines if line.order_offer_id == offer.order_offer_id),
    )
    made, typed = the_request(case, "order_offer_updated", replace(change, event_id=event_ids.of_change(change, nth)))
    assert made == typed
