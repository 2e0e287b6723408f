"""The catalogue: the table of the routes in people's words, and a preview that sends nothing."""

import pytest

from tests.bodies import SALE, sample
from tests.console.pages.conftest import words
from vrio_klaviyo.vrio.routes import BEYOND, IGNORED, METRICS


def test_every_event_stands_in_the_catalogue(visit):
    page = visit("viewer").get("/catalogue")
    for metric in (*METRICS, *BEYOND):
        assert f">{metric}</a>" in page


def test_what_makes_no_event_says_why(visit):
    page = words(visit("viewer").get("/catalogue"))
    for reason in IGNORED.values():
        assert reason in page


@pytest.mark.parametrize("metric", [*METRICS, *BEYOND])
def test_each_event_tells_where_its_properties_come_from(visit, metric):
    page = words(visit("viewer").get(f"/catalogue/events/{metric}"))
    assert page.count(metric) >= 2
    assert "Where it comes from" in page


def test_an_event_that_nobody_knows_is_not_found(visit):
    assert "There is nothing here" in words(visit("viewer").get("/catalogue/events/Lost Order", status=404))


def test_a_webhook_shows_what_each_connection_would_send(visit, house):
    house.connect("Shop")
    inbound_id = house.post(sample(SALE))
    house.take_in()
    owed = [delivery.id for delivery in house.deliveries()]
    page = words(visit("support").get(f"/catalogue/preview/{inbound_id}"))
    assert "Placed Order 1668 ✓ Would be sent" in page
    assert [delivery.id for delivery in house.deliveries()] == owed


def test_a_connection_that_would_not_send_says_why(visit, house):
    house.connect("Shop", push_events=False)
    inbound_id = house.post(sample(SALE))
    assert "Not sent push events off" in words(visit("support").get(f"/catalogue/preview/{inbound_id}"))


def test_an_unreadable_webhook_says_so(visit, house):
    inbound_id = house.post(b"[1, 2]")
    assert "cannot be read" in words(visit("support").get(f"/catalogue/preview/{inbound_id}"))


def test_bodies_are_for_support(visit, house):
    visit("viewer").get("/catalogue/preview", status=403)
    visit("viewer").get(f"/catalogue/preview/{house.post(sample(SALE))}", status=403)


def test_webhooks_can_be_chosen_by_vrios_word(visit, house):
    house.post(sample(SALE))
    support = visit("support")
    assert "transaction_completed" in words(support.get("/catalogue/preview", event="transaction_completed"))
    assert "No webhook matches event “order_updated”" in words(support.get("/catalogue/preview", event="order_updated"))
