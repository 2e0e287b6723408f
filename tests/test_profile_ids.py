"""The link into Klaviyo: its profile's id is looked for once, and a Klaviyo that is away costs nothing but the link."""

import pytest

from tests.bodies import declined
from tests.building import House
from tests.steered import Klaviyo
from vrio_klaviyo.profile_ids import profile_id, profile_url
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import Customer


@pytest.fixture
def john(house: House, connection: Connection) -> Customer:
    """A customer whose event Klaviyo has taken."""
    house.post(declined())
    house.take_in()
    house.settle(connection)
    (customer,) = house.customers()
    return customer


def asked(house: House, connection: Connection, customer: Customer) -> str | None:
    return profile_id(house.db, house.vault, house.http, house.klaviyo_url, connection.id, customer)


@pytest.mark.requirement("003-61")
def test_klaviyo_is_asked_once_and_its_answer_is_kept(
    house: House, connection: Connection, john: Customer, served: Klaviyo
) -> None:
    found = asked(house, connection, john)
    before = len(served.requests())

    assert found is not None
    assert asked(house, connection, john) == found
    assert len(served.requests()) == before
    assert profile_url(found) == f"https://www.klaviyo.com/profile/{found}"
    assert served.profile("john@acme.test")["email"] == "john@acme.test"


def test_a_customer_whom_klaviyo_does_not_know_has_no_link(
    house: House, connection: Connection, john: Customer, served: Klaviyo
) -> None:
    served.reset()

    assert asked(house, connection, john) is None


@pytest.mark.parametrize("fault", ["html", "hang", "garbage"])
def test_a_klaviyo_that_cannot_be_asked_costs_the_link_only(
    house: House, connection: Connection, john: Customer, served: Klaviyo, fault: str
) -> None:
    if fault == "hang":
        served.fault("reset")
    else:
        served.fault(fault)

    assert asked(house, connection, john) is None
    assert asked(house, connection, john) is not None


def test_a_customer_without_an_address_is_not_asked_about(
    house: House, connection: Connection, john: Customer, served: Klaviyo
) -> None:
    before = len(served.requests())
    john.email = ""

    assert asked(house, connection, john) is None
    assert len(served.requests()) == before


def test_another_address_is_another_profile(house: House, connection: Connection, john: Customer) -> None:
    first = asked(house, connection, john)
    house.post(declined(2, email="ada@acme.test", at="2026-08-30 11:30:00"))
    house.take_in()
    house.settle(connection)
    (now,) = house.customers()

    assert now.email == "ada@acme.test"
    assert asked(house, connection, now) not in (None, first)
