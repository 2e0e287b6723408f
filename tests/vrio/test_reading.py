"""Lists and things in the shapes that PHP gives them, in which Vrio is written."""

from typing import Any

import pytest

from vrio_klaviyo.vrio import records
from vrio_klaviyo.vrio.records import Address, OrderOffer, Transaction
from vrio_klaviyo.vrio.schemas import SCHEMAS


def transaction(**said: Any) -> tuple[Transaction, Any]:
    record, unreadable = SCHEMAS["transaction"].read({"id": "1668", **said})
    assert isinstance(record, Transaction)
    return record, unreadable


@pytest.mark.requirement("003-B")
@pytest.mark.parametrize(
    "offers",
    [
        [{"id": "4001"}, {"id": "4003"}],
        {"0": {"id": "4001"}, "2": {"id": "4003"}},
        {"4001": {"id": "4001"}, "4003": {"id": "4003"}},
    ],
)
def test_a_list_with_gaps_is_an_object_with_numbers(offers: Any) -> None:
    record, unreadable = transaction(transaction_order_offers=offers)

    assert [offer.order_offer_id for offer in record.offers] == ["4001", "4003"]
    assert unreadable == {}


@pytest.mark.requirement("003-B")
def test_an_object_with_words_is_no_list() -> None:
    record, unreadable = transaction(transaction_order_offers={"id": "4001", "1": {"id": "4003"}})

    assert record.offers == ()
    assert unreadable == {"transaction_order_offers": ["is not a list: left out"]}


@pytest.mark.requirement("003-B")
@pytest.mark.parametrize("nothing", [[], {}, None, ""])
def test_an_empty_thing_is_an_empty_list_and_neither_is_worth_a_note(nothing: Any) -> None:
    record, unreadable = transaction(transaction_order_offers=nothing, customer_address_billing=nothing, order=nothing)

    assert record.offers == ()
    assert record.billing in (None, Address())
    assert record.order == records.Order()
    assert unreadable == {}


@pytest.mark.requirement("003-67")
@pytest.mark.parametrize("mark", ["\u200b", "\ufeff", "\u2060", "\u200e", "\u00ad"])
def test_an_address_has_no_invisible_marks(mark: str) -> None:
    record, unreadable = transaction(customer={"email": f"{mark}John@{mark}Acme.test {mark}"})

    assert record.customer.email == "john@acme.test"
    assert unreadable == {}


def test_a_name_keeps_what_holds_its_signs_together() -> None:
    family = "\U0001f468\u200d\U0001f469"

    assert transaction(customer={"first_name": family})[0].customer.first_name == family


@pytest.mark.parametrize(
    "never", ["0000-00-00", "0000-00-00 00:00:00", "-0001-11-30 00:00:00", "-0001-11-30T00:00:00Z"]
)
def test_a_day_that_has_not_come_is_none_however_php_writes_it(never: str) -> None:
    record, unreadable = transaction(date_complete=never, transaction_order_offers=[{"id": "1", "date_cancel": never}])

    assert record.completed_at is None
    assert record.offers == (OrderOffer(order_offer_id="1"),)
    assert unreadable == {}
