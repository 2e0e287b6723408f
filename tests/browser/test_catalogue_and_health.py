"""Catalogue and Health: what a webhook of one's own would send, and how the product stands."""

from pathlib import Path

import pytest
import requests

from tests.faults.vrio import sale
from tests.product import Product


@pytest.fixture(scope="module")
def received(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Product:
    """A connection, and one webhook that nobody has worked off."""
    address = product.connect(Path(tmp_path_factory.mktemp("keys")))
    assert requests.post(address, json=sale(1), timeout=5).status_code == 202
    return product


def test_the_catalogue_leads_to_an_event_and_to_a_preview_of_ones_own_webhook(received, person):
    mia = person("support")
    page = mia.open("/catalogue")
    mia.fine("catalogue")
    page.get_by_role("link", name="Placed Order").first.click()
    page.get_by_role("heading", name="Placed Order", level=1).wait_for()
    mia.fine("catalogue-event")
    page.go_back()

    # With the keyboard alone.
    page.get_by_role("link", name="Preview it on one of your own webhooks").press("Enter")
    page.wait_for_url("**/catalogue/preview")
    mia.fine("catalogue-choose")
    page.locator("a[data-row]").first.press("Enter")
    page.get_by_role("heading", name="What transaction_completed would send").wait_for()
    assert page.locator("details.previewed summary").first.inner_text().startswith("Placed Order")
    mia.fine("catalogue-preview")


def test_health_names_what_is_missing_and_what_to_do(received, person):
    mia = person("operator")
    page = mia.open("/health")
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Worker"))
    assert "At fault" in row.inner_text()
    assert "flask worker" in row.inner_text()
    mia.fine("health")


def test_health_says_when_each_process_was_heard_of(received, person):
    received.start("worker", "clock")
    mia = person("operator")
    page = mia.open("/health")
    for part in ("Worker", "Clock"):
        row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=part, exact=True))
        row.filter(has_text="heard of").wait_for(timeout=30_000)
    mia.fine("health-working")
    received.stop("worker", "clock")
