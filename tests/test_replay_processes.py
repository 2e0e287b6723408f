"""A replay with the product's own processes, killed in the middle of it: it goes on, and nothing goes twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sandbox.klaviyo import Settings, create_app, serve_in_thread
from tests.faults.vrio import events_of, sale
from tests.product import Product, installed, wait_until
from tests.test_processes import held

SALES = range(0, 10)


@pytest.fixture
def klaviyo() -> Iterator[str]:
    """A sandbox Klaviyo's URL."""
    with serve_in_thread(create_app(Settings())) as url:
        yield url


@pytest.fixture
def product(empty_database_url: str, redis_url: str, klaviyo: str) -> Iterator[Product]:
    with installed(empty_database_url, redis_url, klaviyo) as product:
        yield product


def test_a_replay_goes_on_although_worker_and_clock_are_killed(product: Product, klaviyo: str, tmp_path: Path) -> None:
    product.release()
    address = product.connect(tmp_path)
    owed = 3 * len(SALES)
    requests.post(f"{klaviyo}/sandbox/faults", json={"fault": "status", "status": 400, "times": owed}, timeout=30)
    product.start("web", "worker", "clock")
    for number in SALES:
        assert requests.post(address, json=sale(number), timeout=30).status_code == 202
    wait_until(lambda: [status for status, _ in product.deliveries()] == ["failed"] * owed, "all have failed")
    assert held(klaviyo) == []

    (plan,) = product.flask("replay", "plan")
    assert plan["count"] == owed
    (replay,) = product.flask("replay", "run", "--rate", "5", "--yes")
    for arrived in (2, 10):
        wait_until(lambda arrived=arrived: len(held(klaviyo)) >= arrived, f"{arrived} events have arrived")
        product.kill("worker", "clock")
        product.start("worker", "clock")
    wait_until(lambda: len(held(klaviyo)) == owed, "everything has arrived")
    done = wait_until(
        lambda: [told for told in product.flask("replay", "status", replay["id"]) if told["status"] == "done"],
        "the replay is over",
    )

    assert sorted(held(klaviyo)) == sorted(event for number in SALES for event in events_of(number))
    (told,) = done
    assert (told["total"], told["released"], told["results"]["accepted"]) == (owed, owed, owed)
    triggers = {tuple(reversed(triggers)) for _, triggers in product.deliveries()}
    assert triggers <= {("first", "replay"), ("first", "replay", "interrupted")}
