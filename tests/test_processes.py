"""The product's own processes, started as the Procfile says, killed as life does it."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.klaviyo import Settings, create_app, serve_in_thread
from tests.product import Product, installed, sample, wait_until

SALE = "transaction_completed_sale_subscription_cycle1"


@pytest.fixture
def klaviyo() -> Iterator[str]:
    """A sandbox Klaviyo's URL."""
    with serve_in_thread(create_app(Settings())) as url:
        yield url


@pytest.fixture
def product(empty_database_url: str, redis_url: str, klaviyo: str) -> Iterator[Product]:
    """An installation on a database that no migration has seen."""
    with installed(empty_database_url, redis_url, klaviyo) as product:
        yield product


def held(klaviyo: str) -> list[tuple[str, str]]:
    """What the sandbox holds: metric and unique id of every event."""
    return [
        (event["metric"], event["unique_id"]) for event in requests.get(f"{klaviyo}/sandbox/events", timeout=5).json()
    ]


def sale(number: int) -> dict[str, Any]:
    """The sample sale as another transaction of another customer."""
    webhook = copy.deepcopy(sample(SALE))
    webhook["webhook_event_id"] = 70_000 + number
    transaction = webhook["webhook_data"]["transaction"]
    transaction["id"] = str(2000 + number)
    transaction["customer"] |= {"id": str(9000 + number), "email": f"customer{number}@example.com", "phone": ""}
    return webhook


def expected(numbers: range) -> list[tuple[str, str]]:
    """What those sales come to in Klaviyo."""
    return [
        event
        for number in numbers
        for event in (
            ("Placed Order", f"{2000 + number}"),
            ("Ordered Product", f"{2000 + number}_1"),
            ("Started Subscription", f"{2000 + number}_1_sub"),
        )
    ]


@pytest.mark.parametrize("process", ["web", "worker", "clock"])
def test_a_process_refuses_to_start_on_a_database_that_is_not_migrated(product: Product, process: str) -> None:
    assert product.ends(process) == 5


def test_the_procfile_s_lines_are_the_product(product: Product, klaviyo: str, tmp_path: Path) -> None:
    product.release()
    address = product.connect(tmp_path)
    product.start("web", "worker", "clock")
    answer = requests.post(address, json=sample(SALE), timeout=5)
    assert (answer.status_code, answer.json()["received"]) == (202, True)
    again = requests.post(address, json=sample(SALE), timeout=5)
    assert (again.status_code, again.json()) == (200, {"received": True, "duplicate": True, "id": answer.json()["id"]})
    wait_until(lambda: len(held(klaviyo)) == 3, "Klaviyo holds three events")
    assert sorted(held(klaviyo)) == [
        ("Ordered Product", "1668_1"),
        ("Placed Order", "1668"),
        ("Started Subscription", "1668_1_sub"),
    ]
    wait_until(lambda: requests.get(f"{product.url}/readyz", timeout=5).json()["status"] == "ok", "all is well")
    assert "vk_deliveries" in requests.get(f"{product.url}/metrics", timeout=5).text
    (inbound,) = product.flask("inbound", "list")
    assert (inbound["status"], inbound["deliveries"]) == ("processed", 3)
    wait_until(lambda: all(status == "accepted" for status, _ in product.deliveries()), "all are accepted")
    (customer,) = product.flask("customer", "show", "john@example.com")
    assert [row["response"]["status"] for row in customer["webhooks"]] == [202, 202, 202]
    assert max(product.stop().values()) < 10


def test_what_was_acknowledged_arrives_once_although_web_and_worker_are_killed(
    product: Product, klaviyo: str, tmp_path: Path
) -> None:
    """Killed before anything was looked at, in the middle of looking, and in the middle of sending."""
    product.release()
    address = product.connect(tmp_path)
    product.start("web")
    acknowledged = range(0, 12)
    for number in acknowledged:
        assert requests.post(address, json=sale(number), timeout=5).status_code == 202
    product.kill("web")
    requests.post(f"{klaviyo}/sandbox/settings", json={"latency_ms": 100}, timeout=5)
    for arrived in (1, 9, 20):
        product.start("worker", "clock")
        wait_until(lambda arrived=arrived: len(held(klaviyo)) >= arrived, f"{arrived} events have arrived")
        product.kill("worker", "clock")
    product.start("web", "worker", "clock")
    wait_until(lambda: len(held(klaviyo)) == 3 * len(acknowledged), "everything has arrived")
    assert sorted(held(klaviyo)) == sorted(expected(acknowledged))
    wait_until(lambda: all(status == "accepted" for status, _ in product.deliveries()), "all are accepted")
    triggers = [trigger for _, triggers in product.deliveries() for trigger in triggers]
    assert set(triggers) == {"first", "interrupted"}
