"""Customers: who a webhook is about, and that late news changes nothing."""

from datetime import timedelta
from typing import Any

import pytest

from tests.building import NOON, House
from vrio_klaviyo.errors import NotFound
from vrio_klaviyo.store.customers import Customer, find_customers, meet_customer
from vrio_klaviyo.store.sources import Source


def met(house: House, source: Source | None = None, **changes: Any) -> str | None:
    source = source or house.source
    told = {"vrio_id": "301", "email": "john@acme.test", "first_name": "John", "last_name": "Doe", "phone": "555"}
    with house.db.write() as session:
        customer = meet_customer(
            session, workspace_id=source.workspace_id, source_id=source.id, **{"as_of": NOON} | told | changes
        )
        return customer and customer.id


def only(house: House) -> Customer:
    (customer,) = house.customers()
    return customer


def test_a_customer_is_made_at_the_first_meeting(house: House) -> None:
    customer_id = met(house)

    assert customer_id == only(house).id
    assert (only(house).vrio_id, only(house).email, only(house).phone) == ("301", "john@acme.test", "555")


def test_a_newer_picture_replaces_what_was_known(house: House) -> None:
    first = met(house)
    second = met(house, email="jd@acme.test", first_name="Jon", phone="556", as_of=NOON + timedelta(seconds=1))

    assert first == second
    assert (only(house).email, only(house).first_name, only(house).phone) == ("jd@acme.test", "Jon", "556")


@pytest.mark.requirement("003-D")
def test_an_older_picture_changes_nothing(house: House) -> None:
    met(house)
    met(house, email="old@acme.test", first_name="Old", last_name="Old", phone="1", as_of=NOON - timedelta(seconds=1))

    customer = only(house)
    assert (customer.email, customer.first_name, customer.last_name, customer.phone) == (
        "john@acme.test",
        "John",
        "Doe",
        "555",
    )
    assert customer.as_of == NOON


@pytest.mark.requirement("003-D")
def test_an_older_picture_fills_what_is_empty(house: House) -> None:
    met(house, email="", first_name="", phone="")
    met(house, last_name="Old", as_of=NOON - timedelta(seconds=1))

    customer = only(house)
    assert (customer.email, customer.first_name, customer.phone) == ("john@acme.test", "John", "555")
    assert (customer.last_name, customer.as_of) == ("Doe", NOON)


@pytest.mark.requirement("003-20")
def test_an_empty_value_never_wipes_a_known_one(house: House) -> None:
    met(house)
    met(house, email="", first_name="", last_name="", phone="", as_of=NOON + timedelta(days=1))

    customer = only(house)
    assert (customer.email, customer.first_name, customer.last_name, customer.phone) == (
        "john@acme.test",
        "John",
        "Doe",
        "555",
    )


def test_who_has_no_id_is_known_by_the_e_mail(house: House) -> None:
    assert met(house) == met(house, vrio_id="")
    assert met(house, vrio_id="", email="jane@acme.test") != met(house)


def test_who_has_neither_id_nor_e_mail_is_nobody(house: House) -> None:
    assert met(house, vrio_id="", email="") is None
    assert house.customers() == []


def test_customers_of_two_sources_are_two(house: House) -> None:
    other = house.add_source("Other Vrio")

    assert met(house) != met(house, other)


@pytest.mark.parametrize("asked", ["john@acme.test", " John@ACME.test ", "301"])
def test_a_customer_is_found_by_e_mail_or_id(house: House, asked: str) -> None:
    customer_id = met(house)
    with house.db.read() as session:
        assert [customer.id for customer in find_customers(session, asked)] == [customer_id]
        assert [customer.id for customer in find_customers(session, str(customer_id))] == [customer_id]


def test_a_stranger_is_not_found(house: House) -> None:
    met(house)
    with house.db.read() as session, pytest.raises(NotFound, match=r"nobody@acme\.test"):
        find_customers(session, "nobody@acme.test")
