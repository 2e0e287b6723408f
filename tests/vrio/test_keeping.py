"""Every record comes back from the memory as it went in."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from vrio_klaviyo.vrio import keeping
from vrio_klaviyo.vrio.completing import SourceDefaults, with_defaults
from vrio_klaviyo.vrio.records import (
    Customer,
    LineItem,
    Order,
    OrderOffer,
    Record,
    Shipment,
    SubscriptionChange,
    Transaction,
)
from vrio_klaviyo.vrio.schemas import load

SAMPLES = sorted((Path(__file__).parents[2] / "sandbox" / "samples").glob("*.json"))
AT = datetime(2025, 9, 1, 10, 0, tzinfo=UTC)
SALE = Transaction(
    transaction_id="1668",
    kind="sale",
    approved=True,
    total=Decimal("24.990"),
    completed_at=AT,
    lines=(LineItem(offer_id="1", total=Decimal("29.99"), categories=("Supplements",)),),
)
RECORDS: list[Record] = [
    Customer(customer_id="301", clv=Decimal("150.00"), next_charge_on=date(2025, 9, 15), tracking={"tracking1": "ad"}),
    OrderOffer(order_offer_id="4001", unpause_at=AT, cancel_reason="5", cancel_type_id="5"),
    Order(order_id="1253", abandoned_at=AT, cart_total=Decimal(0), customer=Customer(email="john@example.com")),
    Transaction(
        transaction_id="1669", kind="refund", parent=replace(SALE, parent=SALE), already_credited=Decimal("5.00")
    ),
    Shipment(shipment_id="4501", is_reship=True, transaction=SALE, shipped_on=date(2025, 8, 30), is_test=False),
    SubscriptionChange(kind="paused", offer=OrderOffer(), at=AT, transaction=SALE, discount=Decimal(0)),
]


@pytest.mark.requirement("003-C")
@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_is_kept_whole(record: Record) -> None:
    assert keeping.loads(type(record), keeping.dumps(record)) == record


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_what_a_webhook_says_is_kept_whole_before_completing_and_after(sample: Path) -> None:
    told = load(sample.read_bytes()).record
    assert told is not None
    completed, _ = with_defaults(told, SourceDefaults(zone=UTC), AT)
    for record in (told, completed):
        assert keeping.loads(type(record), keeping.dumps(record)) == record


def test_what_is_not_known_takes_no_room() -> None:
    assert keeping.dumps(Shipment(shipment_id="4501")) == b'{"shipment_id":"4501"}'


def test_a_field_of_another_version_does_no_harm() -> None:
    assert keeping.loads(Shipment, b'{"shipment_id":"4501","drone":"7"}') == Shipment(shipment_id="4501")


def test_the_newer_of_two_records_counts_and_the_older_one_fills_its_gaps() -> None:
    older = OrderOffer(order_offer_id="4001", offer_name="Vitamins", price=Decimal("29.99"), is_gift=True, quantity=2)
    newer = OrderOffer(order_offer_id="4001", price=Decimal(0), is_gift=False, status="active")

    assert keeping.over(newer, older) == OrderOffer(
        order_offer_id="4001", offer_name="Vitamins", price=Decimal(0), is_gift=False, quantity=2, status="active"
    )
