"""Support's journey: from a customer's e-mail to the reason and the resend in four clicks."""

import itertools
import json
import re

import pytest
import requests
from playwright.sync_api import expect

from tests.bodies import declined
from tests.product import sample, wait_until

# Of the customers who come one for each test.
NUMBERS = itertools.count(401)
SALE = "transaction_completed_sale_subscription_cycle1"


@pytest.fixture(scope="module")
def town(product, klaviyo, tmp_path_factory):
    """John's sale went without his phone number, and somebody without an address was declined."""
    klaviyo.settings(refused_phones=["+1555"])
    address = product.connect(tmp_path_factory.mktemp("keys"))
    product.start("worker")
    post(address, sample(SALE))
    settled(product, 3)
    klaviyo.settings(refused_phones=[])
    post(address, declined(2, customer=303, email=""))
    settled(product, 4)
    return address


@pytest.fixture
def ann(town, product, klaviyo):
    """The address of somebody whose declined payment has just failed; each test has its own."""
    number = next(NUMBERS)
    email = f"ann{number}@acme.test"
    before = len(product.deliveries())
    klaviyo.fault("status", status=400)
    post(town, declined(number, customer=number, email=email, phone=""))
    settled(product, before + 1)
    return email


def post(address, body):
    assert requests.post(address, data=json.dumps(body), timeout=10).status_code == 202


def settled(product, number):
    final = ("accepted", "failed", "skipped")
    wait_until(
        lambda: sum(status in final for status, _ in product.deliveries()) >= number, f"{number} deliveries are settled"
    )


def test_from_an_address_to_the_reason_and_the_resend_in_four_clicks(person, ann):
    support = person("support")
    page = support.open("/")
    clicks = 0

    def click(what):
        nonlocal clicks
        what.click()
        clicks += 1

    click(page.get_by_role("link", name="Customers"))
    page.get_by_label("Search").fill(ann)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="John Doe")).to_be_visible()
    expect(page.get_by_text("Failed 400")).to_be_visible()
    support.fine("customer-failed")
    click(page.get_by_role("link", name="Declined Order"))
    expect(page.get_by_text("Failed: it is not tried again by itself")).to_be_visible()
    support.fine("request-failed")
    click(page.get_by_role("button", name="Resend…"))
    support.fine("resend")
    click(page.get_by_role("button", name="Send again"))
    expect(page.get_by_text("It is on its way")).to_be_visible()

    # The page keeps itself up to date.
    expect(page.get_by_text("Attempt 2: sent again by support@northwind.example")).to_be_visible(timeout=20_000)
    assert clicks == 4
    assert support.errors == []


def test_a_removed_phone_shows_two_attempts_and_the_field_struck_through(person, town):
    support = person("support")
    page = support.open("/customers?q=301")
    expect(page.get_by_text("not accepted by Klaviyo")).to_be_visible()
    support.fine("customer-webhooks")
    page.get_by_role("link", name="Placed Order").click()
    expect(page.locator(".timeline")).to_contain_text("Attempt 1")
    expect(page.locator(".timeline")).to_contain_text("sent again without the phone number")
    page.get_by_role("button", name="Show the bodies").click()

    gone = page.locator("del", has_text='"phone_number"')
    expect(gone).to_be_visible()
    assert gone.evaluate("line => getComputedStyle(line).textDecorationLine") == "line-through"
    expect(page.get_by_text("2 fields removed: phone_number, $phone_number.")).to_be_visible()
    support.fine("request")
    page.get_by_role("button", name="Raw").click()
    expect(page.locator("del")).to_have_count(0)
    support.fine("request-raw")


def test_the_other_pages_are_fine(person, ann):
    support = person("support")
    page = support.open("/customers")
    support.fine("customers")
    page.get_by_label("Search").fill("301")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_text("Lifetime value")).to_be_visible()
    support.fine("customer-overview")
    page.get_by_role("link", name="Orders").click()
    expect(page.get_by_text("Order 1253").first).to_be_visible()
    support.fine("customer-orders")
    support.open(f"/why?email={ann}")
    support.fine("why")
    support.open("/customers?q=nobody@acme.test")
    support.fine("customers-nobody")
    support.open("/received")
    page.locator("[data-row]").last.click()
    page.get_by_role("button", name="Show the body").click()
    support.fine("received")


def test_by_keyboard_alone_a_request_is_opened_and_sent_again(person, ann):
    support = person("support")
    page = support.open("/customers")
    page.locator("h1").click()
    page.keyboard.press("/")
    page.keyboard.type(ann)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="John Doe")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Declined Order")).to_be_visible()
    page.keyboard.press("r")
    expect(page.get_by_role("heading", name="Send Declined Order again?")).to_be_visible()
    page.get_by_role("button", name="Send again").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is on its way")).to_be_visible()


def test_a_request_opens_beside_its_list_and_closes_again(person, town):
    support = person("support")
    page = support.open("/customers?q=301")
    tab, beside = page.url, page.locator("#beside")
    first, second = page.get_by_role("link", name="Placed Order"), page.get_by_role("link", name="Ordered Product")
    page.locator("h1").click()
    for key in ("j", "Enter"):
        page.keyboard.press(key)
    expect(beside.get_by_role("heading", name="Placed Order")).to_be_visible()
    expect(page).to_have_url(re.compile("/requests/dl_"))
    expect(first).to_have_attribute("aria-current", "true")
    expect(beside.get_by_text("Live · updated")).to_be_visible()
    support.fine("request-beside")

    # Another one takes its place; Escape closes it, and the keys go on where they were.
    second.first.click()
    expect(beside.get_by_role("heading", name="Ordered Product")).to_be_visible()
    page.keyboard.press("Escape")
    expect(beside).to_be_hidden()
    expect(page).to_have_url(tab)
    expect(second.first).to_be_focused()

    # The browser's own ways: back closes it, forward and a reload are the page of the request.
    first.click()
    expect(beside).to_be_visible()
    page.go_back()
    expect(beside).to_be_hidden()
    page.go_forward()
    expect(page.locator("main #request")).to_be_visible()
    assert support.errors == []


def test_where_there_is_no_room_a_request_has_the_page_to_itself(person, town):
    page = person("support").open("/customers?q=301")
    page.set_viewport_size({"width": 800, "height": 900})
    page.get_by_role("link", name="Placed Order").click()
    expect(page.locator("main #request")).to_be_visible()
    expect(page.locator("#beside")).to_be_hidden()


def test_words_are_found_in_a_body_and_what_hides_them_is_unfolded(person, town):
    support = person("support")
    page = support.open("/customers?q=301")
    page.get_by_role("link", name="Placed Order").click()
    page.get_by_role("button", name="Show the bodies").click()
    box, told = page.get_by_label("Find in what came from Vrio"), page.locator("[data-find=vrio-body] + output")
    hidden = page.locator("#vrio-body").get_by_text('"first_name"').first
    expect(hidden).to_be_hidden()
    box.press_sequentially("FIRST_name")
    expect(told).to_have_text(re.compile("1 of"))
    expect(hidden).to_be_visible()
    box.fill("_name")
    for key, place in (("Enter", "2 of"), ("Enter", "3 of"), ("Shift+Enter", "2 of")):
        box.press(key)
        expect(told).to_have_text(re.compile(place))
    support.fine("request-find")
    for text, answer in (("(.*", "not there"), ("", "")):
        box.fill(text)
        expect(told).to_have_text(answer)
    assert support.errors == []


def test_without_a_script_a_request_can_be_found_and_sent_again(person, ann):
    page = person("support", javascript=False).open("/customers")
    page.get_by_label("Search").fill(ann)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Declined Order").click()
    page.get_by_role("button", name="Show the bodies").click()
    expect(page.get_by_text("2 To Klaviyo")).to_be_visible()
    expect(page.get_by_text("Copy as cURL", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Resend…").click()
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("It is on its way")).to_be_visible()


def test_a_viewer_sees_people_masked_and_nothing_to_press(person, town):
    viewer = person("viewer")
    page = viewer.open("/customers?q=301")
    expect(page.get_by_role("heading", name="J•• D••")).to_be_visible()
    page.get_by_role("link", name="Placed Order").click()
    expect(page.get_by_text("People with the role support may see them.")).to_be_visible()
    expect(page.get_by_role("button", name="Resend…")).to_have_count(0)
    viewer.fine("request-viewer")
