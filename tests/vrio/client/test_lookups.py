"""What Vrio is asked for one thing, and what its answer becomes."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
import responses

from tests.vrio.client.played import (
    API,
    BILLING,
    CUSTOMER,
    ITEM,
    KEY,
    LINE_ITEM,
    LOOKUPS,
    NOT_FOUND,
    ORDER,
    ORDER_OFFER,
    REFUND,
    SALE,
    SHIPPING,
    asked,
)
from vrio_klaviyo.errors import Retriable
from vrio_klaviyo.vrio.amounts import ZONE
from vrio_klaviyo.vrio.client import VrioClient

pytestmark = pytest.mark.requirement("003-C")


DENVER = ZoneInfo("America/Denver")


def test_a_transaction_comes_with_all_that_its_webhook_leaves_out(
    vrio: responses.RequestsMock, client: VrioClient
) -> None:
    beside = {
        "order": ORDER,
        "customer": CUSTOMER,
        "customer_card": {"card_number": "424242XXXXXX4242"},
        "customer_address_billing": BILLING,
        "customer_address_shipping": SHIPPING,
        "campaign": {"campaign_id": 1, "campaign_name": "Supplements"},
        "sale": {"sale_id": 1234},
        "line_items": [LINE_ITEM],
        "credits": [REFUND],
    }
    vrio.get(f"{API}/transactions/1668", json=SALE | beside)

    found = client.transaction("1668")

    assert found is not None
    told = found.record
    assert (told.transaction_id, told.kind, told.approved, told.total) == ("1668", "sale", True, Decimal("24.99"))
    assert (told.sale_id, told.campaign_name, told.card_last_four) == ("1234", "Supplements", "4242")
    assert (told.customer.email, told.order.tracking) == ("john@acme.test", {"tracking1": "newsletter"})
    assert told.billing is not None
    assert told.shipping is not None
    assert (told.billing.city, told.shipping.city) == ("Austin", "Dallas")
    (line,) = told.line_items
    assert (line.item_id, line.sku, line.discount_code, line.price) == ("2", "VIT-D3", "SAVE10", Decimal("29.99"))
    (refund,) = found.credits
    assert (refund.transaction_id, refund.kind, refund.parent_id) == ("1669", "refund", "1668")
    assert found.notes == ()
    ((path, query),) = asked(vrio)
    assert path == "/transactions/1668"
    assert set(query["with"].split(",")) == {
        *("sale", "line_items", "order", "customer", "customer_card", "campaign", "credits"),
        *("customer_address_billing", "customer_address_shipping"),
    }


def test_a_customer_comes_with_the_addresses(vrio: responses.RequestsMock, client: VrioClient) -> None:
    vrio.get(f"{API}/customers/68441", json=CUSTOMER | {"customer_addresses": [BILLING, SHIPPING]})

    found = client.customer("68441")

    assert found is not None
    assert (found.record.customer_id, found.record.email) == ("68441", "john@acme.test")
    assert [address.city for address in found.record.addresses] == ["Austin", "Dallas"]
    assert asked(vrio) == [("/customers/68441", {"with": "customer_addresses"})]


def test_an_order_comes_with_its_offers_cart_and_addresses(vrio: responses.RequestsMock, client: VrioClient) -> None:
    beside = {
        "order_offers": [ORDER_OFFER],
        "customer": CUSTOMER,
        "cart": {"total": "24.99", "checkout_url": "https://shop.acme.test/c/1"},
        "customer_address_billing": BILLING,
        "customer_address_shipping": SHIPPING,
    }
    vrio.get(f"{API}/orders/1253", json=ORDER | beside)

    found = client.order("1253")

    assert found is not None
    told = found.record
    assert (told.order_id, told.campaign_id, told.cart_total) == ("1253", "1", Decimal("24.99"))
    assert told.checkout_url == "https://shop.acme.test/c/1"
    assert [offer.order_offer_id for offer in told.offers] == ["40541"]
    assert told.customer is not None
    assert told.billing is not None
    assert told.shipping is not None
    assert (told.customer.email, told.billing.city, told.shipping.city) == ("john@acme.test", "Austin", "Dallas")
    ((path, query),) = asked(vrio)
    assert path == "/orders/1253"
    assert set(query["with"].split(",")) == {
        *("order_offers", "customer", "cart", "customer_address_billing", "customer_address_shipping"),
    }


def test_an_order_offer_comes_with_its_items_and_discount_code(
    vrio: responses.RequestsMock, client: VrioClient
) -> None:
    beside = {"order_offer_items": [ITEM, {"item_id": 3}], "discount": {"discount_id": 11, "discount_code": "SAVE10"}}
    vrio.get(f"{API}/order_offers/40541", json=ORDER_OFFER | beside)

    found = client.order_offer("40541")

    assert found is not None
    assert (found.record.order_offer_id, found.record.status) == ("40541", "active")
    first, second = found.lines
    assert (first.order_offer_id, first.offer_id, first.offer_name) == ("40541", "1", "Monthly Vitamins")
    assert (first.item_id, first.item_name, first.sku) == ("2", "Vitamin D3", "VIT-D3")
    assert (first.quantity, first.price, first.discount_code) == (3, Decimal("31.50"), "SAVE10")
    assert (second.item_id, second.quantity, second.price) == ("3", 0, None)
    assert found.discount_code == "SAVE10"
    assert asked(vrio) == [("/order_offers/40541", {"with": "order_offer_items,discount"})]


def test_a_discount_code_stands_without_items_too(vrio: responses.RequestsMock, client: VrioClient) -> None:
    vrio.get(f"{API}/order_offers/40541", json=ORDER_OFFER | {"discount": {"discount_code": "SAVE10"}})

    found = client.order_offer("40541")

    assert found is not None
    assert (found.lines, found.discount_code) == ((), "SAVE10")


def test_dates_are_in_the_zone_of_the_source(
    vrio: responses.RequestsMock, http: requests.Session, client: VrioClient
) -> None:
    vrio.get(f"{API}/transactions/1668", json=SALE)
    vrio.get(f"{API}/transactions", json={"total": 1, "transactions": [SALE]})

    there, here = VrioClient(API, KEY, http, DENVER).transaction("1668"), client.transaction("1668")
    (listed,) = VrioClient(API, KEY, http, DENVER).transactions_of("68441").records

    assert there is not None
    assert here is not None
    assert there.record.completed_at == datetime(2025, 8, 15, 15, 12, 44, tzinfo=UTC)
    assert listed.completed_at == there.record.completed_at
    assert here.record.completed_at == datetime(2025, 8, 15, 9, 12, 44, tzinfo=UTC)


def test_the_zone_of_one_source_is_not_left_to_the_next(vrio: responses.RequestsMock, http: requests.Session) -> None:
    vrio.get(f"{API}/customers/68441", json=CUSTOMER)
    before = ZONE.get()

    VrioClient(API, KEY, http, DENVER).customer("68441")

    assert ZONE.get() is before


def test_what_cannot_be_read_is_left_out_and_noted(vrio: responses.RequestsMock, client: VrioClient) -> None:
    odd = {"transaction_total": "much", "credits": [REFUND | {"transaction_total": []}, 7, {"transaction_type_id": 2}]}
    vrio.get(f"{API}/transactions/1668", json=SALE | odd)
    offer = ORDER_OFFER | {"order_offer_items": [ITEM | {"item_price": {}}], "discount": "SAVE10"}
    vrio.get(f"{API}/order_offers/40541", json=offer)

    sale, line = client.transaction("1668"), client.order_offer("40541")

    assert sale is not None
    assert sale.record.total is None
    assert [(credit.transaction_id, credit.total) for credit in sale.credits] == [("1669", None)]
    assert set(sale.notes) == {
        "transaction_total is not an amount: left out.",
        "credits[0].transaction_total is not an amount: left out.",
        "credits[1] is not an object: left out.",
    }
    assert line is not None
    assert (line.lines[0].sku, line.lines[0].price, line.discount_code) == ("VIT-D3", None, "")
    assert len(line.notes) == 2


@pytest.mark.parametrize(
    "hostile",
    [
        b'{"transaction_id": 1668, "transaction_total": ' + b"9" * 50_000 + b"}",
        b'{"transaction_id": 1668, "transaction_total": 1e999999999}',
        b'{"transaction_id": 1668, "transaction_total": NaN}',
        b'{"transaction_id": 1668, "credits": ' + b"[" * 400 + b"]" * 400 + b"}",
        b'{"transaction_id": 1668, "order": {"order": {"order": 1}}, "customer": [1], "sale": "x", "line_items": {}}',
        b'{"transaction_id": 1668, "date_complete": "9999-99-99", "customer": {"email": ["\\ud800"]}}',
        b'{"transaction_id": 1668, "transaction_discount_total": "\\u0000\\ud800"}',
    ],
)
def test_hostile_values_cost_only_themselves(vrio: responses.RequestsMock, client: VrioClient, hostile: bytes) -> None:
    vrio.get(f"{API}/transactions/1668", body=hostile)

    found = client.transaction("1668")

    assert found is not None
    assert found.record.transaction_id == "1668"
    assert found.notes


def test_only_reading_calls_go_out_each_with_the_key(vrio: responses.RequestsMock, client: VrioClient) -> None:
    for thing, body in (("transactions/1668", SALE), ("customers/68441", CUSTOMER), ("orders/1253", ORDER)):
        vrio.get(f"{API}/{thing}", json=body)
    vrio.get(f"{API}/order_offers/40541", json=ORDER_OFFER)
    vrio.get(f"{API}/order_offers", json={"total": 0, "order_offers": []})
    vrio.get(f"{API}/transactions", json={"total": 0, "transactions": []})

    client.transaction("1668")
    client.customer("68441")
    client.order("1253")
    client.order_offer("40541")
    client.order_offers_of("68441")
    client.transactions_of("68441")

    assert len(vrio.calls) == 6
    for call in vrio.calls:
        assert call.request.method == "GET"
        assert call.request.headers["x-api-key"] == KEY
        assert KEY not in str(call.request.url)


@pytest.mark.parametrize("things", LOOKUPS)
def test_what_vrio_does_not_know_is_none(vrio: responses.RequestsMock, client: VrioClient, things: str) -> None:
    vrio.get(f"{API}/{things}/5", status=404, json=NOT_FOUND)

    assert LOOKUPS[things](client, "5") is None


@pytest.mark.parametrize("things", LOOKUPS)
@pytest.mark.parametrize("answer", [{"id": 6}, {}, {"id": None}, {"id": "55"}, {"id": [5]}])
def test_an_answer_about_another_thing_is_not_taken(
    vrio: responses.RequestsMock, client: VrioClient, things: str, answer: dict[str, Any]
) -> None:
    vrio.get(f"{API}/{things}/5", json=answer)

    with pytest.raises(Retriable, match=r"^200 and not the \w+ that was asked for$"):
        LOOKUPS[things](client, "5")


@pytest.mark.parametrize("thing_id", ["", "0/../1", "..", "1668?x=y", "16 68", "1668#", "%2e", "é", "1" * 65, "5\n"])
def test_an_id_that_could_lead_elsewhere_is_not_asked_for(
    vrio: responses.RequestsMock, client: VrioClient, thing_id: str
) -> None:
    for lookup in LOOKUPS.values():
        assert lookup(client, thing_id) is None
    assert client.transactions_of(thing_id).records == ()
    assert not client.order_offers_of(thing_id).is_whole

    assert len(vrio.calls) == 0
