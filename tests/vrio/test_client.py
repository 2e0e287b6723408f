"""What Vrio is asked, what its answers become, and that neither time, memory nor the key gets lost on the way."""

import gzip
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
import requests
import responses
from flask import Flask, Response, jsonify, request

from sandbox.klaviyo.server import serve_in_thread
from sandbox.vrio import SANDBOX_KEY, Settings, World, create_app, tell_month
from sandbox.vrio.charges import Sale, Transaction
from sandbox.vrio.records import Customer, Order, OrderOffer
from vrio_klaviyo.errors import (
    Answer,
    CallFailed,
    EndpointRefused,
    NotAuthorized,
    Rejected,
    Retriable,
    Throttled,
)
from vrio_klaviyo.klaviyo.client import new_session
from vrio_klaviyo.vrio.amounts import ZONE
from vrio_klaviyo.vrio.answers import MOST_PAGES
from vrio_klaviyo.vrio.client import LONGEST_ANSWER, MOST_AT_ONCE, PAUSES_S, VrioClient, failure_of, retry_after_s
from vrio_klaviyo.vrio.reading import MOST_PARTS

pytestmark = pytest.mark.requirement("003-C")

API = "https://api.vrio.test"
KEY = "vk_Zq81-secret"
DENVER = ZoneInfo("America/Denver")

BILLING = {"customer_address_id": 20493, "fname": "John", "lname": "Doe", "city": "Austin", "country": "US"}
SHIPPING = {"customer_address_id": 20494, "fname": "John", "lname": "Doe", "city": "Dallas", "country": "US"}
CUSTOMER = {
    "customer_id": 68441,
    "first_name": "John",
    "last_name": "Doe",
    "email": "john@acme.test",
    "phone": "(555) 123-4567",
    "active_subscriber": True,
    "date_modified": "2025-08-15 09:12:44",
}
ORDER = {
    "order_id": 1253,
    "campaign_id": 1,
    "customer_id": 68441,
    "status_type_id": 3,
    "is_test": False,
    "order_discount": "5.00",
    "tracking1": "newsletter",
    "tracking2": None,
}
ORDER_OFFER = {
    "order_offer_id": 40541,
    "status_type_id": 1,
    "offer_id": 1,
    "offer_name": "Monthly Vitamins",
    "order_id": 1253,
    "order_offer_price": "29.99",
    "order_offer_quantity": 1,
    "is_recurring": True,
    "discount_id": 11,
    "charge_timeframe_name": "Monthly",
    "next_recurring_date": "2025-10-15 03:00:00",
}
SALE = {
    "transaction_id": 1668,
    "customer_id": 68441,
    "order_id": 1253,
    "transaction_type_id": 1,
    "transaction_declined": False,
    "response_code": 100,
    "currency_id": 1,
    "transaction_total": "24.99",
    "date_complete": "2025-08-15 09:12:44",
}
REFUND = SALE | {"transaction_id": 1669, "transaction_type_id": 2, "transaction_parent_id": 1668}
LINE_ITEM = {
    "order_offer_id": 40541,
    "offer_id": 1,
    "offer_name": "Monthly Vitamins",
    "item_id": 2,
    "item_name": "Vitamin D3",
    "item_quantity": 1,
    "discount_code": "SAVE10",
    "line_item_price": "29.99",
    "line_item_shipments": [{"item_id": 2, "shipment_item_sku": "VIT-D3", "quantity": 1}],
}
ITEM = {"item_id": 2, "item_name": "Vitamin D3", "item_price": "31.50", "item_sku": "VIT-D3", "item_quantity": 3}

NOT_FOUND = {"error": {"code": "not_found", "message": "No such record"}}


def unfinished(url: Any = f"{API}/api_requests/7f") -> dict[str, Any]:
    """What Vrio says of an answer that it is still working on."""
    return {"error": {"code": "request_processing", "message": "Still working", "api_request": url}}


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with new_session() as session:
        yield session


@pytest.fixture
def vrio() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as played:
        yield played


@pytest.fixture
def waits() -> list[float]:
    """How long the client wanted to sleep; it did not."""
    return []


@pytest.fixture
def client(http: requests.Session, waits: list[float]) -> VrioClient:
    return VrioClient(API, KEY, http, UTC, wait=waits.append)


def asked(vrio: responses.RequestsMock) -> list[tuple[str, dict[str, str]]]:
    """Path and query of every request."""
    urls = [urlsplit(str(call.request.url)) for call in vrio.calls]
    return [(url.path, {name: values[0] for name, values in parse_qs(url.query).items()}) for url in urls]


# What is asked, and what the answers become.


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


LOOKUPS: dict[str, Callable[[VrioClient, str], object]] = {
    "transactions": VrioClient.transaction,
    "customers": VrioClient.customer,
    "orders": VrioClient.order,
    "order_offers": VrioClient.order_offer,
}


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


# Searches, page by page.


def sales(*numbers: int, **changes: Any) -> list[dict[str, Any]]:
    return [SALE | {"transaction_id": number} | changes for number in numbers]


class Pages:
    """A search that answers page by page, as told; `most` is what it gives at once, whatever it was asked for."""

    def __init__(self, rows: list[Any], *, total: Any = "counted", most: int = 200, turns: bool = True) -> None:
        self.rows, self.total, self.most, self.turns = rows, total, most, turns
        self.asked: list[dict[str, str]] = []

    def __call__(self, prepared: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        query = {name: values[0] for name, values in parse_qs(urlsplit(str(prepared.url)).query).items()}
        self.asked.append(query)
        first = int(query.get("offset", "0")) if self.turns else 0
        rows = self.rows[first : first + self.most]
        body = {"transactions": rows} | ({} if self.total is None else {"total": self.total})
        if self.total == "counted":
            body["total"] = len(self.rows)
        return 200, {}, json.dumps(body)


def searched(vrio: responses.RequestsMock, pages: Pages) -> Pages:
    vrio.add_callback(responses.GET, f"{API}/transactions", pages)
    return pages


def test_all_pages_of_a_search_are_read(vrio: responses.RequestsMock, client: VrioClient) -> None:
    pages = searched(vrio, Pages(sales(*range(1, 451))))

    found = client.transactions_of("68441")

    assert [told.transaction_id for told in found.records] == [str(number) for number in range(1, 451)]
    assert found.is_whole
    assert found.notes == ()
    assert pages.asked == [
        {"customer_id": "68441", "limit": "200"},
        {"customer_id": "68441", "limit": "200", "offset": "200"},
        {"customer_id": "68441", "limit": "200", "offset": "400"},
    ]


def test_a_search_that_fits_on_one_page_is_one_call(vrio: responses.RequestsMock, client: VrioClient) -> None:
    pages = searched(vrio, Pages(sales(*range(1, 201))))

    found = client.transactions_of("68441")

    assert (len(found.records), found.is_whole, len(pages.asked)) == (200, True, 1)


def test_pages_that_are_shorter_than_asked_for_are_all_read(vrio: responses.RequestsMock, client: VrioClient) -> None:
    pages = searched(vrio, Pages(sales(*range(1, 61)), most=25))

    found = client.transactions_of("68441")

    assert (len(found.records), found.is_whole) == (60, True)
    assert [query.get("offset") for query in pages.asked] == [None, "25", "50"]


@pytest.mark.parametrize("total", [None, "many", {}, "---"])
def test_without_a_total_only_an_empty_page_ends_a_search(
    vrio: responses.RequestsMock, client: VrioClient, total: Any
) -> None:
    pages = searched(vrio, Pages(sales(*range(1, 31)), most=25, total=total))

    found = client.transactions_of("68441")

    assert (len(found.records), found.is_whole, len(pages.asked)) == (30, True, 3)


@pytest.mark.parametrize("total", ["counted", None])
def test_a_page_that_comes_again_ends_a_search(vrio: responses.RequestsMock, client: VrioClient, total: Any) -> None:
    pages = searched(vrio, Pages(sales(*range(1, 451)), total=total, turns=False))

    found = client.transactions_of("68441")

    assert (len(found.records), found.is_whole, len(pages.asked)) == (200, False, 2)


def test_a_search_without_an_end_ends(vrio: responses.RequestsMock, client: VrioClient) -> None:
    pages = searched(vrio, Pages(sales(*range(1, 500)), most=2, total=10**6))

    found = client.transactions_of("68441")

    assert (len(found.records), found.is_whole, len(pages.asked)) == (2 * MOST_PAGES, False, MOST_PAGES)


def test_what_a_later_page_repeats_is_there_once(vrio: responses.RequestsMock, client: VrioClient) -> None:
    """A new transaction moves all others one place on while the pages are turned."""
    searched(vrio, Pages(sales(1, 2, 3, 3, 4, 5), most=3, total=5))

    found = client.transactions_of("68441")

    assert [told.transaction_id for told in found.records] == ["1", "2", "3", "4", "5"]
    assert found.is_whole


def test_a_page_that_is_longer_than_asked_for_is_read_in_parts(
    vrio: responses.RequestsMock, client: VrioClient
) -> None:
    pages = searched(vrio, Pages(sales(*range(1, MOST_PARTS + 101)), most=10_000))

    found = client.transactions_of("68441")

    assert (len(found.records), found.is_whole) == (MOST_PARTS + 100, True)
    assert [query.get("offset") for query in pages.asked] == [None, str(MOST_PARTS)]


@pytest.mark.parametrize("total", ["counted", None])
@pytest.mark.parametrize("row", [None, 7, [], {}, {"transaction_total": "1.00"}, {"transaction_id": [1]}])
def test_an_entry_that_cannot_be_read_leaves_a_search_not_whole(
    vrio: responses.RequestsMock, client: VrioClient, row: Any, total: Any
) -> None:
    searched(vrio, Pages([*sales(1), row, *sales(2)], total=total))

    found = client.transactions_of("68441")

    assert [told.transaction_id for told in found.records] == ["1", "2"]
    assert not found.is_whole
    assert found.notes[0].startswith("transactions[1].id is ")


def test_another_customers_entries_are_left_out_and_no_more_of_them_are_asked_for(
    vrio: responses.RequestsMock, client: VrioClient
) -> None:
    pages = searched(vrio, Pages([*sales(1), *sales(2, 3, customer_id=5), *sales(4)], most=3))

    found = client.transactions_of("68441")

    assert [told.transaction_id for told in found.records] == ["1"]
    assert not found.is_whole
    assert found.notes == ("2 entries are another customer's: left out.",)
    assert len(pages.asked) == 1


def test_notes_of_many_pages_are_few(vrio: responses.RequestsMock, client: VrioClient) -> None:
    searched(vrio, Pages(sales(*range(1, 401), transaction_total="much", currency_id="shells")))

    found = client.transactions_of("68441")

    assert (len(found.records), found.is_whole, len(found.notes)) == (400, True, 20)


def test_nothing_found_is_an_empty_whole(vrio: responses.RequestsMock, client: VrioClient) -> None:
    vrio.get(f"{API}/transactions", json={"total": 0, "transactions": []})
    vrio.get(f"{API}/order_offers", status=404, json=NOT_FOUND)

    for found in (client.transactions_of("68441"), client.order_offers_of("68441")):
        assert (found.records, found.is_whole) == ((), True)


def test_order_offers_say_whose_they_are(vrio: responses.RequestsMock, client: VrioClient) -> None:
    vrio.get(f"{API}/order_offers", json={"total": 1, "order_offers": [ORDER_OFFER]})

    found = client.order_offers_of("68441")

    (offer,) = found.records
    assert (offer.order_offer_id, offer.customer_id) == ("40541", "68441")
    assert offer.next_charge_at == datetime(2025, 10, 15, 3, tzinfo=UTC)
    assert asked(vrio) == [("/order_offers", {"customer_id": "68441", "limit": "200"})]


@pytest.mark.parametrize("body", [{}, {"transactions": None}, {"transactions": {"1": SALE}}, {"total": 1}])
def test_a_page_that_is_none_is_not_taken_for_an_empty_one(
    vrio: responses.RequestsMock, client: VrioClient, body: dict[str, Any]
) -> None:
    vrio.get(f"{API}/transactions", json=body)

    with pytest.raises(Retriable, match=r"^200 without transactions$"):
        client.transactions_of("68441")


def test_pages_that_are_gone_leave_a_search_not_whole(vrio: responses.RequestsMock, client: VrioClient) -> None:
    vrio.get(f"{API}/transactions", json={"total": 2, "transactions": sales(1)})
    vrio.get(f"{API}/transactions", status=404, json=NOT_FOUND)

    found = client.transactions_of("68441")

    assert (len(found.records), found.is_whole) == (1, False)


def test_a_page_that_fails_fails_the_search(vrio: responses.RequestsMock, client: VrioClient) -> None:
    vrio.get(f"{API}/transactions", json={"total": 2, "transactions": sales(1)})
    vrio.get(f"{API}/transactions", status=500)

    with pytest.raises(Retriable, match=r"^500$"):
        client.transactions_of("68441")


# Which answer is which error.


def error(code: Any, **more: Any) -> bytes:
    return json.dumps({"error": {"code": code, "message": "john@acme.test was refused"} | more}).encode()


HTML = b"<html><body><h1>403 Forbidden</h1></body></html>"


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (400, error("bad_request"), Rejected, "400 bad_request"),
        (400, HTML, Rejected, "400"),
        (401, error("unauthorized"), NotAuthorized, "401 unauthorized"),
        (401, b"", NotAuthorized, "401"),
        (403, error("access_denied"), NotAuthorized, "403 access_denied"),
        (403, b'{"message": "Forbidden"}', NotAuthorized, "403"),
        (403, HTML, Retriable, "403 (not Vrio's own answer)"),
        (403, b"", Retriable, "403 (not Vrio's own answer)"),
        (404, HTML, Retriable, "404 (not Vrio's own answer)"),
        (404, b'{"message": "Not Found"}', Retriable, "404 (not Vrio's own answer)"),
        (405, b"", EndpointRefused, "405"),
        (408, b"", Retriable, "408"),
        (410, b"", EndpointRefused, "410"),
        (413, error("payload_too_large"), Rejected, "413 payload_too_large"),
        (415, b"", EndpointRefused, "415"),
        (429, error("too_many"), Throttled, "429 too_many"),
        (429, HTML, Throttled, "429"),
        (500, error("internal_error"), Retriable, "500 internal_error"),
        (502, HTML, Retriable, "502"),
        (503, b"", Retriable, "503"),
        (504, b"", Retriable, "504"),
        (504, error("timeout", api_request=f"{API}/x"), Retriable, "504 timeout"),
        (503, error("request_processing", api_request=f"{API}/x"), Retriable, "503 request_processing"),
        (301, b"", Retriable, "301"),
        (304, b"", Retriable, "304"),
    ],
)
def test_an_answer_is_an_error_of_this_kind(
    vrio: responses.RequestsMock, client: VrioClient, status: int, body: bytes, kind: type[CallFailed], reason: str
) -> None:
    vrio.get(f"{API}/customers/68441", status=status, body=body)

    with pytest.raises(CallFailed) as failed:
        client.customer("68441")

    assert type(failed.value) is kind
    assert failed.value.reason == reason
    assert failed.value.answer is not None
    assert failed.value.answer.status == status
    assert len(vrio.calls) == 1
    assert_tells_no_secret(failed.value)


def assert_tells_no_secret(failed: CallFailed) -> None:
    for told in (failed.reason, str(failed), repr(failed)):
        assert KEY not in told
        assert "john@acme.test" not in told


@pytest.mark.parametrize(
    "code", [None, 7, ["x"], {"a": 1}, "", "Bad", "a" * 41, KEY, "john@acme.test", "a b", "a\n", "ä"]
)
def test_a_code_that_is_none_is_not_told(code: Any) -> None:
    assert failure_of(Answer(500, {}, error(code))).reason == "500"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        b"null",
        b"[]",
        b'"error"',
        b'{"transaction_id": 1668',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        HTML,
    ],
)
@pytest.mark.parametrize("status", [200, 403, 404, 504])
def test_hostile_json_is_retriable(vrio: responses.RequestsMock, client: VrioClient, body: bytes, status: int) -> None:
    vrio.get(f"{API}/transactions/1668", status=status, body=body)

    with pytest.raises(Retriable):
        client.transaction("1668")


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


@pytest.mark.parametrize("body", [b'{"error": null}', b'{"error": "x"}', b'{"error": [1]}', b'{"error": {}}'])
def test_a_404_that_is_not_in_vrios_words_is_no_absence(
    vrio: responses.RequestsMock, client: VrioClient, body: bytes
) -> None:
    vrio.get(f"{API}/customers/68441", status=404, body=body)

    with pytest.raises(Retriable):
        client.customer("68441")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0"}, 1),
        ({}, 10),
        ({"retry-after": "soon"}, 10),
        ({"retry-after": "-5"}, 10),
        ({"retry-after": "٣"}, 10),
        ({"retry-after": "86400"}, 3600),
        ({"retry-after": "9" * 5000}, 3600),
    ],
)
def test_who_is_throttled_waits_as_told_and_never_for_ever(headers: dict[str, str], seconds: float) -> None:
    assert retry_after_s(headers) == seconds
    found = failure_of(Answer(429, headers, b""))
    assert isinstance(found, Throttled)
    assert found.retry_after_s == seconds


def test_a_redirect_is_not_followed(vrio: responses.RequestsMock, client: VrioClient) -> None:
    vrio.get(f"{API}/customers/68441", status=302, headers={"Location": "https://evil.test/"})

    with pytest.raises(Retriable, match=r"^302$"):
        client.customer("68441")
    assert len(vrio.calls) == 1


@pytest.mark.parametrize("key", ["", " ", f"{KEY}\r\nX-More: y", f"{KEY}\n", f" {KEY}", f"{KEY}€", f"{KEY}\x00"])
def test_a_key_that_fits_into_no_header_is_not_sent_and_not_told(
    vrio: responses.RequestsMock, http: requests.Session, key: str
) -> None:
    with pytest.raises(NotAuthorized) as failed:
        VrioClient(API, key, http, UTC).customer("68441")

    assert_tells_no_secret(failed.value)
    assert failed.value.__cause__ is None
    assert len(vrio.calls) == 0


def test_the_client_does_not_tell_its_key(client: VrioClient) -> None:
    assert KEY not in repr(client)
    assert KEY not in str(client)


# Answers that are not finished yet.


def test_an_answer_that_is_not_finished_is_fetched_where_vrio_says(
    vrio: responses.RequestsMock, client: VrioClient, waits: list[float]
) -> None:
    vrio.get(f"{API}/transactions/1668", status=504, json=unfinished())
    vrio.get(f"{API}/api_requests/7f", status=504, json=unfinished(f"{API}/api_requests/8a?part=1"))
    vrio.get(f"{API}/api_requests/8a", json=SALE)

    found = client.transaction("1668")

    assert found is not None
    assert found.record.transaction_id == "1668"
    assert asked(vrio)[1:] == [("/api_requests/7f", {}), ("/api_requests/8a", {"part": "1"})]
    assert [call.request.headers["x-api-key"] for call in vrio.calls] == [KEY] * 3
    assert waits == list(PAUSES_S[:2])


def test_a_page_that_is_not_finished_is_fetched_too(vrio: responses.RequestsMock, client: VrioClient) -> None:
    vrio.get(f"{API}/transactions", status=504, json=unfinished())
    vrio.get(f"{API}/api_requests/7f", json={"total": 1, "transactions": [SALE]})

    assert client.transactions_of("68441").is_whole


def test_an_answer_that_is_never_finished_is_retriable(
    vrio: responses.RequestsMock, client: VrioClient, waits: list[float]
) -> None:
    vrio.get(f"{API}/customers/68441", status=504, json=unfinished())
    vrio.get(f"{API}/api_requests/7f", status=504, json=unfinished())

    with pytest.raises(Retriable, match=r"^504 request_processing$"):
        client.customer("68441")
    assert len(vrio.calls) == 1 + len(PAUSES_S)
    assert waits == list(PAUSES_S)


def test_an_answer_that_is_not_finished_in_time_is_retriable(
    vrio: responses.RequestsMock, http: requests.Session
) -> None:
    vrio.get(f"{API}/customers/68441", status=504, json=unfinished())
    began = time.monotonic()

    with pytest.raises(Retriable, match=r"no answer within 0\.2 s altogether"):
        VrioClient(API, KEY, http, UTC, total_timeout_s=0.2).customer("68441")
    assert time.monotonic() - began < PAUSES_S[0]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, error("internal_error"), Retriable),
        (401, error("unauthorized"), NotAuthorized),
        (429, b"", Throttled),
        # Whether the thing is gone or the finished answer, nobody can tell.
        (404, error("not_found"), Retriable),
        (200, b"garbage", Retriable),
        (200, b'{"customer_id": 5}', Retriable),
    ],
)
def test_a_finished_answer_is_judged_as_any_other(
    vrio: responses.RequestsMock, client: VrioClient, status: int, body: bytes, kind: type[CallFailed]
) -> None:
    vrio.get(f"{API}/customers/68441", status=504, json=unfinished())
    vrio.get(f"{API}/api_requests/7f", status=status, body=body)

    with pytest.raises(CallFailed) as failed:
        client.customer("68441")
    assert type(failed.value) is kind


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.test/api_requests/7f",
        "https://api.vrio.test.evil.test/api_requests/7f",
        "https://evil.test\\@api.vrio.test/api_requests/7f",
        "https://api.vrio.test\\@evil.test/api_requests/7f",
        "https://api.vrio.test@evil.test/api_requests/7f",
        "https://evil.test#@api.vrio.test/api_requests/7f",
        "https://evil.test?@api.vrio.test/api_requests/7f",
        "http://api.vrio.test/api_requests/7f",
        "http://api.vrio.test:443/api_requests/7f",
        "https://api.vrio.test:8443/api_requests/7f",
        "https://api.vrio.test:99999/api_requests/7f",
        "https://[api.vrio.test/api_requests/7f",
        "//api.vrio.test/api_requests/7f",
        "ftp://api.vrio.test/api_requests/7f",
        "/api_requests/7f",
        "https://api.vrio.test",
        "https://api.vrio.test/",
        "https://api.vrio.test/a b",
        "https://api.vrio.test/a\\b",
        "https://api.vrio.test/a?b c",
        "https://api.vrio.test/a?b=<c>",
        "https://api.vrio.test/" + "a" * 600,
        "",
        None,
        7,
        [f"{API}/api_requests/7f"],
    ],
)
def test_the_key_goes_nowhere_else(
    vrio: responses.RequestsMock, client: VrioClient, waits: list[float], elsewhere: Any
) -> None:
    vrio.get(f"{API}/customers/68441", status=504, json=unfinished(elsewhere))

    with pytest.raises(Retriable, match="its api_request is no URL of this API"):
        client.customer("68441")
    assert len(vrio.calls) == 1
    assert waits == []


@pytest.mark.parametrize("same", ["HTTPS://API.vrio.TEST/api_requests/7f", f"{API}:443/api_requests/7f"])
def test_another_spelling_of_our_own_host_is_our_own_host(
    vrio: responses.RequestsMock, client: VrioClient, same: str
) -> None:
    vrio.get(f"{API}/customers/68441", status=504, json=unfinished(same))
    vrio.get(f"{API}/api_requests/7f", json=CUSTOMER)

    assert client.customer("68441") is not None


# Over real HTTP: how many at once, and for how long.


class Busy:
    """A Vrio that counts how many requests it works on at once; each takes a little while."""

    def __init__(self, *, takes_s: float = 0.05, unfinished_first: int = 0) -> None:
        self.app = Flask("busy")
        self.app.add_url_rule("/<path:path>", view_func=self.answer)
        self.takes_s, self.unfinished_first = takes_s, unfinished_first
        self.lock = threading.Lock()
        self.now = self.most = 0
        self.times: Counter[str] = Counter()

    def answer(self, path: str) -> Response:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.times[path] += 1
            times = self.times[path]
        time.sleep(self.takes_s)
        with self.lock:
            self.now -= 1
        assert request.headers["X-Api-Key"] == KEY
        if times <= self.unfinished_first:
            answer = jsonify(unfinished(request.url))
            answer.status_code = 504
            return answer
        return jsonify(CUSTOMER | {"customer_id": path.rpartition("/")[2]})


def test_never_more_than_three_calls_are_under_way(http: requests.Session) -> None:
    busy = Busy()
    with serve_in_thread(busy.app) as url, ThreadPoolExecutor(20) as threads:
        client = VrioClient(url, KEY, http, UTC)
        found = list(threads.map(client.customer, map(str, range(1, 41))))

    assert [told.record.customer_id for told in found if told] == [str(number) for number in range(1, 41)]
    assert busy.most == MOST_AT_ONCE == 3


def test_an_answer_that_is_not_finished_keeps_its_slot(http: requests.Session) -> None:
    """Vrio still works on it, and counts it."""
    busy = Busy(takes_s=0.02, unfinished_first=1)
    working, most = 0, 0
    lock = threading.Lock()

    def wait(_: float) -> None:
        nonlocal working, most
        with lock:
            working += 1
            most = max(most, working)
        time.sleep(0.05)
        with lock:
            working -= 1

    with serve_in_thread(busy.app) as url, ThreadPoolExecutor(20) as threads:
        client = VrioClient(url, KEY, http, UTC, wait=wait)
        found = list(threads.map(client.customer, map(str, range(1, 21))))

    assert all(found)
    assert most == 3


def test_a_failed_call_gives_its_slot_back(vrio: responses.RequestsMock, client: VrioClient) -> None:
    vrio.get(f"{API}/customers/68441", status=500)
    for _ in range(2 * MOST_AT_ONCE):
        with pytest.raises(Retriable):
            client.customer("68441")
    vrio.get(f"{API}/orders/1253", json=ORDER)

    assert client.order("1253") is not None


def test_who_gets_no_slot_in_time_is_told_so(http: requests.Session) -> None:
    busy = Busy(takes_s=0, unfinished_first=1)
    waiting, go_on = threading.Semaphore(0), threading.Event()

    def wait(_: float) -> None:
        waiting.release()
        go_on.wait(20)

    with serve_in_thread(busy.app) as url, ThreadPoolExecutor(3) as threads:
        client = VrioClient(url, KEY, http, UTC, total_timeout_s=0.3, wait=wait)
        under_way = [threads.submit(client.customer, number) for number in ("1", "2", "3")]
        assert all(waiting.acquire(timeout=20) for _ in under_way)
        began = time.monotonic()
        with pytest.raises(Retriable, match="3 other calls were under way all the time"):
            client.customer("4")
        took = time.monotonic() - began
        go_on.set()

    assert 0.3 <= took < 2
    assert "customers/4" not in busy.times


def test_an_unfinished_answer_is_followed_over_http(http: requests.Session) -> None:
    busy = Busy(takes_s=0, unfinished_first=2)
    with serve_in_thread(busy.app) as url:
        found = VrioClient(f"{url}/", KEY, http, UTC, wait=lambda _: None).customer("68441")

    assert found is not None
    assert busy.times == {"customers/68441": 3}


def test_nobody_there_is_retriable(http: requests.Session) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Retriable, match="the connection broke or was refused") as failed:
        VrioClient(f"http://127.0.0.1:{port}", KEY, http, UTC).customer("68441")

    assert failed.value.answer is None
    assert_tells_no_secret(failed.value)


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads the head of one request, and then does as told with the connection."""
    ended = threading.Event()

    def serve() -> None:
        with suppress(OSError):
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                answer(connection)
                ended.wait(20)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        ended.set()
        server.close()
        thread.join()


def saying(*parts: bytes, pause_s: float = 0, shut: bool = False) -> Callable[[socket.socket], None]:
    """Sends these parts, each after a pause."""

    def answer(connection: socket.socket) -> None:
        with suppress(OSError):
            for part in parts:
                connection.sendall(part)
                time.sleep(pause_s)
            if shut:
                connection.shutdown(socket.SHUT_WR)

    return answer


PACKED = gzip.compress(b" " * (LONGEST_ANSWER + 1))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (saying(), r"no answer within 0\.3 s"),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), r"no answer within 0\.3 s"),
        (saying(b"HTTP/1.1 200 OK\r\n\r\n", *[b" "] * 300, pause_s=0.05), "the answer did not end in time"),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", shut=True), "."),
        (saying(b"garbage\r\n\r\n", shut=True), "."),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain"), "broke off"),
        (saying(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (LONGEST_ANSWER + 1), shut=True), "longer than 8,388,608 bytes"),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + PACKED, shut=True), "longer than 8,388,608"),
    ],
    ids=["silent", "stops", "drips", "breaks off", "no HTTP", "not packed", "long", "packed"],
)
def test_what_goes_wrong_on_the_wire_is_retriable_and_soon_over(
    http: requests.Session, answer: Callable[[socket.socket], None], reason: str
) -> None:
    with answering(answer) as url:
        began = time.monotonic()
        with pytest.raises(Retriable, match=reason) as failed:
            VrioClient(url, KEY, http, UTC, read_timeout_s=0.3, total_timeout_s=1).customer("68441")
        took = time.monotonic() - began

    assert took < 2
    assert_tells_no_secret(failed.value)


def test_silence_is_waited_for_no_longer_than_the_lookup_may_take(http: requests.Session) -> None:
    with answering(saying()) as url:
        began = time.monotonic()
        with pytest.raises(Retriable, match="no answer within 0"):
            VrioClient(url, KEY, http, UTC, total_timeout_s=0.3).customer("68441")
        took = time.monotonic() - began

    assert took < 2


def test_the_time_for_one_lookup_is_for_all_its_pages(http: requests.Session) -> None:
    app = Flask("slow")

    @app.get("/transactions")
    def search() -> Response:
        time.sleep(0.1)
        first = int(request.args.get("offset", "0"))
        return jsonify({"total": 1000, "transactions": sales(first + 1)})

    with serve_in_thread(app) as url:
        began = time.monotonic()
        with pytest.raises(Retriable):
            VrioClient(url, KEY, http, UTC, total_timeout_s=0.5).transactions_of("68441")
        took = time.monotonic() - began

    assert took < 1.5


# Against the sandbox, which knows nothing of the client.


class Sandbox:
    """A Vrio of our own, served over HTTP."""

    def __init__(self, url: str, world: World) -> None:
        self.url, self.world = url, world

    def client(self, http: requests.Session, key: str = SANDBOX_KEY) -> VrioClient:
        return VrioClient(self.url, key, http, self.world.zone, read_timeout_s=1, wait=lambda _: None)

    def ids(self, kind: type[Any], customer_id: int | None = None) -> set[str]:
        return {str(record.id) for record in self.world.current.all(kind, customer_id)}

    def fault(self, kind: str, **how: Any) -> None:
        requests.post(f"{self.url}/sandbox/faults", json={"fault": kind, **how}, timeout=5).raise_for_status()

    def state(self) -> Any:
        return requests.get(f"{self.url}/sandbox/state", timeout=5).json()

    def reset(self) -> None:
        requests.post(f"{self.url}/sandbox/reset", timeout=5).raise_for_status()


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    world = tell_month(40, zone="America/Denver")
    with serve_in_thread(create_app(world, Settings(latency_ms=5))) as url:
        yield Sandbox(url, world)


@pytest.fixture
def sandbox(served: Sandbox) -> Sandbox:
    served.reset()
    return served


def test_all_that_the_sandbox_holds_can_be_looked_up(sandbox: Sandbox, http: requests.Session) -> None:
    client, world = sandbox.client(http), sandbox.world.current
    for sold in world.all(Transaction):
        found = client.transaction(str(sold.id))
        assert found is not None
        assert found.notes == ()
        assert found.record.total == sold.total
        # What was skipped is no sale yet.
        assert found.record.sale_id == (str(sold.sale_id) if world.find(Sale, sold.sale_id) else "")
        assert found.record.order.order_id == str(sold.order_id)
        assert found.record.customer.customer_id == str(sold.customer_id)
        # The SKU is that of a parcel, and not all that is listed was ever packed.
        assert [(line.item_id, line.price) for line in found.record.line_items] == [
            (str(line.item.item_id), line.price) for line in sold.lines
        ]
        assert {line.sku for line in found.record.line_items} <= {"", *(line.item.sku for line in sold.lines)}
    for ordered in world.all(Order):
        order = client.order(str(ordered.id))
        assert order is not None
        assert order.notes == ()
        assert [offer.order_offer_id for offer in order.record.offers] == [str(o.id) for o in world.offers(ordered)]
    for bought in world.all(OrderOffer):
        offer = client.order_offer(str(bought.id))
        assert offer is not None
        assert offer.notes == ()
        assert [line.sku for line in offer.lines] == [item.sku for item in bought.offer.items]
        assert offer.discount_code == (bought.discount.code if bought.discount else "")
    for person in world.all(Customer):
        customer = client.customer(str(person.id))
        assert customer is not None
        assert customer.notes == ()
        assert len(customer.record.addresses) == len(set(person.addresses))


def test_all_that_a_customer_has_in_the_sandbox_is_found(sandbox: Sandbox, http: requests.Session) -> None:
    client = sandbox.client(http)
    for person in sandbox.world.current.all(Customer):
        paid, bought = client.transactions_of(str(person.id)), client.order_offers_of(str(person.id))
        assert {told.transaction_id for told in paid.records} == sandbox.ids(Transaction, person.id)
        assert {told.order_offer_id for told in bought.records} == sandbox.ids(OrderOffer, person.id)
        assert {told.customer_id for told in bought.records} <= {str(person.id)}
        assert (paid.is_whole, bought.is_whole, paid.notes, bought.notes) == (True, True, (), ())


def test_the_sandbox_never_sees_more_than_three_at_once(sandbox: Sandbox, http: requests.Session) -> None:
    client = sandbox.client(http)
    with ThreadPoolExecutor(20) as threads:
        found = list(threads.map(client.transactions_of, sorted(sandbox.ids(Customer))))

    assert len(found) == 40
    assert sandbox.state()["most_at_once"] == {"/transactions": 3}


def test_the_sandboxs_unfinished_answers_are_followed(sandbox: Sandbox, http: requests.Session) -> None:
    client = sandbox.client(http)
    sandbox.fault("processing", path="/transactions/", polls=3)
    sandbox.fault("processing", path="/order_offers", polls=0)
    number, person = min(sandbox.ids(Transaction)), min(sandbox.ids(Customer))

    found, bought = client.transaction(number), client.order_offers_of(person)

    assert found is not None
    assert found.record.transaction_id == number
    assert {told.order_offer_id for told in bought.records} == sandbox.ids(OrderOffer, int(person))
    assert sandbox.state()["requests"] == 1 + 4 + 1 + 1


@pytest.mark.parametrize(
    ("fault", "how", "kind"),
    [
        ("processing", {"polls": 99}, Retriable),
        ("status", {"status": 500}, Retriable),
        ("status", {"status": 429, "headers": {"Retry-After": "3"}}, Throttled),
        ("status", {"status": 302, "headers": {"Location": "/customers/1"}}, Retriable),
        ("status", {"status": 403}, NotAuthorized),
        ("html", {"status": 403}, Retriable),
        ("html", {"status": 404}, Retriable),
        ("html", {"status": 200}, Retriable),
        ("garbage", {}, Retriable),
        ("reset", {}, Retriable),
        ("hang", {"seconds": 2}, Retriable),
    ],
)
def test_the_sandboxs_faults_are_told_apart(
    sandbox: Sandbox, http: requests.Session, fault: str, how: dict[str, Any], kind: type[CallFailed]
) -> None:
    sandbox.fault(fault, **how)
    with pytest.raises(CallFailed) as failed:
        sandbox.client(http).customer(min(sandbox.ids(Customer)))

    assert type(failed.value) is kind
    assert SANDBOX_KEY not in f"{failed.value.reason} {failed.value} {failed.value!r}"


def test_the_sandbox_knows_its_key_and_what_it_does_not_have(sandbox: Sandbox, http: requests.Session) -> None:
    with pytest.raises(NotAuthorized, match=r"^401 unauthorized$"):
        sandbox.client(http, "another-key").customer("1")

    client = sandbox.client(http)
    assert [lookup(client, "1") for lookup in LOOKUPS.values()] == [None] * 4
    assert client.transactions_of("1").records == ()
