"""Customers: one box finds them, and their pages show what happened, to whom may see it."""

import re
from dataclasses import replace

import pytest

from tests.bodies import SALE, declined, sample
from tests.building import House
from tests.console.pages.conftest import app_of, words
from tests.steered import Klaviyo
from vrio_klaviyo.store.customers import meet_customer

JOHN = "john@acme.test"
EVIL = "<script>alert(1)</script>\"'&\u202e\x07"


@pytest.fixture
def klaviyo(klaviyo, house):
    house.klaviyo_url = klaviyo.url
    return klaviyo


@pytest.fixture
def sold(house: House, klaviyo: Klaviyo):
    """A sale to John, accepted by the one connection."""
    connection = house.connect("Shop")
    house.post(sample(SALE))
    house.take_in()
    house.settle(connection)
    return connection


def john(house: House) -> str:
    return house.customers()[0].id


def met(house: House, number: int, **told: str):
    with house.db.write() as session:
        known = {"email": f"p{number}@acme.test", "first_name": "Pat", "last_name": f"Li {number}", "phone": ""}
        return meet_customer(
            session,
            workspace_id=house.source.workspace_id,
            source_id=house.source.id,
            vrio_id=str(number),
            as_of=house.clock(),
            **(known | told),
        )


def test_a_workspace_without_customers_says_where_they_come_from(visit, house):
    assert "They appear with the first webhook from Vrio" in words(visit("viewer").get("/customers"))


def test_the_list_tells_how_the_last_request_ended(visit, house, sold):
    page = words(visit("support").get("/customers"))

    assert "John Doe john@example.com 301" in page
    assert "✓ Accepted" in page


@pytest.mark.parametrize("typed", ["301", "order 1253", "john@example.com", "JOHN@example.com "])
def test_an_id_or_a_whole_address_leads_straight_to_the_customer(visit, house, sold, typed):
    answer = visit("support").client.get("/customers", query_string={"q": typed})

    assert (answer.status_code, answer.location) == (303, f"/customers/{john(house)}/webhooks")


def test_our_own_ids_lead_to_their_pages(visit, house, sold):
    person = visit("viewer")
    delivery = house.deliveries()[0]
    attempt = house.attempts(delivery)[0]
    pages = {
        delivery.id: f"/requests/{delivery.id}",
        attempt.id: f"/requests/{delivery.id}?attempt=1",
        delivery.inbound_event_id: f"/received/{delivery.inbound_event_id}",
        john(house): f"/customers/{john(house)}",
    }

    assert {own: person.client.get("/customers", query_string={"q": own}).location for own in pages} == pages
    assert "No customer matches" in words(person.get("/customers", q="dl_" + "0" * 26))


def test_the_beginning_of_a_name_or_address_lists_whom_it_may_mean(visit, house):
    met(house, 1)
    met(house, 2)
    person = visit("support")

    for typed in ("pat", "li", "p1@"):
        page = words(person.get("/customers", q=typed))
        assert "Pat Li 1" in page
    assert "Pat Li 2" in words(person.get("/customers", q="pat"))
    assert "No customer matches “nobody”" in words(person.get("/customers", q="nobody"))


def test_a_viewer_sees_people_masked_and_cannot_guess_their_addresses(visit, house):
    met(house, 1)
    person = visit("viewer")

    page = words(person.get("/customers"))
    assert "P•• L•• 1••" in page
    assert "p••@acme.test" in page
    assert "Pat" not in page
    assert "p1@acme.test" not in page
    assert "No customer matches" in words(person.get("/customers", q="p1@"))
    assert "Looking for a name is for support" in words(person.get("/customers", q="pa"))
    assert person.client.get("/customers", query_string={"q": "p1@acme.test"}).status_code == 303


def test_those_who_had_a_failure_can_be_listed(visit, house, klaviyo):
    connection = house.connect("Shop")
    house.owe(connection, 1, customer=1)
    klaviyo.fault("status", status=400)
    house.settle(connection)
    house.owe(connection, 2, customer=2)
    house.settle(connection)
    person = visit("support")
    (failed, _) = house.deliveries()
    assert failed.status == "failed"

    page = words(person.get("/customers", had="failed"))

    assert "john1@acme.test" in page
    assert "john2@acme.test" not in page
    assert "john2@acme.test" in words(person.get("/customers", connection=connection.id))
    assert "No customer matches" in words(person.get("/customers", had="failed", q="john2@"))
    person.get("/customers", status=400, had="nonsense")
    person.get("/customers", status=404, connection="cn_nobody")


def test_long_lists_come_in_pages(visit, house):
    for number in range(1, 53):
        met(house, number)
    person = visit("support")
    first = person.get("/customers")
    assert first.count("data-row") == 50
    older = re.search(r'href="([^"]+)" rel="next"', first)
    second = person.get(older[1].replace("&amp;", "&"))

    assert second.count("data-row") == 2
    assert 'rel="prev"' in second


def test_the_overview_tells_what_klaviyo_is_told(visit, house, sold):
    page = words(visit("support").get(f"/customers/{john(house)}"))

    assert "Lifetime value $24.99" in page
    assert "Active subscriber ✓ Yes" in page
    assert "Open in Klaviyo" in page
    assert "Subscriptions" in page


@pytest.mark.requirement("003-61")
def test_the_profile_in_klaviyo_is_asked_for_when_somebody_goes_there(visit, house, sold, klaviyo, settings, site):
    person = visit("support")
    there = app_of(replace(site, settings=replace(settings, klaviyo_api_url=klaviyo.url))).test_client()
    there.set_cookie("console", person.client.get_cookie("console").value)
    path = f"/customers/{john(house)}/in-klaviyo/{sold.id}"

    assert there.get(path).location.startswith("https://www.klaviyo.com/profile/")
    # It is kept, so that Klaviyo need not answer the next time.
    assert person.client.get(path).location.startswith("https://www.klaviyo.com/profile/")
    visit("viewer").get(path, status=403)


def test_without_an_answer_of_klaviyos_the_link_leads_back_with_a_sentence(visit, house):
    connection = house.connect("Shop")
    customer = met(house, 1)
    person = visit("support")

    answer = person.client.get(f"/customers/{customer.id}/in-klaviyo/{connection.id}", follow_redirects=True)

    assert "could not be asked now" in words(answer.text)


def test_a_refused_number_is_told_at_each_tab(visit, house, klaviyo):
    connection = house.connect("Shop")
    klaviyo.settings(refused_phones=["+1555"])
    house.post(sample(SALE))
    house.take_in()
    house.settle(connection)
    person, path = visit("support"), f"/customers/{john(house)}"

    for tab in ("", "/webhooks", "/orders"):
        assert "⚠ not accepted by Klaviyo" in words(person.get(path + tab))
    assert "phone refused" in words(person.get("/customers"))
    klaviyo.settings(refused_phones=[])


@pytest.mark.requirement("003-62", "003-71")
def test_the_webhooks_tab_groups_requests_by_the_webhook_that_caused_them(visit, house, sold):
    page = words(visit("support").get(f"/customers/{john(house)}/webhooks"))

    assert "1 webhook · 3 requests" in page
    came = page.index("Transaction completed")
    for metric in ("Placed Order", "Ordered Product", "Started Subscription"):
        assert page.index(metric, came) > came
    assert "✓ Accepted 202" in page


def test_a_webhook_and_its_requests_tell_the_order(visit, house, sold):
    person, order = visit("viewer"), sample(SALE)["webhook_data"]["transaction"]["order"]["id"]
    page = person.get(f"/customers/{john(house)}/webhooks")

    assert f"Transaction completed order {order}" in words(page)
    assert f"order {order}" in words(person.get(re.search(r"/requests/dl_\w+", page)[0]))


def test_a_customer_without_webhooks_says_since_when_they_are_known(visit, house):
    page = words(visit("viewer").get(f"/customers/{met(house, 1).id}/webhooks"))

    assert "No webhook from Vrio for this customer since 30 Aug 2026 12:00:00 UTC, when they became known." in page


def test_each_tab_leads_to_the_profile_in_klaviyo(visit, house, sold):
    path = f"/customers/{john(house)}"

    for tab in ("", "/webhooks", "/orders"):
        assert f'href="{path}/in-klaviyo/{sold.id}"' in visit("support").get(path + tab)
    assert "in-klaviyo" not in visit("viewer").get(path + "/webhooks")


@pytest.mark.requirement("003-10", "003-63")
def test_what_was_not_sent_stands_in_the_same_list_with_what_to_do(visit, house):
    house.connect("Shop", push_events=False)
    house.post(sample(SALE))
    house.take_in()

    page = words(visit("support").get(f"/customers/{john(house)}/webhooks"))

    assert "Not sent: push events off" in page
    assert "Push Events" in page


def test_the_webhooks_tab_is_filtered_by_its_address(visit, house, sold):
    person, path = visit("support"), f"/customers/{john(house)}/webhooks"

    for query in ("status=accepted", "event=Placed Order", "since=2020-01-01&until=2099-01-01"):
        assert "1 webhook" in words(person.get(f"{path}?{query}")), query
    for query in ("status=failed", "event=Refunded Order", "event=profile", "until=2020-01-01"):
        assert "No webhook of this customer matches" in words(person.get(f"{path}?{query}")), query
    person.get(path, status=400, since="yesterday")
    person.get(path + "?status=nonsense", status=400)


def test_the_webhooks_tab_finds_an_order_a_payment_or_an_event(visit, house, sold):
    told = sample(SALE)["webhook_data"]["transaction"]
    order, payment, webhook = told["order"]["id"], told["id"], sample(SALE)["webhook_event_id"]
    house.post(declined(1))
    house.take_in()
    person, path = visit("support"), f"/customers/{john(house)}/webhooks"
    everything = words(person.get(path))
    assert "2 webhooks" in everything

    ids = re.findall(rf"\b{payment}_\w+", everything)
    for typed in (f"order:{order}", f" Order #{order} ", order, payment, f"transaction {payment}", webhook, *ids):
        page = words(person.get(path, q=str(typed)))
        assert "1 webhook · 3 requests" in page, typed
    for typed in ("order:999999", f"order:{payment}", f"transaction:{order}", f"{payment}%", "\x00", "a b", "9" * 300):
        assert "No webhook of this customer matches" in words(person.get(path, q=typed)), typed
    assert "No webhook" in words(person.get(f"{path}?q=order:{order}&status=failed"))


def test_one_person_known_to_two_sources_is_shown_as_one(visit, house):
    connection = house.connect("Shop")
    other = house.add_source("Other")
    house.post(declined(1))
    house.post(declined(2, customer=77), other)
    house.take_in()
    house.take_in(other)
    person = visit("support")

    for customer in house.customers():
        assert "2 webhooks" in words(person.get(f"/customers/{customer.id}/webhooks"))
    assert "also known from Other (Vrio 77)" in words(person.get(f"/customers/{john(house)}"))
    assert connection


def test_orders_come_from_what_is_remembered(visit, house, sold):
    page = words(visit("support").get(f"/customers/{john(house)}/orders"))

    assert "Order 1253" in page
    assert "1668 sale ✓ Approved $24.99" in page
    nobody = met(house, 99)
    assert "No webhook has told of an order" in words(visit("support").get(f"/customers/{nobody.id}/orders"))


def test_hostile_text_is_shown_as_text(visit, house):
    connection = house.connect(EVIL.replace("\x07", ""))
    body = declined(1, email="evil@acme.test")
    body["webhook_data"]["transaction"]["customer"] |= {"fname": EVIL, "lname": "x" * 10_000}
    body["webhook_data"]["transaction"]["campaign"]["name"] = EVIL
    house.post(body)
    house.take_in()
    person = visit("support")
    customer, delivery = house.customers()[0], house.delivery()
    person.post(f"/requests/{delivery.id}/reveal")

    for path in (
        "/customers",
        f"/customers/{customer.id}",
        f"/customers/{customer.id}/webhooks",
        f"/customers/{customer.id}/orders",
        f"/requests/{delivery.id}",
        f"/requests/{delivery.id}/resend",
        f"/received/{delivery.inbound_event_id}",
        "/why?email=evil@acme.test",
        f"/why?email={EVIL}",
    ):
        page = person.get(path)
        assert "<script>alert" not in page, path
    assert connection


def test_a_customer_who_is_only_an_address_or_an_id_has_a_name_all_the_same(visit, house):
    met(house, 1, first_name="", last_name="")
    met(house, 2, first_name="", last_name="", email="")

    page = words(visit("support").get("/customers"))

    assert "p1@acme.test p1@acme.test 1" in page
    assert "Customer 2 — 2" in page
