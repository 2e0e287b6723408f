"""The picture of the README: a customer's Webhooks tab, where a phone number was left out."""

import json

import requests

from tests.browser.conftest import SHOTS
from tests.product import sample, wait_until


def test_a_picture_of_the_webhooks_tab_is_taken(person, product, klaviyo, tmp_path):
    klaviyo.settings(refused_phones=["+1555000"])
    address = product.connect(tmp_path)
    product.start("worker")
    body = json.dumps(sample("transaction_completed_sale_refused_phone"))
    assert requests.post(address, data=body, timeout=10).status_code == 202
    wait_until(lambda: [status for status, _ in product.deliveries()] == ["accepted"] * 3, "all is accepted")

    support = person("support")
    page = support.open("/customers?q=jane@example.com")
    page.set_viewport_size({"width": 1000, "height": 620})
    page.reload()
    assert page.get_by_text("phone removed").count() == 1
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / "webhooks-tab.png")

    assert support.errors == []
