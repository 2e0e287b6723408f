"""A connection is tried out with a test event: what that needs, and what is shown of it."""

import pytest

from sandbox.klaviyo import GOOD_KEY, SECOND_KEY
from tests.console.pages.conftest import words
from vrio_klaviyo.store.sources import Source


def test_a_test_event_needs_a_source_and_says_so(visit, site, house):
    with site.db.write() as session:
        session.delete(session.get_one(Source, house.source.id))
    connection = house.connect()
    manager = visit("manager")
    page = manager.get(f"/connections/{connection.id}/test")
    assert "there is no source yet" in page
    assert "/sources/new" in page
    answer = manager.post(f"/connections/{connection.id}/test", 422, event="Placed Order", email="mia@northwind.dev")
    assert "source" in words(answer.text)
    assert "Add a source" in words(manager.get(f"/connections/{connection.id}"))


def test_a_test_event_is_shown_with_request_and_response(visit, house, klaviyo):
    house.klaviyo_url = klaviyo.url
    connection = house.connect(active=False)
    manager = visit("manager")
    answer = manager.post(
        f"/connections/{connection.id}/test", event="Declined Order", email="mia@northwind.dev", mark="on"
    )
    assert "On its way." in words(manager.get(answer.location))
    house.settle(connection)
    page = manager.get(answer.location)
    told = words(page)
    assert "✓ Accepted 202" in told
    assert "Analytics › Metrics › Declined Order" in told
    assert "VrioTest" in told
    assert "$KLAVIYO_API_KEY" in told
    assert GOOD_KEY not in page
    (event,) = klaviyo.events()
    assert event


@pytest.mark.parametrize("email", ["nobody", "john@example.com"])
def test_a_test_event_needs_an_address_that_klaviyo_takes(visit, house, email):
    connection = house.connect()
    visit("manager").post(f"/connections/{connection.id}/test", 422, event="Placed Order", email=email)
    assert house.deliveries() == []


def test_another_connections_delivery_is_not_shown_here(visit, house):
    one, other = house.connect("One"), house.connect("Other", SECOND_KEY)
    delivery = house.owe(one)
    visit("manager").get(f"/connections/{other.id}/test/{delivery.id}", 404)


def test_a_customers_bodies_are_not_shown_as_a_test(visit, house):
    connection = house.connect()
    delivery = house.owe(connection)
    assert "Attempt 1" not in words(visit("manager").get(f"/connections/{connection.id}/test/{delivery.id}"))
