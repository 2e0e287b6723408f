"""The ids that keep a repeated event from counting twice."""

from datetime import UTC, datetime
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrio_klaviyo.vrio import event_ids
from vrio_klaviyo.vrio.records import LineItem, Order, OrderOffer, Shipment, SubscriptionChange, Transaction


def line(offer_id: str, item_id: str = "", order_offer_id: str = "4001", *, recurring: bool = False) -> LineItem:
    return LineItem(offer_id=offer_id, item_id=item_id, order_offer_id=order_offer_id, is_recurring=recurring)


def products(*lines: LineItem) -> list[str]:
    return event_ids.of_products(Transaction(transaction_id="1668", lines=lines))


@pytest.mark.requirement("003-50")
def test_a_transaction_is_its_own_id() -> None:
    assert event_ids.of_transaction(Transaction(transaction_id="1668")) == "1668"


@pytest.mark.requirement("003-51")
@pytest.mark.parametrize(
    ("lines", "ids"),
    [
        ([line("1", "2")], ["1668_1"]),
        ([line("1", "2"), line("7", "9")], ["1668_1", "1668_7"]),
        ([line("1", "2"), line("1", "3")], ["1668_1", "1668_1-3"]),
        ([line("1", "3"), line("1", "2")], ["1668_1-3", "1668_1"]),
        ([line("1", "10"), line("1", "9")], ["1668_1-10", "1668_1"]),
        ([line("1", "2", "4001"), line("1", "2", "4002")], ["1668_1", "1668_1-2"]),
        ([line("1", "", "4001"), line("1", "", "4002"), line("1", "", "4003")], ["1668_1", "1668_1-2", "1668_1-3"]),
        (
            [line("1", "2", "4001"), line("1", "2", "4002"), line("1", "2", "4003")],
            ["1668_1", "1668_1-2", "1668_1-2-2"],
        ),
        ([line("", "2", "4001")], ["1668_4001"]),
        ([], []),
    ],
)
def test_a_product_is_its_transaction_and_offer_and_no_two_are_the_same(lines: list[LineItem], ids: list[str]) -> None:
    assert products(*lines) == ids


@pytest.mark.requirement("003-51", "003-53")
def test_the_order_of_lines_changes_no_id() -> None:
    lines = [line("1", "2"), line("1", "3"), line("1", "3", "4002"), line("7"), line("1-3")]
    expected = dict(zip(lines, products(*lines), strict=True))
    for shuffled in permutations(lines):
        assert dict(zip(shuffled, products(*shuffled), strict=True)) == expected


ids = st.sampled_from(["", "1", "2", "3", "1-2", "1-2-2"])


@given(st.lists(st.builds(line, ids, ids, ids, recurring=st.booleans()), max_size=8))
def test_ids_never_collide(lines: list[LineItem]) -> None:
    found = products(*lines)
    assert len(found) == len(set(found)) == len(lines)
    assert all(product.startswith("1668_") for product in found)


@pytest.mark.requirement("003-52")
def test_a_subscription_is_its_first_product_and_sub() -> None:
    lines = (
        line("1", "3", recurring=True),
        line("1", "2", recurring=True),
        line("1", "2", "4002", recurring=True),
        line("7", "9", "4003"),
    )
    found = event_ids.of_subscriptions(Transaction(transaction_id="1668", lines=lines))
    assert found == {"1668_1_sub": [lines[0], lines[1]], "1668_1-2_sub": [lines[2]]}


@pytest.mark.requirement("003-29")
def test_a_cart_is_its_order_and_abandoned() -> None:
    assert event_ids.of_cart(Order(order_id="1270")) == "1270_abandoned"


@pytest.mark.requirement("003-37", "003-50")
@pytest.mark.parametrize(
    ("transaction_id", "is_first", "event_id"),
    [("1668", True, "1668"), ("1668", False, "1668_4501"), ("", True, "order1253_4501"), ("", False, "order1253_4501")],
)
def test_a_parcel_is_its_payment_and_a_further_one_itself_too(
    transaction_id: str, is_first: bool, event_id: str
) -> None:
    parcel = Shipment(shipment_id="4501", order_id="1253", transaction_id=transaction_id)
    assert event_ids.of_parcel(parcel, is_first=is_first) == event_id


def change(transaction: Transaction | None, order_offer_id: str = "4001", offer_id: str = "1") -> SubscriptionChange:
    offer = OrderOffer(order_offer_id=order_offer_id, order_id="1253", offer_id=offer_id)
    at = datetime(2025, 9, 1, 10, tzinfo=UTC)
    return SubscriptionChange(kind="paused", offer=offer, at=at, transaction=transaction)


@pytest.mark.requirement("003-52")
def test_a_change_is_the_subscription_that_it_changes() -> None:
    lines = (line("1", "2", "4001", recurring=True), line("1", "2", "4002", recurring=True))
    paid = Transaction(transaction_id="1668", lines=lines)
    assert event_ids.of_change(change(paid), 1) == "1668_1_sub"
    assert event_ids.of_change(change(paid, "4002"), 1) == "1668_1-2_sub"
    assert event_ids.of_change(change(paid, "4003", "7"), 1) == "1668_7_sub"
    assert event_ids.of_change(change(paid, "4003", ""), 1) == "1668_4003_sub"


@pytest.mark.requirement("003-52")
def test_a_further_change_of_the_same_kind_has_its_number() -> None:
    paid = Transaction(transaction_id="1668", lines=(line("1", "2", recurring=True),))
    assert [event_ids.of_change(change(paid), nth) for nth in (1, 2, 3)] == [
        "1668_1_sub",
        "1668_1_sub_2",
        "1668_1_sub_3",
    ]


@pytest.mark.requirement("003-52")
def test_without_a_payment_a_change_is_its_orders() -> None:
    assert event_ids.of_change(change(None), 1) == "order1253_1_sub"
    assert event_ids.of_change(change(None), 2) == "order1253_1_sub_2"
