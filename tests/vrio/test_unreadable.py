"""A value that cannot be read is left out or cut, costs nothing else, and a note names its field."""

import time
from typing import Any

import pytest

from tests.vrio.written import TRACKED, read, short, value_at, written


@pytest.mark.parametrize(
    ("field", "value", "path", "expected"),
    [
        ("transaction_total", "abc", "total", None),
        ("transaction_total", "29,99", "total", None),
        ("transaction_total", "1E1000000", "total", None),
        ("transaction_total", "9" * 30, "total", None),
        ("transaction_total", True, "total", None),
        ("transaction_total", [29.99], "total", None),
        ("transaction_total", {"amount": 1}, "total", None),
        ("transaction_total", float("nan"), "total", None),
        ("transaction_total", float("-inf"), "total", None),
        ("transaction_total", 10**100, "total", None),
        ("transaction_total", 1e300, "total", None),
        ("transaction_total", 1e-300, "total", None),
        ("transaction_cycle", "first", "cycle", None),
        ("transaction_cycle", 1.5, "cycle", None),
        ("transaction_cycle", 10**100, "cycle", None),
        ("transaction_type_id", "Gift", "kind", None),
        ("transaction_type_id", 99, "kind", None),
        ("transaction_declined", "PENDING", "approved", None),
        ("order.is_test", "perhaps", "order.is_test", None),
        ("order.is_test", 2, "order.is_test", None),
        ("order.order_discount", "much", "order.discount", None),
        ("date_complete", "yesterday", "completed_at", None),
        ("date_complete", 1755253800, "completed_at", None),
        ("date_complete", "2025-02-30 10:00:00", "completed_at", None),
        ("date_complete", "0001-01-01 00:00:00", "completed_at", None),
        ("date_complete", "9999-12-31 23:59:59", "completed_at", None),
        ("currency_id", "dollars", "currency", ""),
        ("customer.first_name", 12, "customer.first_name", ""),
        ("customer.first_name", ["John"], "customer.first_name", ""),
        ("customer.first_name", "J" * 256, "customer.first_name", "J" * 255),
        ("customer.email", 12, "customer.email", ""),
        ("customer.email", "j" * 400 + "@example.com", "customer.email", ""),
        ("customer.phone", True, "customer.phone", ""),
        ("customer.phone", {"mobile": "5551234567"}, "customer.phone", ""),
        ("customer", ["301"], "customer.email", ""),
        ("customer", "John Doe", "customer.email", ""),
        ("order", ["1253"], "order.tracking", {}),
        ("order.tracking7", "t" * 1001, "order.tracking", TRACKED | {"tracking7": "t" * 1000}),
        ("order.tracking7", ["summer"], "order.tracking", TRACKED),
        ("customer_address_billing.country", "United States", "billing.country", ""),
        ("customer_address_shipping", "Seattle", "shipping", None),
        ("transaction_order_offers", "Monthly Vitamins", "offers", ()),
        ("transaction_order_offers", {"offer_id": "1"}, "offers", ()),
        ("transaction_order_offers", ["Monthly Vitamins"], "offers", ()),
        ("transaction_order_offers.0.order_offer_price", "free", "offers.0.price", None),
        ("line_items.0.item_quantity", "two", "line_items.0.quantity", 0),
        ("merchant_id", "5" * 65, "merchant_id", "5"),
    ],
    ids=short,
)  # fmt: skip
def test_a_value_that_cannot_be_read_is_absent_and_its_field_is_named(
    field: str, value: Any, path: str, expected: Any
) -> None:
    record, notes = read(written(**{field: value}))
    assert value_at(record, path) == expected
    names = [name for name in field.split(".") if not name.isdigit()]
    assert len(notes) == 1
    assert all(name in notes[0] for name in names)
    assert notes[0].endswith((": left out.", ": cut."))


@pytest.mark.requirement("003-20", "003-25")
def test_a_note_names_the_field_and_not_its_value() -> None:
    _, notes = read(written(**{"order.tracking3": "secret " * 200, "line_items.0.line_item_price": "secret"}))
    assert notes == (
        "order.tracking3 is longer than 1,000 characters: cut.",
        "line_items[0].line_item_price is not an amount: left out.",
    )


def test_of_very_many_notes_only_the_first_are_kept() -> None:
    _, notes = read(written(transaction_order_offers=["x"] * 100))
    assert len(notes) == 21
    assert notes[-1] == "80 more fields could not be read."


def test_of_very_many_lines_only_the_first_are_read() -> None:
    record, notes = read(written(transaction_order_offers=[{"offer_id": "1"}] * 100_000))
    assert len(record.offers) == 500
    assert notes == ("transaction_order_offers[500] and what follows is more than 500 entries: left out.",)


@pytest.mark.parametrize(
    "number", ["9" * 900_000, "-" + "9" * 900_000, "1E1000000", "0." + "3" * 900_000, "1e-9999999999"]
)
def test_a_huge_number_takes_no_time(number: str) -> None:
    body = written(transaction_total="HUGE", transaction_cycle="HUGE", **{"customer.phone": "HUGE", "order.id": "HUGE"})
    began = time.process_time()
    record, notes = read(body.replace(b'"HUGE"', number.encode()))
    assert time.process_time() - began < 0.5
    assert record.total is None
    assert record.cycle is None
    assert len(notes) >= 2
