"""What machines ask: figures that alarms are made of, under names that stay."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from console import probes
from tests.bodies import declined
from tests.building import House
from vrio_klaviyo.store import leases
from vrio_klaviyo.store.connections import KeyStatus
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.inbound import InboundStatus, find_inbound
from workers.bells import Bells


@pytest.fixture
def house(database: Database) -> Iterator[House]:
    house = House(database)
    house.clock.now = datetime.now(UTC)
    yield house
    house.close()


def figures(house: House, redis_url: str) -> dict[str, float]:
    """What is told at this moment, each under its name and labels."""
    app = Flask(__name__)
    app.register_blueprint(probes.blueprint(house.db, Bells(redis_url), house.clock))
    told = app.test_client().get("/metrics").text
    return {
        " ".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }


def test_a_house_in_which_nothing_runs_says_so(house: House, redis_url: str) -> None:
    told = figures(house, redis_url)

    assert (told["vk_workers"], told["vk_clocks"]) == (0, 0)
    assert told["vk_queue_oldest_seconds inbound_events"] == told["vk_queue_oldest_seconds deliveries"] == 0
    assert {"vk_last_webhook_seconds", "vk_accepted_ratio"}.isdisjoint(told)


def test_what_waits_is_counted_and_has_an_age(house: House, redis_url: str) -> None:
    house.owe(house.connect())
    house.post(declined())
    house.clock.advance(minutes=20)
    leases.keep(house.db, "worker/host/1", "host/1", house.clock(), leases.WORKER_S)

    told = figures(house, redis_url)

    assert (told["vk_deliveries queued"], told["vk_deliveries held"]) == (1, 0)
    assert told["vk_queue_oldest_seconds deliveries"] == pytest.approx(20 * 60, abs=60)
    assert told["vk_queue_oldest_seconds inbound_events"] == pytest.approx(20 * 60, abs=60)
    assert told["vk_last_webhook_seconds"] == pytest.approx(20 * 60, abs=60)
    assert told["vk_workers"] == 1


def test_what_was_set_aside_is_counted(house: House, redis_url: str) -> None:
    inbound_id = house.post(declined())
    assert figures(house, redis_url)["vk_inbound_events failed"] == 0
    with house.db.write() as session:
        find_inbound(session, inbound_id).status = InboundStatus.FAILED

    told = figures(house, redis_url)
    assert (told["vk_inbound_events received"], told["vk_inbound_events failed"]) == (0, 1)


def test_each_connection_says_how_it_stands(house: House, redis_url: str) -> None:
    good, bad = house.connect("Good"), house.connect("Bad")
    paused = house.connect("Paused", active=False)
    house.change(bad, key_status=KeyStatus.REJECTED)

    told = figures(house, redis_url)

    states = {name for name in told if name.startswith("vk_connection_state ")}
    assert states == {
        f"vk_connection_state {good.id} active",
        f"vk_connection_state {bad.id} key_rejected",
        f"vk_connection_state {paused.id} paused",
    }
