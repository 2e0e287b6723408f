"""All that a customer has, page by page: each thing once, and whether that is all."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from tests.vrio.client.played import API, NOT_FOUND, ORDER_OFFER, SALE, asked, sales
from vrio_klaviyo.errors import Retriable
from vrio_klaviyo.vrio.answers import MOST_PAGES
from vrio_klaviyo.vrio.client import VrioClient
from vrio_klaviyo.vrio.reading import MOST_PARTS

pytestmark = pytest.mark.requirement("003-C")


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
