"""A value is read in each of Vrio's ways of writing it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.vrio.written import TRACKED, read, value_at, written
from vrio_klaviyo.vrio.amounts import ZONE
from vrio_klaviyo.vrio.records import Transaction
from vrio_klaviyo.vrio.schemas import load


@pytest.mark.requirement("003-B")
@pytest.mark.parametrize(
    ("field", "value", "path", "expected"),
    [
        ("id", 1668, "transaction_id", "1668"),
        ("id", " 1668 ", "transaction_id", "1668"),
        ("id", 1668.0, "transaction_id", "1668"),
        ("merchant_id", 5, "merchant_id", "5"),
        ("merchant_id", "0", "merchant_id", "5"),
        ("transaction_parent_id", "0", "parent_id", ""),
        ("transaction_parent_id", 0, "parent_id", ""),
        ("transaction_parent_id", None, "parent_id", ""),
        ("transaction_parent_id", "---", "parent_id", ""),
        ("transaction_type_id", "sALE", "kind", "sale"),
        ("transaction_type_id", 1, "kind", "sale"),
        ("transaction_type_id", "1", "kind", "sale"),
        ("transaction_type_id", "Chargeback Reversal", "kind", "chargeback reversal"),
        ("transaction_type_id", 10, "kind", "returned check"),
        ("transaction_declined", "approved", "approved", True),
        ("transaction_declined", "DECLINED", "approved", False),
        ("transaction_declined", False, "approved", True),
        ("transaction_declined", True, "approved", False),
        ("transaction_declined", "No", "approved", True),
        ("transaction_declined", "1", "approved", False),
        ("transaction_declined", "", "approved", None),
        ("order.is_test", True, "order.is_test", True),
        ("order.is_test", 1, "order.is_test", True),
        ("order.is_test", "1", "order.is_test", True),
        ("order.is_test", "yes", "order.is_test", True),
        ("order.is_test", "FALSE", "order.is_test", False),
        ("order.is_test", "No", "order.is_test", False),
        ("order.is_test", 0, "order.is_test", False),
        ("order.is_test", None, "order.is_test", None),
        ("order.status_type_id", 3, "order.status", "complete"),
        ("currency_id", "eur", "currency", "EUR"),
        ("currency_id", 3, "currency", "GBP"),
        ("currency_id", "9", "currency", "NOK"),
        ("currency_id", "JPY", "currency", "JPY"),
        ("currency_id", None, "currency", ""),
        ("transaction_cycle", 2, "cycle", 2),
        ("transaction_cycle", "2", "cycle", 2),
        ("transaction_cycle", 2.0, "cycle", 2),
        ("transaction_cycle", "", "cycle", None),
        ("transaction_total", "29.99", "total", Decimal("29.99")),
        ("transaction_total", 29.99, "total", Decimal("29.99")),
        ("transaction_total", 30, "total", Decimal(30)),
        ("transaction_total", "1,234.56", "total", Decimal("1234.56")),
        ("transaction_total", "$29.99", "total", Decimal("29.99")),
        ("transaction_total", "29.995", "total", Decimal("29.995")),
        ("transaction_total", ".5", "total", Decimal("0.5")),
        ("transaction_total", "-24.99", "total", Decimal("24.99")),
        ("transaction_total", -0.0, "total", Decimal(0)),
        ("transaction_total", "", "total", None),
        ("transaction_total", None, "total", None),
        ("transaction_sub_total", "24.99", "sub_total", Decimal("24.99")),
        ("transaction_shipping", "6.50", "shipping_total", Decimal("6.50")),
        ("transaction_tax", "2.50", "tax", Decimal("2.50")),
        ("chargeback_code", "10.4", "chargeback_code", "10.4"),
        ("chargeback_date", "2025-09-19 00:00:00", "chargeback_at", datetime(2025, 9, 19, tzinfo=UTC)),
        ("date_skip", "2025-10-01 09:00:00", "skipped_at", datetime(2025, 10, 1, 9, tzinfo=UTC)),
        ("date_scheduled", "2025-08-15 10:30:00", "scheduled_at", datetime(2025, 8, 15, 10, 30, tzinfo=UTC)),
        ("campaign", {"campaign_id": 7, "campaign_name": "Autumn"}, "campaign_name", "Autumn"),
        ("date_complete", "0000-00-00 00:00:00", "completed_at", None),
        ("date_complete", "---", "completed_at", None),
        ("date_complete", "2025-08-15T10:30:00Z", "completed_at", datetime(2025, 8, 15, 10, 30, tzinfo=UTC)),
        ("date_complete", "2025-08-15T12:30:00+02:00", "completed_at", datetime(2025, 8, 15, 10, 30, tzinfo=UTC)),
        ("date_complete", "2025-08-15", "completed_at", datetime(2025, 8, 15, tzinfo=UTC)),
        ("customer.first_name", "  Ana\x00\x1b María\u0085", "customer.first_name", "Ana María"),
        ("customer.first_name", "Jo\ud800hn", "customer.first_name", "Jo\ufffdhn"),
        ("customer.first_name", "山田 👩‍👩‍👧", "customer.first_name", "山田 👩‍👩‍👧"),
        ("customer.phone", 5551234567, "customer.phone", "5551234567"),
        ("customer.active_subscriber", "0", "customer.active_subscriber", False),
        ("customer_address_billing.country", "gb", "billing.country", "GB"),
        ("customer_address_billing.zipcode", 97205, "billing.zip", "97205"),
        ("customer_card.card_number", "4111XXXXXXXXXXX1234", "card_last_four", "1234"),
        ("customer_card.card_number", "XXXX", "card_last_four", ""),
        ("customer_card", None, "card_last_four", ""),
        ("customer_address_shipping", None, "shipping", None),
        (
            "order.tracking7",
            12,
            "order.tracking",
            TRACKED | {"tracking7": "12"},
        ),
        ("order.tracking7", " ", "order.tracking", TRACKED),
        ("transaction_order_offers.0.offer_name", 2024, "offers.0.offer_name", "2024"),
        ("something_new", {"a": [1]}, "transaction_id", "1668"),
    ],
)
def test_a_value_is_read_in_each_of_vrios_ways(field: str, value: Any, path: str, expected: Any) -> None:
    record, notes = read(written(**{field: value}))
    assert value_at(record, path) == expected
    assert notes == ()


@pytest.mark.parametrize("zero", [-0.0, "-0.00", "-0"])
def test_nothing_has_no_minus(zero: Any) -> None:
    record, _ = read(written(**{"line_items.0.line_item_price": zero}))
    assert record.line_items[0].price == 0
    assert not record.line_items[0].price.is_signed()


@pytest.mark.requirement("003-26")
def test_an_e_mail_address_is_trimmed_and_in_small_letters() -> None:
    record, _ = read(written(**{"customer.email": " John@Example.COM "}))
    assert record.customer.email == "john@example.com"


def test_a_byte_that_is_no_utf_8_costs_one_letter() -> None:
    record, _ = read(written(**{"customer.last_name": "D?e"}).replace(b"D?e", b"D\xf6e"))
    assert record.customer.last_name == "D\ufffde"


@pytest.mark.parametrize(
    ("written_as", "moment"),
    [
        ("2025-07-01 12:00:00", datetime(2025, 7, 1, 16, 0, tzinfo=UTC)),
        ("2025-12-01 12:00:00", datetime(2025, 12, 1, 17, 0, tzinfo=UTC)),
        ("2025-11-02 01:30:00", datetime(2025, 11, 2, 5, 30, tzinfo=UTC)),
        ("2025-03-09 02:30:00", datetime(2025, 3, 9, 7, 30, tzinfo=UTC)),
        ("2025-07-01 12:00:00Z", datetime(2025, 7, 1, 12, 0, tzinfo=UTC)),
    ],
)
def test_a_date_without_a_zone_is_the_sources(written_as: str, moment: datetime) -> None:
    webhook = load(written(date_complete=written_as), ZoneInfo("America/New_York"))
    assert isinstance(webhook.record, Transaction)
    assert webhook.record.completed_at == moment
    assert ZONE.get() is UTC
