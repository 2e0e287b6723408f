"""Why didn't it arrive: the five checks on a page, each with the way to where it is put right."""

import pytest

from console.pages.why import link_of_target, word_of_target
from tests.bodies import declined
from tests.console.pages.conftest import words

JOHN = "john@acme.test"


def test_it_is_asked_by_an_address(visit):
    assert "Type the address of a customer" in words(visit("viewer").get("/why"))


@pytest.mark.requirement("003-63", "003-64", "003-65", "003-66", "003-67")
def test_each_check_that_fails_says_what_to_do_and_where(visit, house):
    connection = house.connect("Shop", push_events=False, active=False, campaigns=["12"])
    house.post(declined(campaign="13"))
    house.take_in()

    page = visit("support").get("/why", email=f" {JOHN.upper()} ")

    told = words(page)
    assert "3 checks fail" in told
    assert "Push Events is enabled wrong Push Events is off" in told
    assert "Connection is active wrong" in told
    assert "campaign 13, which is not chosen" in told
    assert "Customer has a valid e-mail address fine" in told
    delivery = house.delivery()
    assert f'href="/requests/{delivery.id}"' in page
    assert "Not sent" in told
    assert connection.name in told


def test_somebody_whom_no_webhook_told_of_is_told_so(visit, house):
    house.connect("Shop")

    page = words(visit("viewer").get("/why", email="nobody@acme.test"))

    assert "No customer with this address is known here." in page
    assert "No webhook from Vrio has ever come." in page


def test_support_can_have_klaviyo_asked(visit, house, site):
    connection = house.connect("Shop")
    person = visit("support")

    answer = person.post("/why", email=JOHN)

    assert answer.location == "/why?email=john@acme.test"
    assert house.connection(connection).checked_at == house.clock()
    visit("viewer").post("/why", 403, email=JOHN)


def test_a_customer_without_an_address_is_asked_for_by_id(visit, house):
    house.connect("Shop")
    house.post(declined(email=""))
    house.take_in()
    (customer,) = house.customers()

    page = words(visit("viewer").get("/why", email=customer.id))

    assert "The customer has no e-mail address." in page


def test_every_place_has_a_word_and_the_pages_that_exist_have_an_address(app):
    targets = {
        "delivery:dl_1": "/requests/dl_1",
        "webhook:in_1": "/received/in_1",
        "webhooks:waiting": "/received?status=waiting",
        "customer:cu_1": "/customers/cu_1",
        "health": "/health",
        "nothing:x": "",
    }
    with app.test_request_context():
        assert {target: link_of_target(target) for target in targets} == targets
        if "connections.show" in app.view_functions:
            assert link_of_target("connection:cn_1:settings").partition("#")[0].endswith("/cn_1")
    assert word_of_target("connection:cn_1:key") == "Open the connection"
