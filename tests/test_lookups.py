"""Asking Vrio's REST API on the way: what is asked for, and what happens when it does not answer."""

from collections.abc import Iterator
from datetime import UTC, timedelta

import pytest
import requests

from sandbox.klaviyo import serve_in_thread
from sandbox.vrio import SANDBOX_KEY, World, create_app, tell_month
from sandbox.vrio.records import OrderOffer
from sandbox.vrio.webhooks import body
from sandbox.vrio.words import Status
from tests.bodies import SALE, sample
from tests.building import NOON, House
from vrio_klaviyo.consequences import ASKED_AGAIN
from vrio_klaviyo.lookups import AGAIN_AFTER, INCOMPLETE, PATIENCE, Clients
from vrio_klaviyo.store import inbound
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.sources import Source


@pytest.fixture(scope="module")
def world() -> World:
    return tell_month(3, seed=1)


@pytest.fixture
def vrio(world: World) -> Iterator[str]:
    with serve_in_thread(create_app(world)) as url:
        yield url


@pytest.fixture
def house(database: Database) -> Iterator[House]:
    house = House(database)
    house.connect()
    yield house
    house.close()


def with_key(house: House, key: str = SANDBOX_KEY) -> None:
    with house.db.write() as session:
        sealed = house.vault.seal(key, house.source.workspace_id, house.source.id)
        session.get_one(Source, house.source.id).api_key_sealed = sealed


def take_in(house: House, vrio: str) -> None:
    house.take_in(vrio_client=Clients(house.vault, house.http, vrio).of)


def asked(vrio: str) -> list[str]:
    return [entry["path"] for entry in requests.get(f"{vrio}/sandbox/requests", timeout=30).json()]


def test_a_source_without_a_key_asks_for_nothing(house: House, vrio: str) -> None:
    house.post(sample(SALE))
    take_in(house, vrio)

    assert asked(vrio) == []
    assert len(house.deliveries()) == 3


@pytest.mark.requirement("003-C")
def test_what_was_asked_for_once_is_not_asked_for_again(house: House, vrio: str) -> None:
    with_key(house)
    house.post(sample(SALE))
    take_in(house, vrio)
    first = asked(vrio)
    house.post(sample(SALE) | {"webhook_event_id": "again"})
    take_in(house, vrio)

    assert {path.rsplit("/", 1)[0] for path in first} >= {"/transactions", "/customers"}
    # Vrio does not know the sample's transaction, so that one is asked for again; the customer's history is not.
    assert set(asked(vrio)[len(first) :]) <= {"/transactions/1668"}


@pytest.mark.requirement("003-C")
def test_a_vrio_that_does_not_answer_is_asked_again_and_then_done_without(house: House, vrio: str) -> None:
    with_key(house)
    requests.post(f"{vrio}/sandbox/faults", json={"fault": "status", "status": 503, "times": None}, timeout=30)
    inbound_id = house.post(sample(SALE))
    take_in(house, vrio)

    waiting = house.inbound(inbound_id)
    assert (waiting.status, waiting.reason) == ("waiting", ASKED_AGAIN)
    assert waiting.wait_until == NOON + AGAIN_AFTER
    assert house.deliveries() == []

    house.clock.now = NOON + PATIENCE + timedelta(seconds=1)
    with house.db.write() as session:
        inbound.wake_overdue(session, house.clock.now)
    take_in(house, vrio)

    assert house.inbound(inbound_id).status == "processed"
    assert {INCOMPLETE in delivery.notes for delivery in house.deliveries()} == {True}


def test_a_key_that_vrio_does_not_take_delays_nothing(house: House, vrio: str) -> None:
    with_key(house, "wrong-key-0001")
    inbound_id = house.post(sample(SALE))
    take_in(house, vrio)

    assert house.inbound(inbound_id).status == "processed"
    assert INCOMPLETE in house.deliveries()[0].notes


def test_a_key_that_cannot_be_opened_delays_nothing(house: House, vrio: str) -> None:
    with house.db.write() as session:
        session.get_one(Source, house.source.id).api_key_sealed = b"of another row"
    inbound_id = house.post(sample(SALE))
    take_in(house, vrio)

    assert (house.inbound(inbound_id).status, asked(vrio)) == ("processed", [])


@pytest.mark.requirement("003-46", "003-C")
def test_a_change_is_judged_by_what_was_known_before_vrio_was_asked(house: House) -> None:
    """Vrio's API shows the subscription as the change has left it, and the webhook does not say when it changed."""
    world = tell_month(1, seed=1)
    bought = next(fact for fact in world.facts if fact.event == "transaction_completed")
    told = next(fact for fact in world.facts if fact.thing == "order_offer" and fact.at >= bought.at)
    house.clock.now = world.ends_at.replace(tzinfo=UTC)
    for fact in (bought, told):
        house.post(body(world, fact, "v1"))
        house.take_in()
    offer_id = told.record_id
    world.change(world.current.get(OrderOffer, offer_id), status=Status.PAUSED)
    world.tell("order_offer_updated", world.current.get(OrderOffer, offer_id))
    with_key(house)
    inbound_id = house.post(body(world, world.facts[-1], "v1"))
    with serve_in_thread(create_app(world)) as vrio:
        take_in(house, vrio)

    assert [one.metric for one in house.deliveries() if one.inbound_event_id == inbound_id] == ["Paused Subscription"]
