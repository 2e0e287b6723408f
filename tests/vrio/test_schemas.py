"""Each of Vrio's things, as the record that is made of it."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.vrio.written import envelope, read, value_at, written
from vrio_klaviyo.vrio.records import Address, Customer, LineItem, Order, OrderOffer, Shipment


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
