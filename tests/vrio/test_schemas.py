"""The tolerant reader: Vrio's ways of writing, and what becomes of a value that cannot be read."""

import json
import time
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from vrio_klaviyo.errors import UnreadableWebhook
from vrio_klaviyo.vrio.amounts import ZONE
from vrio_klaviyo.vrio.records import Address, Customer, LineItem, Order, OrderOffer, Shipment, Transaction, Webhook
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
    webhook = load(body)
    assert isinstance(webhook.record, Transaction)
    return webhook.record, webhook.notes


def value_at(record: Any, path: str) -> Any:
    for name in path.split("."):
        record = record[int(name)] if name.isdigit() else getattr(record, name)
    return record


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
    ("missing", "changes", "path", "expected"),
    [
        ("id", {"transaction_id": 1668}, "transaction_id", "1668"),
        ("transaction_declined", {"response_code": 100}, "approved", True),
        ("transaction_declined", {"response_code": "200"}, "approved", False),
        ("transaction_declined", {"response_code": 101}, "approved", None),
        ("sale_id", {"sale": {"id": 1234}}, "sale_id", "1234"),
        ("sale_id", {"sale": {"sale_id": "1234"}}, "sale_id", "1234"),
        ("campaign", {"campaign_id": 7}, "campaign_id", "7"),
        ("campaign", {}, "campaign_id", "1"),
        ("merchant_id", {}, "merchant_id", "5"),
        ("order", {"order_id": "1253"}, "order.order_id", "1253"),
        ("customer", {"customer_id": "301"}, "customer.customer_id", "301"),
        ("gateway_response_description", {"gateway_response_text": "No"}, "decline_reason", "No"),
        ("gateway_response_description", {"processor_response_text": "No"}, "decline_reason", "No"),
    ],
)
def test_a_fact_is_looked_for_in_all_its_places(
    missing: str, changes: dict[str, Any], path: str, expected: Any
) -> None:
    webhook = json.loads(written(**changes))
    del webhook["webhook_data"]["transaction"][missing]
    record, notes = read(json.dumps(webhook).encode())
    assert value_at(record, path) == expected
    assert notes == ()


def test_a_recurring_offer_is_known_by_its_type_too() -> None:
    offer = {"offer_id": "1", "offer_type_id": "Recurring"}
    record, _ = read(written(transaction_order_offers=[offer, offer | {"is_recurring": "0"}]))
    assert [offer.is_recurring for offer in record.offers] == [True, False]


@pytest.mark.requirement("003-34")
def test_the_sku_is_that_of_the_parcels_same_item() -> None:
    parcels = [
        {"item_id": "8", "shipment_item_sku": "OTHER"},
        {"item_id": 2, "shipment_item_sku": "VIT-D3"},
        {"item_id": 2, "shipment_item_sku": None},
    ]
    record, _ = read(written(**{"line_items.0.line_item_shipments": parcels}))
    assert record.line_items[0].sku == "VIT-D3"


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


def envelope(kind: str, thing: dict[str, Any], **changes: Any) -> Webhook:
    webhook = {"webhook_type": kind, "webhook_event": f"{kind}_updated", "webhook_data": {kind: thing}} | changes
    return load(json.dumps(webhook).encode())


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


def test_orders_order_offers_and_customers_are_read() -> None:
    order = envelope(
        "order", {"order_id": 1253, "customer": {"email": "John@example.com"}, "order_offers": [{"id": 1}]}
    )
    assert order.record == Order(
        order_id="1253",
        customer=Customer(email="john@example.com"),
        offers=(OrderOffer(order_offer_id="1", order_id="1253"),),
    )
    offer = envelope("order_offer", {"id": "4001", "status_type_id": 9, "charge_timeframe_name": "Monthly"})
    assert offer.record == OrderOffer(order_offer_id="4001", status="paused", timeframe_name="Monthly")
    customer = envelope("customer", {"customer_id": 301, "customer_addresses": [{"country": "us"}]})
    assert isinstance(customer.record, Customer)
    assert (customer.record.customer_id, customer.record.addresses[0].country) == ("301", "US")
    assert order.notes == offer.notes == customer.notes == ()


@pytest.mark.requirement("003-45", "003-46")
def test_an_order_offer_is_read() -> None:
    webhook = envelope(
        "order_offer",
        {
            "id": "4001",
            "campaign": {"id": "1", "campaign_name": "Vitamin Shop"},
            "discount_id": 11,
            "cancel_type_id": "Too expensive",
            "date_ordered": "2025-08-15 10:30:00",
            "last_recurring_date": "2025-09-15 03:00:12",
            "next_recurring_date": "2025-10-15 03:00:00",
            "date_pause": "2025-10-01 10:00:00",
            "date_unpause": "2025-12-01 00:00:00",
            "date_cancel": "2025-12-02 09:15:07",
            "date_reactivate": "0000-00-00 00:00:00",
            "date_expiration": "2026-11-12 00:00:00",
            "customer_address_billing": {"city": "Portland"},
            "customer_address_shipping": {"city": "Seattle"},
        },
    )
    assert webhook.notes == ()
    assert webhook.record == OrderOffer(
        order_offer_id="4001",
        campaign_id="1",
        campaign_name="Vitamin Shop",
        discount_id="11",
        cancel_reason="Too expensive",
        ordered_at=datetime(2025, 8, 15, 10, 30, tzinfo=UTC),
        last_charge_at=datetime(2025, 9, 15, 3, 0, 12, tzinfo=UTC),
        next_charge_at=datetime(2025, 10, 15, 3, tzinfo=UTC),
        paused_at=datetime(2025, 10, 1, 10, tzinfo=UTC),
        unpause_at=datetime(2025, 12, 1, tzinfo=UTC),
        cancelled_at=datetime(2025, 12, 2, 9, 15, 7, tzinfo=UTC),
        expires_at=datetime(2026, 11, 12, tzinfo=UTC),
        billing=Address(city="Portland"),
        shipping=Address(city="Seattle"),
    )


@pytest.mark.requirement("003-45")
@pytest.mark.parametrize(
    ("written_as", "reason", "number"),
    [
        ("Too expensive", "Too expensive", ""),
        (5, "5", "5"),
        ("5", "5", "5"),
        (0, "", ""),
        ("0", "", ""),
        (None, "", ""),
    ],
)
def test_a_reason_is_a_word_or_its_number(written_as: Any, reason: str, number: str) -> None:
    offer = envelope("order_offer", {"id": "4001", "cancel_type_id": written_as}).record
    assert isinstance(offer, OrderOffer)
    assert (offer.cancel_reason, offer.cancel_type_id) == (reason, number)


@pytest.mark.requirement("003-29")
def test_an_order_is_read_with_its_cart() -> None:
    webhook = envelope(
        "order",
        {
            "id": "1270",
            "campaign_id": "1",
            "campaign": {"campaign_id": 2, "campaign_name": "Vitamin Shop"},
            "date_ordered": "---",
            "order_discount": "5.00",
            "cart": {"total": "61.48", "checkout_url": "https://shop.example.com/checkout?cart=6f1d0c9a"},
            "customer_address_billing": {"city": "Toronto"},
        },
    )
    assert webhook.notes == ()
    assert webhook.record == Order(
        order_id="1270",
        campaign_id="2",
        campaign_name="Vitamin Shop",
        discount=Decimal("5.00"),
        cart_total=Decimal("61.48"),
        checkout_url="https://shop.example.com/checkout?cart=6f1d0c9a",
        billing=Address(city="Toronto"),
    )


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "shop.example.com", "https://a b", "https://a.example/" + "x" * 2000, 7]
)
def test_only_the_address_of_a_web_page_is_one(url: Any) -> None:
    webhook = envelope("order", {"id": "1270", "cart": {"total": "9.00", "checkout_url": url}})
    assert webhook.record == Order(order_id="1270", cart_total=Decimal("9.00"))
    assert webhook.notes == ("cart.checkout_url is not the address of a web page: left out.",)


@pytest.mark.requirement("003-37", "003-B")
def test_a_shipment_is_read_in_both_of_vrios_ways() -> None:
    old = {
        "id": "4501",
        "order_id": "1253",
        "customer_id": "301",
        "transaction_charge_id": "1668",
        "shipment_status_id": "Shipped",
        "carrier_id": "ups",
        "shipment_tracking_id": "1Z123456789",
        "date_complete": "2025-08-30 14:02:10",
        "shipping_reship_type_id": None,
        "shipment_parent_type_id": "0",
        "shipment_items": [{"quantity": "2", "item_id": "2", "item_name": "Vitamin D3", "shipment_item_sku": "VIT-D3"}],
        "campaign": {"id": "1"},
    }
    new = {
        "shipment_id": 4501,
        "order_id": 1253,
        "customer_id": 301,
        "transaction_charge_id": 1668,
        "shipment_status_id": 4,
        "carrier_id": 2,
        "shipment_tracking_id": "1Z123456789",
        "date_complete": "2025-08-30T14:02:10Z",
        "shipment_items": [{"quantity": 2, "item_id": 2, "item_name": "Vitamin D3", "shipment_item_sku": "VIT-D3"}],
        "campaign_id": 1,
    }
    read_old, read_new = envelope("shipment", old), envelope("shipment", new)
    assert read_old.notes == read_new.notes == ()
    assert read_old.record == read_new.record
    assert read_new.record == Shipment(
        shipment_id="4501",
        order_id="1253",
        customer_id="301",
        transaction_id="1668",
        campaign_id="1",
        status="shipped",
        carrier="UPS",
        tracking_number="1Z123456789",
        shipped_at=datetime(2025, 8, 30, 14, 2, 10, tzinfo=UTC),
        items=(LineItem(item_id="2", item_name="Vitamin D3", sku="VIT-D3", quantity=2),),
    )


@pytest.mark.requirement("003-37")
@pytest.mark.parametrize(
    ("written_as", "carrier", "noted"),
    [
        (1, "USPS", False),
        ("3", "FedEx", False),
        ("fedex", "FedEx", False),
        ("Dhl Ecommerce", "DHL eCommerce", False),
        ("Royal Mail", "Royal Mail", False),
        (0, "", False),
        (None, "", False),
        (7, "", True),
        ([], "", True),
    ],
)
def test_a_carrier_is_a_name_or_its_number(written_as: Any, carrier: str, noted: bool) -> None:
    webhook = envelope("shipment", {"id": "4501", "carrier_id": written_as})
    assert isinstance(webhook.record, Shipment)
    assert webhook.record.carrier == carrier
    assert bool(webhook.notes) == noted


@pytest.mark.requirement("003-37")
@pytest.mark.parametrize(
    ("changes", "is_reship"),
    [
        ({"shipping_reship_type_id": "Damaged Items"}, True),
        ({"shipping_reship_type_id": 2}, True),
        ({"shipping_reship_type_id": 0}, False),
        ({"shipment_parent_type_id": "Reship"}, True),
        ({"shipment_parent_type_id": 1}, True),
        ({"shipment_parent_type_id": "Gift"}, False),
        ({}, False),
    ],
)
def test_only_what_is_sent_again_is_a_reship(changes: dict[str, Any], is_reship: bool) -> None:
    parcel = envelope("shipment", {"id": "4501"} | changes).record
    assert isinstance(parcel, Shipment)
    assert parcel.is_reship is is_reship


@pytest.mark.requirement("003-28")
def test_a_customers_own_tracking_fields_are_read() -> None:
    customer = envelope("customer", {"id": "301", "tracking1": "newsletter", "tracking2": None}).record
    assert isinstance(customer, Customer)
    assert customer.tracking == {"tracking1": "newsletter"}


def test_a_thing_of_a_kind_that_we_do_not_know_is_kept_without_a_record() -> None:
    assert envelope("gift", {"id": "251606"}) == Webhook(type="gift", event="gift_updated")
