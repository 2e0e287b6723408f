"""The REST API: the fields of Vrio's reference, expansions only when asked for, searches, refusals."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from sandbox.vrio import Scene, World, unfold
from sandbox.vrio.acts import credits, orders, parcels, payments
from sandbox.vrio.acts.orders import Wanted
from sandbox.vrio.catalogue import SAVE_FIVE, SLEEP_BUNDLE
from sandbox.vrio.people import Person

# Of each object in an answer the names of its fields, as Vrio's API reference has them.
FIELDS = json.loads(Path(__file__).with_name("rest_fields.json").read_text())
CALLS = {
    "customer": "/customers/68441?with=customer_cards,customer_addresses",
    "order": "/orders/1253?with=order_offers,customer,order_revisions",
    "order_offers": "/order_offers?customer_id=68441&with=order_offer_items,discount",
    "transaction": "/transactions/1668?with=order,customer,customer_card,customer_address_billing,"
    "customer_address_shipping,merchant,campaign,sale,credits,line_items",
    "transactions": "/transactions?customer_id=68441",
}
START = datetime(2026, 9, 1, 9)
DAY = timedelta(days=1)


def plot(life):
    order = orders.place(life, Wanted(SLEEP_BUNDLE), discount=SAVE_FIVE)
    sale = payments.charge(life, order)
    parcels.pack(life, sale)
    yield DAY
    credits.refund(life, sale)
    yield DAY
    credits.refund(life, sale, declined="Too late")


@pytest.fixture
def shop(vrio_with):
    person = Person("John", "Doe", "john@example.com")
    return vrio_with(unfold(World(START, START + 30 * DAY), [Scene(START, person, plot, Random(1))]))


def fields(told, path="", found=None):
    found = {} if found is None else found
    if isinstance(told, dict):
        found.setdefault(path or ".", set()).update(told)
        for name, part in told.items():
            fields(part, f"{path}.{name}".lstrip("."), found)
    elif isinstance(told, list):
        for part in told:
            fields(part, path, found)
    return found


@pytest.mark.parametrize("call", CALLS)
def test_an_answer_has_the_fields_of_the_reference(shop, call):
    expected = {path: set(names.split()) for path, names in FIELDS[call].items()}

    assert fields(shop.json(CALLS[call])) == expected


def test_values_are_typed(shop):
    sale = shop.json("/transactions/1668?with=sale,line_items,shipments")

    assert (sale["transaction_id"], sale["transaction_type_id"], sale["currency_id"]) == (1668, 1, 1)
    assert (sale["transaction_declined"], sale["transaction_parent_id"], sale["is_prepaid"]) == (False, None, False)
    assert (sale["transaction_total"], sale["date_complete"]) == ("24.99", "2026-09-01 09:00:00")
    assert (sale["sale"]["sale_id"], sale["sale"]["status"]) == (1234, "Paid")
    assert [
        (line["item_id"], line["line_item_price"], line["line_item_total"], line["discount_code"])
        for line in sale["line_items"]
    ] == [(3, "19.99", "14.99", "SAVE5"), (4, "10.00", "10.00", "SAVE5")]
    assert [line["line_item_shipments"][0]["shipment_item_sku"] for line in sale["line_items"]] == [
        "MAG-120",
        "TEA-NIGHT",
    ]
    assert sale["shipments"][0]["shipment_status_id"] == 1


def test_nothing_is_expanded_that_was_not_asked_for(shop):
    bare, full = (shop.json(f"/transactions/1668{asked}") for asked in ("", "?with=sale,credits"))

    assert full.keys() - bare.keys() == {"sale", "credits"}
    assert [credit["transaction_id"] for credit in full["credits"]] == [1670]
    assert "order_offer_items" not in shop.json("/order_offers?order_id=1253")["order_offers"][0]


@pytest.mark.parametrize("path", ["/customers/1", "/orders/1", "/order_offers/x", "/transactions/99", "/nothing", "/"])
def test_what_there_is_not(shop, path):
    assert shop.error(path) == (404, "not_found")


def test_a_key_is_needed(shop):
    assert shop.error("/customers/68441", key=None) == (403, "access_denied")
    assert shop.error("/customers/68441", key="wrong") == (401, "unauthorized")


def test_nothing_can_be_written(shop):
    assert shop.http.post("/transactions/1668").status_code == 405


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("customer_id=68441", [1671, 1670, 1668]),
        ("customer_email=John@Example.com", [1671, 1670, 1668]),
        ("order_id=1253", [1671, 1670, 1668]),
        ("transaction_id=1668,1670", [1670, 1668]),
        ("customer_id=68441&transaction_type_id=2", [1671, 1670]),
        ("customer_id=68441&transaction_type_id=1,2", [1671, 1670, 1668]),
        ("customer_id=68441&transaction_success=true", [1670, 1668]),
        ("customer_id=68441&transaction_success=0", [1671]),
        ("customer_id=68441&transaction_status=5", []),
        ("date_from=2026-09-02&date_to=2026-09-02", [1670]),
        ("customer_id=1", []),
    ],
)
def test_transactions_are_found(shop, query, found):
    answer = shop.json(f"/transactions?{query}")

    assert [told["transaction_id"] for told in answer["transactions"]] == found
    assert answer["total"] == len(found)


def test_active_subscriptions_are_found(vrio, month):
    answer = vrio.json("/order_offers?date_from=2026-09-01&date_to=2026-09-30&status_type_id=1&is_recurring=true")

    assert answer["total"] > 200 == len(answer["order_offers"])
    assert {(told["status_type_id"], told["is_recurring"]) for told in answer["order_offers"]} == {(1, True)}


@pytest.mark.parametrize(("path", "limit"), [("/transactions", 25), ("/order_offers", 200), ("/orders", 200)])
def test_pages(vrio, path, limit):
    name = path[1:]
    asked = f"{path}?date_from=2026-09-01&date_to=2026-09-30"
    first = vrio.json(asked)
    ids = [next(iter(told.values())) for told in first[name]]

    assert len(ids) == limit
    assert ids == sorted(ids, reverse=True)
    assert vrio.json(f"{asked}&offset={limit // 5}")[name][0] == first[name][limit // 5]
    assert vrio.json(f"{asked}&limit=10&page=2")[name] == first[name][10:20]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "status_type_id=1",
        "date_from=2026-09-01",
        "date_from=2026-08-01&date_to=2026-09-30",
        "date_from=2026-09-30&date_to=2026-09-01",
        "customer_id=1&limit=201",
        "customer_id=1&limit=0",
        "customer_id=1&limit=all",
        "customer_id=1&colour=red",
    ],
)
def test_searches_that_are_refused(vrio, query):
    assert vrio.error(f"/orders?{query}") == (400, "bad_request")


def test_an_expansion_that_is_not_known_is_refused(shop):
    assert shop.error("/orders/1253?with=weather") == (400, "bad_request")


def test_answers_are_of_the_moment_of_the_story(month, vrio):
    try:
        month.now = month.opened_at - timedelta(days=40)
        assert vrio.error("/customers/68441") == (404, "not_found")
        assert vrio.json("/customers?date_from=2026-09-01&date_to=2026-09-30")["total"] == 0
    finally:
        month.now = month.ends_at
    assert vrio.json("/customers/68441")["customer_id"] == 68441
