"""Connections and sources in a browser: from an empty workspace to the first accepted test event, and how it looks."""

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from sandbox.klaviyo import GOOD_KEY, NO_ACCOUNTS_READ_KEY
from tests.browser.conftest import Person
from tests.building import emptied
from tests.product import Product

LONGEST_S = 120


@pytest.fixture(scope="module")
def working(product: Product) -> Iterator[Product]:
    """The product with all of its processes."""
    product.start("worker", "clock")
    yield product
    product.stop("worker", "clock")


@pytest.fixture
def empty(working: Product) -> Product:
    """A workspace that nothing was set up in."""
    emptied(working.db)
    return working


def connect(page: Page, name: str, key: str) -> None:
    """Walk the published page's way."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Settings").click()
    page.get_by_role("main").get_by_role("link", name="Connections").click()
    page.get_by_role("button", name="Add New Connection").first.click()
    page.get_by_role("button", name="Connect Now").click()
    page.get_by_label("Connection name").fill(name)
    page.get_by_label("Private API key").fill(key)
    expect(page.get_by_label("Push events")).to_be_checked()
    expect(page.get_by_label("All campaigns")).to_be_checked()
    page.get_by_role("button", name="Save").click()


def add_source(page: Page, name: str) -> None:
    page.get_by_role("button", name="Add a source").first.click()
    page.get_by_label("Source name").fill(name)
    page.get_by_label("Time zone").fill("America/New_York")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("/webhooks/vrio/")).to_be_visible()


def test_a_merchant_gets_from_nothing_to_an_accepted_test_event(person: Callable[..., Person], empty: Product) -> None:
    mia = person("operator")
    began = time.monotonic()
    page = mia.open("/")
    expect(page.get_by_text("No connection yet.")).to_be_visible()
    mia.fine("connections-empty")
    connect(page, "Klaviyo Production", GOOD_KEY)
    expect(page.get_by_role("status").filter(has_text="Klaviyo knows this key.")).to_be_visible()
    mia.fine("connection-new")
    add_source(page, "Vitamin shop")
    mia.fine("source-new")
    page.get_by_role("link", name="Connections", exact=True).first.click()
    page.get_by_role("link", name="Klaviyo Production").click()
    page.get_by_role("button", name="Send a test event").first.click()
    page.get_by_label("Email").fill("mia@northwind.dev")
    mia.fine("connection-test-form")
    page.get_by_role("button", name="Send test event").click()
    expect(page.get_by_text("Accepted 202")).to_be_visible(timeout=30_000)
    assert time.monotonic() - began < LONGEST_S
    mia.open(page.url.removeprefix(mia.url))
    page.get_by_text("Request:").click()
    mia.fine("connection-tested")


def test_a_sample_is_sent_and_every_page_shows_what_came_of_it(person: Callable[..., Person], empty: Product) -> None:
    mia = person("operator")
    page = mia.open("/connections")
    connect(page, "Klaviyo Production", GOOD_KEY)
    expect(page.get_by_role("heading", name="Klaviyo Production")).to_be_visible()
    mia.open("/sources")
    add_source(page, "Vitamin shop")
    mia.open("/sources")
    mia.fine("sources")
    page.get_by_role("link", name="Vitamin shop").click()
    page.get_by_role("button", name="Send sample").click()
    expect(page.get_by_text("The sample was received.")).to_be_visible()
    expect(page.get_by_role("region", name="What came last").get_by_text("Processed")).to_be_visible(timeout=30_000)
    mia.fine("source")
    mia.open("/connections")
    expect(page.get_by_role("row", name="Klaviyo Production")).to_contain_text("ago")
    mia.fine("connections")
    page.get_by_role("link", name="Klaviyo Production").click()
    expect(page.get_by_role("heading", name="What went wrong")).to_be_visible()
    expect(page.get_by_text("US/Eastern · USD")).to_be_visible()
    page.get_by_label("Compare with the period before").check()
    page.get_by_role("button", name="Show").click()
    mia.fine("connection-health")
    for tab in ("Deliveries", "Settings", "Audit"):
        page.get_by_role("navigation", name="Klaviyo Production").get_by_role("link", name=tab).click()
        expect(page.get_by_role("navigation", name="Klaviyo Production").locator("[aria-current]")).to_have_text(tab)
        mia.fine(f"connection-{tab.lower()}")
    mia.open("/settings")
    mia.fine("settings")
    mia.open("/connections/new")
    mia.fine("connection-choose")


def test_offers_and_items_are_imported_from_a_file(person: Callable[..., Person], empty: Product) -> None:
    mia = person("operator")
    page = mia.open("/sources")
    add_source(page, "Vitamin shop")
    page.get_by_role("button", name="Import a file").press("Enter")
    file = page.get_by_label("File", exact=True)
    file.set_input_files({"name": "catalog.json", "mimeType": "application/json", "buffer": b'{"offers": [{}]}'})
    page.get_by_role("button", name="Import").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("offer_id")
    # Chromium: a refused form is an error of the console.
    mia.errors.clear()
    mia.fine("source-catalog-refused")
    offers = b'{"offers": [{"offer_id": 1, "items": [{"item_id": 2, "name": "Vitamin D3"}]}]}'
    file.set_input_files({"name": "catalog.json", "mimeType": "application/json", "buffer": offers})
    page.get_by_role("button", name="Import").press("Enter")
    expect(page.get_by_role("status").filter(has_text="The file is imported")).to_be_visible()
    mia.fine("source-catalog")
    mia.open("/audit")
    mia.fine("audit")


def test_a_wrong_key_is_told_beside_its_field(person: Callable[..., Person], empty: Product) -> None:
    mia = person("manager")
    page = mia.open("/connections/new/klaviyo")
    page.get_by_label("Connection name").fill("Another one")
    page.get_by_label("Private API key").fill("AbC123")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("This looks like your public API key")
    # Chromium: a refused form is an error of the console.
    mia.errors.clear()
    mia.fine("connection-wrong-key")


def test_all_of_it_by_keyboard_and_without_javascript(person: Callable[..., Person], empty: Product) -> None:
    mia = person("manager", javascript=False)
    page = mia.open("/connections/new/klaviyo")
    page.get_by_label("Connection name").focus()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Tab")
    page.keyboard.type(NO_ACCOUNTS_READ_KEY)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="By keyboard")).to_be_visible()
    page.get_by_role("link", name="Settings", exact=True).last.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("accounts:read missing")).to_be_visible()
    page.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("New webhooks will be recorded as")).to_be_visible()
    page.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("By keyboard is paused.")).to_be_visible()
