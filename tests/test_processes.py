"""The product's own processes, started as the Procfile says; how they are killed is told in faults/."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from sandbox.klaviyo import Settings, create_app, serve_in_thread
from tests.building import House
from tests.product import PATIENCE_S, Product, installed, sample, wait_until
from tests.steered import klaviyo_served
from vrio_klaviyo.store import leases
from vrio_klaviyo.store.crypto import Vault, new_key
from vrio_klaviyo.store.leases import LeaseRow
from workers.bells import Bells

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
        (event["metric"], event["unique_id"]) for event in requests.get(f"{klaviyo}/sandbox/events", timeout=30).json()
    ]


@pytest.mark.parametrize("process", ["web", "worker", "clock"])
def test_a_process_refuses_to_start_on_a_database_that_is_not_migrated(product: Product, process: str) -> None:
    assert product.ends(process) == 5


def test_the_procfile_s_lines_are_the_product(product: Product, klaviyo: str, tmp_path: Path) -> None:
    product.release()
    address = product.connect(tmp_path)
    product.start("web", "worker", "clock")
    answer = requests.post(address, json=sample(SALE), timeout=30)
    assert (answer.status_code, answer.json()["received"]) == (202, True)
    again = requests.post(address, json=sample(SALE), timeout=30)
    assert (again.status_code, again.json()) == (200, {"received": True, "duplicate": True, "id": answer.json()["id"]})
    wait_until(lambda: len(held(klaviyo)) == 3, "Klaviyo holds three events")
    assert sorted(held(klaviyo)) == [
        ("Ordered Product", "1668_1"),
        ("Placed Order", "1668"),
        ("Started Subscription", "1668_1_sub"),
    ]
    wait_until(lambda: requests.get(f"{product.url}/readyz", timeout=30).json()["status"] == "ok", "all is well")
    assert "vk_deliveries" in requests.get(f"{product.url}/metrics", timeout=30).text
    (inbound,) = product.flask("inbound", "list")
    assert (inbound["status"], inbound["deliveries"]) == ("processed", 3)
    wait_until(lambda: all(status == "accepted" for status, _ in product.deliveries()), "all are accepted")
    (customer,) = product.flask("customer", "show", "john@example.com")
    assert [row["response"]["status"] for row in customer["webhooks"]] == [202, 202, 202]
    assert max(product.stop().values()) < 10


def test_a_worker_that_is_told_to_end_finishes_the_call_under_way_and_begins_no_other(
    database_url: str, redis_url: str
) -> None:
    key, ending = new_key(), []
    with klaviyo_served() as klaviyo, installed(database_url, redis_url, klaviyo.url, ENCRYPTION_KEYS=key) as product:
        house = House(product.db, klaviyo.url)
        house.vault, house.clock.now = Vault([key]), datetime.now(UTC)
        connection = house.connect()
        owed = [house.owe(connection, number) for number in range(3)]
        house.close()

        def end() -> None:
            ending.append(product.told_to_end("worker"))
            time.sleep(1)

        klaviyo.while_asked(end)
        product.start("worker")
        Bells(redis_url).ring("lane", connection.account_id)
        (process,) = wait_until(lambda: ending, "Klaviyo is asked")

        assert process.wait(PATIENCE_S) == 0
        assert product.deliveries() == [("queued", []), ("queued", []), ("accepted", ["first"])]
        assert [attempt.response_status for attempt in house.attempts(owed[0])] == [202]
        assert len(klaviyo.requests()) == 1
        with product.db.read() as session:
            assert session.get_one(LeaseRow, f"lane/{connection.account_id}").owner is None
            assert leases.presences(session, "worker/") == {}
