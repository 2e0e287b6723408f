"""Failed: a manager sees what went wrong and why, sends all of one cause again, and watches it end."""

from pathlib import Path

import pytest
import requests
from sqlalchemy import update

from tests.faults.vrio import sale
from tests.product import Product, wait_until
from tests.steered import Klaviyo
from vrio_klaviyo.store.deliveries import Delivery, list_deliveries

SALES = range(0, 36)
# Each sale owes three events.
OWED = 3 * len(SALES)
EMAIL_REFUSED = "400 invalid /data/attributes/profile/data/attributes/email"


@pytest.fixture(scope="module")
def given_up(product: Product, klaviyo: Klaviyo, tmp_path_factory: pytest.TempPathFactory) -> Product:
    """Klaviyo has refused everything so far."""
    address = product.connect(Path(tmp_path_factory.mktemp("keys")))
    klaviyo.fault("status", status=400, times=OWED)
    product.start("worker", "clock")
    for number in SALES:
        assert requests.post(address, json=sale(number), timeout=30).status_code == 202
    wait_until(lambda: [status for status, _ in product.deliveries()] == ["failed"] * OWED, "all have failed")
    return product


@pytest.fixture
def failed(given_up: Product) -> Product:
    """Klaviyo was away for too long: all but two were given up with a 503, and these two with their own faults."""
    with given_up.db.write() as session:
        session.execute(update(Delivery).values(status="failed", reason="503 unavailable", looked_at=None))
        refused, skipped, *_ = [delivery.id for delivery in list_deliveries(session)]
        session.execute(update(Delivery).where(Delivery.id == refused).values(reason=EMAIL_REFUSED))
        news = {"status": "skipped", "reason": "campaign_not_selected"}
        session.execute(update(Delivery).where(Delivery.id == skipped).values(news))
    return given_up


def test_a_manager_replays_all_that_failed_by_503_and_watches_it_end(failed, klaviyo, person):
    again = OWED - 2
    mia = person("manager")
    page = mia.open("/failed")
    assert page.get_by_role("link", name="Failed", exact=False).first.inner_text().endswith("99+")
    mia.fine("failed")
    page.get_by_role("button", name="See them").click()
    assert page.get_by_role("checkbox").count() == 50
    mia.fine("failed-requests")
    page.go_back()
    # So slow that the replay is still on its way when somebody looks at it.
    klaviyo.settings(latency_ms=3_000)

    # With the keyboard alone: to the button, through the form, and off.
    page.get_by_role("button", name=f"Replay {again}…").press("Enter")
    page.wait_for_url("**/replays/new?**")
    mia.fine("replay-plan")
    page.get_by_label("Speed").press("ArrowDown")
    page.get_by_label("Speed").select_option("50")
    page.get_by_role("button", name="Start replay").press("Enter")
    page.get_by_label(f"Type {again} to confirm").press_sequentially(str(again - 1))
    page.get_by_role("button", name="Start replay").press("Enter")
    page.get_by_role("alert").wait_for()
    assert f"Type {again} to confirm" in page.get_by_role("alert").inner_text()
    mia.errors.clear()  # The browser itself says that the answer was 422.
    page.get_by_label(f"Type {again} to confirm").fill(str(again))
    page.get_by_label(f"Type {again} to confirm").press("Enter")
    page.wait_for_url("**/replays/rp_*")
    page.get_by_text("Live · updated").wait_for()
    klaviyo.settings(latency_ms=0)

    # The page comes to its end by itself.
    page.get_by_text("Finished").wait_for(timeout=60_000)
    assert page.get_by_role("row", name="Accepted").inner_text().split()[-1] == str(again)
    mia.fine("replay-done")
    assert len(klaviyo.events()) == again
    page.get_by_role("link", name="Back to Failed").click()
    page.get_by_role("heading", name="Invalid e-mail address").wait_for()
    assert page.get_by_role("heading", level=2).all_inner_texts() == ["Invalid e-mail address 1 request"]
    page.get_by_role("button", name="Replays", exact=True).click()
    mia.fine("replays")


def test_support_puts_a_failure_aside_without_a_script(failed, person):
    sam = person("support", javascript=False)
    page = sam.open("/failed")
    page.get_by_role("link", name="Invalid e-mail address").first.click()
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Mark chosen as looked at").click()
    page.get_by_text("1 request put aside as looked at").wait_for()
    page.goto(failed.url + "/failed/looked-at")
    assert "Invalid e-mail address" in page.content()


def test_the_other_lists_are_fine(failed, person):
    mia = person("manager", email="mo@northwind.example")
    for name in ("held", "skipped", "looked-at"):
        mia.open(f"/failed/{name}")
        mia.fine(f"failed-{name}")


def test_an_operator_makes_a_token_and_revokes_it(person):
    oli = person("operator")
    page = oli.open("/tokens")
    oli.fine("tokens-none")
    page.get_by_label("Name").fill("Helpdesk")
    page.get_by_label("resend").check()
    page.get_by_role("button", name="Make token").click()
    assert page.locator("#token").inner_text().startswith("vkt_")
    page.get_by_role("button", name="Back to the tokens").click()
    oli.fine("tokens")
    page.get_by_role("button", name="Revoke Helpdesk").click()
    page.get_by_role("button", name="Revoke").click()
    page.get_by_text("Helpdesk is revoked.").wait_for()


def test_the_footer_leads_to_the_manual_of_the_api(person):
    oli = person("operator", email="ole@northwind.example")
    page = oli.open("/failed")
    page.get_by_role("link", name="API docs").click()
    oli.fine("api-docs")
