"""What a catalogue fills, and what it leaves alone."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from vrio_klaviyo.vrio import event_ids
from vrio_klaviyo.vrio.catalog import Catalog, CatalogItem, CatalogOffer, filled
from vrio_klaviyo.vrio.completing import NO_INTERVAL, NO_ITEMS, SourceDefaults, with_defaults
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

AT = datetime(2025, 8, 15, 10, 30, tzinfo=UTC)
D3 = CatalogItem(item_id="2", name="Vitamin D3", sku="VIT-D3", categories=("12", "Bestsellers"))
K2 = CatalogItem(item_id="13", name="Vitamin K2", sku="VIT-K2", categories=("12",))
CATALOG = Catalog(
    offers=(
        CatalogOffer(offer_id="1", name="Monthly Vitamins", interval_days=30, items=(D3,)),
        CatalogOffer(offer_id="2", name="Duo", items=(K2, D3)),
    ),
    categories={"12": "Supplements"},
    cancel_reasons={"5": "Too expensive"},
    intervals={"49": 45},
)
OFFER = OrderOffer(
    order_offer_id="4001", offer_id="1", quantity=1, price=Decimal("29.99"), is_recurring=True, timeframe_id="50"
)
DUO = replace(OFFER, order_offer_id="4002", offer_id="2")
SALE = Transaction(transaction_id="1668", kind="sale", approved=True, cycle=1, completed_at=AT, offers=(OFFER,))


def completed(record: Record, catalog: Catalog = CATALOG) -> tuple[Any, tuple[str, ...]]:
    """The record and the notes, as a builder and staff get them."""
    return with_defaults(filled(record, catalog), SourceDefaults(zone=UTC), AT)


def lines(record: Record, catalog: Catalog = CATALOG) -> list[tuple[str, str, int, str, str]]:
    """Item, SKU, quantity, price and total of each line."""
    found = completed(record, catalog)[0].lines
    return [(line.item_id, line.sku, line.quantity, str(line.price), str(line.total)) for line in found]


def priced(*items: tuple[str, str | None, int]) -> Catalog:
    """A catalogue of one offer: each item's id, price and quantity."""
    return Catalog(
        offers=(
            CatalogOffer(
                offer_id="1",
                items=tuple(
                    CatalogItem(item_id=item_id, price=None if price is None else Decimal(price), quantity=quantity)
                    for item_id, price, quantity in items
                ),
            ),
        )
    )


@pytest.mark.requirement("003-C", "003-33", "003-34", "003-44")
def test_an_offer_that_vrio_does_not_spell_out_is_spelled_out() -> None:
    record, notes = completed(SALE)

    assert record.lines == (
        LineItem(
            order_offer_id="4001",
            offer_id="1",
            offer_name="Monthly Vitamins",
            item_id="2",
            item_name="Vitamin D3",
            sku="VIT-D3",
            quantity=1,
            price=Decimal("29.99"),
            total=Decimal("29.99"),
            categories=("Supplements", "Bestsellers"),
            is_recurring=True,
            interval_days=30,
        ),
    )
    assert NO_ITEMS not in notes
    assert NO_INTERVAL not in notes


@pytest.mark.parametrize(
    "record",
    [
        SALE,
        Order(order_id="1253", offers=(OFFER,)),
        Shipment(shipment_id="4501", transaction=SALE, items=(LineItem(item_id="2", quantity=1),)),
        SubscriptionChange(kind="cancelled", offer=OFFER, at=AT, transaction=SALE),
        OFFER,
        Customer(customer_id="301"),
    ],
    ids=lambda record: type(record).__name__,
)
def test_without_a_catalogue_nothing_changes_and_a_strange_one_adds_nothing(record: Record) -> None:
    strange = Catalog(offers=(CatalogOffer(offer_id="99", name="Strange", items=(CatalogItem(item_id="98"),)),))

    assert filled(record, Catalog()) is record
    assert completed(record, strange) == completed(record, Catalog())


@pytest.mark.requirement("003-C")
def test_what_vrio_says_stands() -> None:
    told = LineItem(
        order_offer_id="4001",
        offer_id="1",
        item_id="2",
        item_name="D3 drops",
        sku="DROPS",
        quantity=2,
        price=Decimal("10.00"),
        categories=("Drops",),
    )
    offer = replace(OFFER, offer_name="Vitamins, monthly", timeframe_name="Weekly")

    (line,) = completed(replace(SALE, offers=(offer,), line_items=(told,)))[0].lines

    assert (line.offer_name, line.item_name, line.sku) == ("Vitamins, monthly", "D3 drops", "DROPS")
    assert (line.quantity, line.price, line.total) == (2, Decimal("10.00"), Decimal("20.00"))
    assert (line.categories, line.interval_days) == (("Drops",), 7)


@pytest.mark.requirement("003-34")
@pytest.mark.parametrize("told", [{"item_id": "13"}, {"sku": "VIT-K2"}, {"item_name": "Vitamin K2"}])
@pytest.mark.parametrize("offer", [OFFER, DUO], ids=["of_another_offer", "of_this_offer"])
def test_an_item_is_known_by_its_id_its_sku_or_its_name(told: dict[str, str], offer: OrderOffer) -> None:
    item = LineItem(order_offer_id=offer.order_offer_id, **told)

    (line,) = completed(replace(SALE, offers=(offer,), line_items=(item,)))[0].lines

    # Without an id of its own a line is called like its offer, and does not lose the name that it has.
    assert (line.item_id, line.sku, line.categories) == ("13", "VIT-K2", ("Supplements",))


def test_the_items_of_the_lines_own_offer_come_first() -> None:
    old = CatalogOffer(offer_id="9", items=(replace(D3, sku="OLD-D3"),))
    catalog = replace(CATALOG, offers=(old, *CATALOG.offers))
    item = LineItem(order_offer_id="4001", item_id="2")

    assert completed(replace(SALE, line_items=(item,)), catalog)[0].lines[0].sku == "VIT-D3"
    stranger = replace(SALE, offers=(replace(OFFER, offer_id="77"),), line_items=(item,))
    assert completed(stranger, catalog)[0].lines[0].sku == "OLD-D3"


@pytest.mark.requirement("003-34", "003-51")
def test_several_items_of_an_offer_are_a_line_each_and_the_price_is_counted_once() -> None:
    sale = replace(SALE, offers=(DUO, replace(OFFER, offer_id="77", offer_name="Unknown")))

    assert lines(sale) == [
        ("13", "VIT-K2", 1, "None", "None"),
        ("2", "VIT-D3", 1, "29.99", "29.99"),
        ("", "", 1, "29.99", "29.99"),
    ]
    # The id that the whole offer had before the catalogue came is that of the line with the price.
    ids = event_ids.of_products(completed(sale)[0])
    assert ids == ["1668_2-13", "1668_2", "1668_77"]
    assert event_ids.of_products(completed(sale, Catalog())[0]) == ["1668_2", "1668_77"]
    assert list(event_ids.of_subscriptions(completed(sale)[0])) == ["1668_2_sub", "1668_77_sub"]


@pytest.mark.requirement("003-34", "003-49")
@pytest.mark.parametrize(
    ("items", "price", "quantity", "expected"),
    [
        # Prices that add up to what was charged are the items' own.
        ([("2", "19.99", 1), ("13", "5.00", 2)], "29.99", 1, [(1, "19.99", "19.99"), (2, "5.00", "10.00")]),
        ([("2", "19.99", 1), ("13", "5.00", 2)], "29.99", 2, [(2, "19.99", "39.98"), (4, "5.00", "20.00")]),
        # Those that do not, or not all of them, are nobody's.
        ([("2", "20.00", 1), ("13", "10.00", 1)], "29.99", 1, [(1, "29.99", "29.99"), (1, "None", "None")]),
        ([("2", "29.99", 1), ("13", None, 1)], "29.99", 1, [(1, "29.99", "29.99"), (1, "None", "None")]),
        ([("2", None, 1)], "0", 1, [(1, "0", "0")]),
        ([("2", "19.99", 1)], "29.99", 1, [(1, "29.99", "29.99")]),
        # Several of one item are what the offer costs, to the cent.
        ([("2", None, 3)], "29.99", 1, [(3, "10.00", "29.99")]),
        ([("2", None, 3)], "29.99", 2, [(6, "10.00", "59.98")]),
        # Vrio says no price, or no quantity.
        ([("2", "19.99", 1), ("13", None, 1)], None, 1, [(1, "19.99", "19.99"), (1, "None", "None")]),
        ([("2", None, 3)], "29.99", None, [(1, "29.99", "29.99")]),
    ],
)
def test_what_was_charged_is_never_changed(
    items: list[tuple[str, str | None, int]], price: str | None, quantity: int | None, expected: list[Any]
) -> None:
    offer = replace(OFFER, price=None if price is None else Decimal(price), quantity=quantity)

    assert [found[2:] for found in lines(replace(SALE, offers=(offer,)), priced(*items))] == expected


@pytest.mark.requirement("003-29")
def test_a_cart_is_spelled_out() -> None:
    assert lines(Order(order_id="1253", offers=(OFFER,))) == [("2", "VIT-D3", 1, "29.99", "29.99")]


@pytest.mark.requirement("003-38", "003-39")
def test_a_credit_is_about_the_lines_of_its_charge_and_a_part_of_it_stays_one() -> None:
    refund = Transaction(
        transaction_id="1669", kind="refund", parent_id="1668", total=Decimal("5.00"), offers=(OFFER,), completed_at=AT
    )
    charge = replace(SALE, total=Decimal("29.99"), offers=(DUO,))

    of_a_part, _ = completed(replace(refund, parent=charge))

    assert [(line.item_id, line.price) for line in of_a_part.lines] == [("13", None), ("2", Decimal("29.99"))]
    assert of_a_part.is_partial
    assert lines(replace(refund, line_items=(LineItem(order_offer_id="4002", item_id="13"),), parent=charge)) == [
        ("13", "VIT-K2", 1, "None", "None")
    ]
    assert lines(refund) == [("2", "VIT-D3", 1, "29.99", "29.99")]


@pytest.mark.requirement("003-37")
def test_what_is_in_a_parcel_is_found_on_the_line_that_the_catalogue_made() -> None:
    parcel = Shipment(shipment_id="4501", items=(LineItem(sku="VIT-K2"),), transaction=replace(SALE, offers=(DUO,)))

    (line,) = completed(parcel)[0].lines

    assert (line.offer_name, line.item_id, line.item_name) == ("Duo", "13", "Vitamin K2")
    assert line.categories == ("Supplements",)


@pytest.mark.requirement("003-37")
def test_a_parcels_item_has_its_categories_also_where_its_offer_is_not_in_the_catalogue() -> None:
    sale = replace(SALE, offers=(replace(OFFER, offer_id="77", offer_name="Unknown"),))

    (line,) = completed(Shipment(shipment_id="4501", items=(LineItem(item_id="2"),), transaction=sale))[0].lines

    assert (line.offer_name, line.sku, line.categories) == ("Unknown", "VIT-D3", ("Supplements", "Bestsellers"))


@pytest.mark.requirement("003-45")
@pytest.mark.parametrize(
    ("number", "reason", "told"),
    [("5", "5", "Too expensive"), ("6", "6", "6"), ("", "Moved away", "Moved away"), ("", "", "")],
)
def test_a_reason_that_is_a_number_gets_its_word(number: str, reason: str, told: str) -> None:
    offer = replace(OFFER, cancel_type_id=number, cancel_reason=reason)

    record, _ = completed(SubscriptionChange(kind="cancelled", offer=offer, at=AT, transaction=SALE))

    assert record.offer.cancel_reason == told
    assert record.offer.offer_name == "Monthly Vitamins"
    assert [line.sku for line in record.lines] == ["VIT-D3"]


@pytest.mark.requirement("003-44")
@pytest.mark.parametrize(
    ("timeframe_id", "label", "offer_id", "days"),
    [
        ("49", "Monthly", "1", 45),  # what is told for the time frame wins over its label
        ("49", "", "77", 45),
        ("50", "Weekly", "1", 7),  # the label over what is told for the offer
        ("50", "Every blue moon", "1", 30),
        ("", "", "1", 30),
        ("50", "Every blue moon", "77", None),
    ],
)
def test_an_interval_is_told_by_time_frame_label_or_offer(
    timeframe_id: str, label: str, offer_id: str, days: int | None
) -> None:
    offer = replace(OFFER, timeframe_id=timeframe_id, timeframe_name=label, offer_id=offer_id)

    assert completed(replace(SALE, offers=(offer,)))[0].lines[0].interval_days == days
