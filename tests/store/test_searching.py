"""Looking for customers: the shape of what is typed tells what it is."""

from typing import Any

import pytest

from tests.bodies import declined
from tests.building import House
from vrio_klaviyo.store.customers import meet_customer
from vrio_klaviyo.store.searching import QueryKind, search_customers, understood
from vrio_klaviyo.store.workspaces import add_workspace


def meet(house: House, vrio_id: str, email: str = "", first: str = "", last: str = "", phone: str = "") -> str:
    with house.db.write() as session:
        customer = meet_customer(
            session,
            workspace_id=house.source.workspace_id,
            source_id=house.source.id,
            vrio_id=vrio_id,
            email=email,
            first_name=first,
            last_name=last,
            phone=phone,
            as_of=house.clock(),
        )
    assert customer is not None
    return customer.id


def found(house: House, typed: str = "", **options: Any) -> list[str]:
    with house.db.read() as session:
        return [row.id for row in search_customers(session, house.source.workspace_id, typed, **options).rows]


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("", QueryKind.NOTHING),
        ("  ", QueryKind.NOTHING),
        ("Ada@", QueryKind.EMAIL),
        ("@example.com", QueryKind.EMAIL),
        ("8841", QueryKind.NUMBER),
        ("#1253", QueryKind.NUMBER),
        ("order 1253", QueryKind.NUMBER),
        ("order:1253", QueryKind.NUMBER),
        ("+1 (555) 123-4567", QueryKind.NUMBER),
        ("555.123.4567", QueryKind.NUMBER),
        ("cu_01KAG8Z3M4X500000000000000", QueryKind.OWN_ID),
        ("dl_01KAG8Z3M4X500000000000000", QueryKind.OWN_ID),
        ("cu_01kag", QueryKind.NAME),
        ("Ada Lovelace", QueryKind.NAME),
        ("order", QueryKind.NAME),
        ("12-34", QueryKind.NAME),
    ],
)
def test_what_is_typed_tells_by_its_shape_what_it_is(typed: str, kind: QueryKind) -> None:
    assert understood(typed).kind == kind


def test_all_customers_are_listed_when_nothing_is_typed_the_newest_first(house: House) -> None:
    first, second = meet(house, "1"), meet(house, "2")

    assert found(house) == [second, first]


def test_an_email_is_found_by_its_beginning_in_any_case(house: House) -> None:
    ada, adam = meet(house, "1", "ada@acme.test"), meet(house, "2", "adam@acme.test")

    assert found(house, "ADA@acme.test") == [ada]
    assert found(house, "ada@") == [ada]
    assert found(house, "adam@acme") == [adam]
    assert found(house, "da@acme.test") == []


def test_signs_that_a_database_takes_for_any_are_taken_as_they_are(house: House) -> None:
    meet(house, "1", "ada@acme.test", "Ada")

    assert found(house, "a%@") == []
    assert found(house, "a_a@") == []
    assert found(house, "%") == []


def test_a_name_is_found_by_its_beginning_and_by_the_last_ones_without_accents(house: House) -> None:
    zoe = meet(house, "1", first="Zoë", last="Müller")
    meet(house, "2", first="Ann", last="Smith")

    assert found(house, "zoe") == found(house, "ZOË M") == found(house, "mull") == found(house, "Müller Zoë") == [zoe]
    assert found(house, "oe") == []


def test_a_phone_number_is_found_however_it_is_written(house: House) -> None:
    meet(house, "1", phone="(555) 765-4321")
    john = meet(house, "2", phone="(555) 123-4567")

    assert found(house, "+15551234567") == found(house, "555.123.4567") == found(house, "5551234567") == [john]


@pytest.mark.parametrize("typed", ["301", "customer 301", "1253", "order:1253", "#1253"])
def test_a_customer_is_found_by_vrios_ids(house: House, typed: str) -> None:
    house.connect()
    body = declined(customer=301)
    house.post(body)
    house.take_in()
    (customer,) = house.customers()
    order = body["webhook_data"]["transaction"]["order_id"]

    assert found(house, typed.replace("1253", str(order))) == [customer.id]
    assert found(house, f"transaction {customer.vrio_id}99") == []


def test_a_customer_is_found_by_our_own_ids(house: House) -> None:
    owed = house.owe(house.connect())

    assert owed.customer_id is not None
    assert found(house, owed.customer_id) == found(house, owed.id) == [owed.customer_id]


def test_who_changed_is_found_by_what_they_are_now(house: House) -> None:
    ada = meet(house, "1", "ada@acme.test", "Ada", "Byron")
    house.clock.advance(hours=1)
    meet(house, "1", "countess@acme.test", "Ada", "Lovelace")

    assert found(house, "countess@") == found(house, "lovelace") == [ada]
    assert found(house, "ada@") == found(house, "byron") == []


def test_pages_of_a_name_go_back_and_forth(house: House) -> None:
    people = [meet(house, str(number), first="Ann", last=f"Smith{number}") for number in range(5)]
    workspace = house.source.workspace_id
    with house.db.read() as session:
        first = search_customers(session, workspace, "ann", limit=2)
        second = search_customers(session, workspace, "ann", place=first.older, limit=2)
        third = search_customers(session, workspace, "ann", place=second.older, limit=2)
        back = search_customers(session, workspace, "ann", place=third.newer, limit=2)

    assert [row.id for page in (first, second, third) for row in page.rows] == people
    assert [row.id for row in back.rows] == people[2:4]
    assert third.older is None


def test_nobody_of_another_workspace_is_found(house: House) -> None:
    owed = house.owe(house.connect())
    ada = meet(house, "9", "ada@acme.test", "Ada", "Byron", "5551234567")
    with house.db.write() as session:
        other = add_workspace(session, "Another").id
    with house.db.read() as session:
        for typed in ("", "ada@", "ada", "5551234567", "9", "customer 9", ada, owed.id):
            assert search_customers(session, other, typed).rows == []
