"""The file of a catalogue: what is taken, and what is refused with its place."""

import json
from decimal import Decimal
from typing import Any

import pytest

from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.vrio import keeping
from vrio_klaviyo.vrio.catalog import Catalog, CatalogItem, CatalogOffer, opened
from vrio_klaviyo.vrio.catalog_file import FORMAT, read_catalog

PRINTED = Catalog(
    offers=(
        CatalogOffer(
            offer_id="1",
            name="Monthly Vitamins",
            interval_days=30,
            items=(
                CatalogItem(
                    item_id="2",
                    name="Vitamin D3",
                    sku="VIT-D3",
                    price=Decimal("29.99"),
                    quantity=1,
                    categories=("12", "Bestsellers"),
                ),
            ),
        ),
    ),
    categories={"12": "Supplements"},
    cancel_reasons={"5": "Too expensive"},
    intervals={"49": 30},
)


def test_the_printed_format_is_a_catalogue() -> None:
    assert read_catalog(FORMAT.encode()) == PRINTED


def test_a_kept_catalogue_comes_back_as_it_was() -> None:
    assert opened(keeping.dumps(PRINTED)) == PRINTED
    assert opened(None) == Catalog()


@pytest.mark.requirement("003-B")
def test_ids_and_amounts_may_be_numbers_or_text() -> None:
    items = b'[{"item_id": 2, "price": 29.99, "quantity": "3"}]'
    (offer,) = read_catalog(b'\xef\xbb\xbf{"offers": [{"offer_id": 1, "items": %s}]}' % items).offers

    assert offer == CatalogOffer(offer_id="1", items=(CatalogItem(item_id="2", price=Decimal("29.99"), quantity=3),))


def item(**changes: Any) -> dict[str, Any]:
    return {"offers": [{"offer_id": "1", "items": [{"item_id": "2"}, {"item_id": "3"} | changes]}]}


@pytest.mark.parametrize(
    ("content", "complaints"),
    [
        ({"offers": 3}, ["offers is not a list"]),
        ({"offers": None}, ["offers is not a list"]),
        ({"offers": [None, "1"]}, ["offers[0] is not an object", "offers[1] is not an object"]),
        ({"offers": [{}]}, ["offers[0].offer_id is missing"]),
        ({"offers": [{"offer_id": "0"}]}, ["offers[0].offer_id is not an id"]),
        ({"offers": [{"offer_id": "1"}, {"offer_id": 1}]}, ["offers has the offer_id 1 twice"]),
        (
            {"offers": [{"offer_id": "1", "interval_days": 1000}]},
            ["offers[0].interval_days is not between 1 and 999"],
        ),
        (item(item_id=""), ["offers[0].items[1].item_id is missing"]),
        (item(item_id="2"), ["offers[0].items has the item_id 2 twice"]),
        (item(price="free"), ["offers[0].items[1].price is not an amount"]),
        (item(price="-1"), ["offers[0].items[1].price is below zero"]),
        (item(quantity=0), ["offers[0].items[1].quantity is not between 1 and 1000"]),
        (item(quantity=1.5), ["offers[0].items[1].quantity is not a whole number"]),
        (item(name="x" * 256), ["offers[0].items[1].name is longer than 255 characters"]),
        (item(SKU="VIT-D3"), ["offers[0].items[1].SKU is no word of a catalogue"]),
        (item(categories="Vitamins"), ["offers[0].items[1].categories is not a list"]),
        (item(categories=["Vitamins", None]), ["offers[0].items[1].categories[1] is missing"]),
        (
            item(categories=["Vitamins", 12]),
            ["offers[0].items[1].categories has the id 12, which `categories` does not name"],
        ),
        (
            item(price="free", quantity=0),
            ["offers[0].items[1].price is not an amount", "offers[0].items[1].quantity is not between 1 and 1000"],
        ),
        ({"intervals": []}, ["intervals is not an object"]),
        ({"intervals": {"49": "Monthly"}}, ["intervals.49.value is not a whole number"]),
        ({"intervals": {"0": 30}}, ["intervals.0.key is not an id"]),
        ({"cancel_reasons": {"5": ""}}, ["cancel_reasons.5.value is missing"]),
        ({"categories": {"12": ["Supplements"]}}, ["categories.12.value is not text"]),
        ({"offer": []}, ["offer is no word of a catalogue"]),
    ],
)
def test_a_bad_entry_is_refused_with_its_place(content: Any, complaints: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_catalog(json.dumps(content).encode())

    assert str(refused.value).splitlines() == ["nothing was imported:", *complaints]


@pytest.mark.parametrize("content", [b"", b"offer_id,name", b"[]", b"null", b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_json_object_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput, match="the catalogue is not a JSON object"):
        read_catalog(content)
