"""
A merchant's month at the sandbox Vrio, through the product to the sandbox Klaviyo, against the sender's own ledger.

MONTH_CUSTOMERS=500 makes it the month of a real merchant: some seven thousand webhooks.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from sandbox.klaviyo import Settings, serve_in_thread
from sandbox.klaviyo import create_app as klaviyo_app
from sandbox.vrio import SANDBOX_KEY, SMOOTH, DeliveryPlan, World, bursts, expected, tell_month
from sandbox.vrio import create_app as vrio_app
from sandbox.vrio.story import ROLES
from tests.building import House, StandingClock
from vrio_klaviyo import upcoming
from vrio_klaviyo.lookups import Clients
from vrio_klaviyo.store import inbound
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.sources import Source
from vrio_klaviyo.vrio.routes import BEYOND

CUSTOMERS = int(os.environ.get("MONTH_CUSTOMERS", "30"))
# A month in which each role is played once.
EVERY_ROLE = len(ROLES)
UNRULY = DeliveryPlan(generation="mixed", late=0.05, doubled=0.1, shuffled=True)

ADDITIONAL = ("CampaignId", "CampaignName", "OrderTotal", "OrderTax", "OrderShipping", "OrderCurrency", "DeclineClass")

Held = dict[str, dict[str, Any]]


@pytest.fixture
def klaviyo() -> Iterator[str]:
    settings = Settings(rate_limits=False, refused_phones=())
    with serve_in_thread(klaviyo_app(settings)) as url:
        yield url


def at(world: World, moment: datetime) -> datetime:
    return moment.replace(tzinfo=world.zone).astimezone(UTC)


def told(house: House, world: World, plan: DeliveryPlan, *, everything: bool = False, **options: Any) -> int:
    """
    Play the month, burst by burst; how many webhooks that were.

    Shape:  with everything, all that is beyond the published page is switched on, and a clock goes round every hour.
    """
    house.clock = StandingClock(at(world, world.opened_at) - timedelta(days=1))
    connection = house.connect()
    if everything:
        house.change(connection, metrics_on=list(BEYOND), additional_properties=True)
    count = 0
    for burst in bursts(world, plan):
        world.now = burst.at
        if everything:
            go_round(house, until=min(at(world, burst.at), at(world, world.ends_at)), **options)
        house.clock.now = at(world, burst.at)
        for body in burst.bodies:
            house.post(body)
            count += 1
        take_in_all(house, **options)
    if everything:
        go_round(house, until=at(world, world.ends_at), **options)
    # What waited in vain goes with what there is.
    house.clock.advance(days=2)
    with house.db.write() as session:
        inbound.wake_overdue(session, house.clock.now)
    take_in_all(house, **options)
    house.settle(connection)
    return count


def go_round(house: House, until: datetime, **options: Any) -> None:
    """Let the clock look every hour what is to be charged soon."""
    while house.clock.now < until:
        house.clock.now = min(house.clock.now + timedelta(hours=1), until)
        with house.db.write() as session:
            announced = upcoming.announce(session, house.clock.now)
        if announced:
            take_in_all(house, **options)


def take_in_all(house: House, **options: Any) -> None:
    house.bells.clear()
    house.take_in(**options)
    while ("intake", house.source.id) in house.bells:
        house.bells.clear()
        house.take_in(**options)


def held_by(klaviyo: str) -> Held:
    """What Klaviyo holds by e-mail, in the ledger's words."""
    accounts = requests.get(f"{klaviyo}/sandbox/state", timeout=30).json()["accounts"]
    return {
        profile["attributes"]["email"]: {"profile": flat(profile["attributes"]), "events": profile["events"]}
        for account in accounts
        for profile in account["profiles"]
    }


def flat(attributes: dict[str, Any]) -> dict[str, Any]:
    named = {name: value for name, value in attributes.items() if name not in ("properties", "email")}
    return {name: value for name, value in (attributes["properties"] | named).items() if name != "$phone_number"}


def events(held: Held, key: Callable[[dict[str, Any]], Any]) -> Counter[Any]:
    """Every event with its customer, as often as it is there."""
    return Counter((email, key(event)) for email, one in held.items() for event in one["events"])


def whole(event: dict[str, Any]) -> tuple[Any, ...]:
    return event["metric"], event["unique_id"], event["value"], event["value_currency"], event["time"]


def but_for_counting(event: dict[str, Any]) -> tuple[Any, ...]:
    """Which of two parcels came first, or of two pauses, is told by who hears of them first."""
    counted = event["metric"].endswith("Subscription") or event["metric"] == "Fulfilled Order"
    numbered = event["unique_id"].split("_sub")[0].split("_")[0] if counted else event["unique_id"]
    return event["metric"], numbered, event["value"], event["value_currency"], event["time"]


def with_additional(key: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """
    The event as the key has it, with its additional properties.

    The clock says when a charge is near; which of its rounds that is, is not the story's. The date of the next attempt
    is told after the refusal, so it is there when that is read late.
    """

    def keyed(event: dict[str, Any]) -> Any:
        told = event | ({"time": ""} if event["metric"] == upcoming.METRIC else {})
        beside = event.get("additional") or {
            name: event["properties"].get(name) for name in ADDITIONAL if name in event["properties"]
        }
        return (*key(told), *sorted(beside.items()))

    return keyed


def profiles(held: Held, names: set[str]) -> dict[str, dict[str, Any]]:
    """
    The profiles of those who have events.

    Klaviyo: a number belongs to one profile only; who changed the e-mail address leaves it with the old one.
    """
    return {
        email: {name: value for name, value in one["profile"].items() if name != "phone_number"}
        for email, one in held.items()
        if email in names
    }


def same_times(held: Held) -> Held:
    for one in held.values():
        for event in one["events"]:
            event["time"] = datetime.fromisoformat(event["time"]).astimezone(UTC).isoformat()
    return held


@pytest.mark.requirement("003-14", "003-15", "003-16", "003-17", "003-18", "003-21", "003-22", "003-24", "003-25")
@pytest.mark.requirement("003-27", "003-50", "003-51", "003-52", "003-53", "003-D")
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("plan", [SMOOTH, UNRULY], ids=["smooth", "unruly"])
def test_what_klaviyo_holds_after_a_month_is_what_the_ledger_says(
    database: Database, klaviyo: str, seed: int, plan: DeliveryPlan
) -> None:
    world = tell_month(CUSTOMERS, seed=seed)
    house = House(database, klaviyo)

    count = told(house, world, plan)

    ledger, held = same_times(expected(world, with_rest=False)), same_times(held_by(klaviyo))
    key = whole if plan is SMOOTH else but_for_counting
    assert events(held, key) == events(ledger, key)
    assert profiles(held, set(ledger)) == profiles(ledger, set(held))
    assert count > 10 * CUSTOMERS
    house.close()


@pytest.mark.requirement("003-D")
@pytest.mark.parametrize("plan", [SMOOTH, UNRULY], ids=["smooth", "unruly"])
def test_with_everything_switched_on_it_is_still_what_the_ledger_says(
    database: Database, klaviyo: str, plan: DeliveryPlan
) -> None:
    world = tell_month(EVERY_ROLE, seed=1)
    house = House(database, klaviyo)

    told(house, world, plan, everything=True)

    ledger, held = same_times(expected(world, with_rest=False, everything=True)), same_times(held_by(klaviyo))
    key = with_additional(whole if plan is SMOOTH else but_for_counting)
    assert {event["metric"] for one in ledger.values() for event in one["events"]} >= set(BEYOND)
    assert events(held, key) == events(ledger, key)
    assert profiles(held, set(ledger)) == profiles(ledger, set(held))
    house.close()


@pytest.mark.requirement("003-C")
def test_with_a_rest_key_klaviyo_holds_what_only_vrio_s_api_says(database: Database, klaviyo: str) -> None:
    world = tell_month(6, seed=4)
    house = House(database, klaviyo)
    with database.write() as session:
        sealed = house.vault.seal(SANDBOX_KEY, house.source.workspace_id, house.source.id)
        session.get_one(Source, house.source.id).api_key_sealed = sealed

    with serve_in_thread(vrio_app(world)) as vrio:
        told(house, world, SMOOTH, vrio_client=Clients(house.vault, house.http, vrio).of)
        state = requests.get(f"{vrio}/sandbox/state", timeout=30).json()

    ledger, held = same_times(expected(world, with_rest=True)), same_times(held_by(klaviyo))
    assert events(held, whole) == events(ledger, whole)
    assert profiles(held, set(ledger)) == profiles(ledger, set(held))
    assert max(state["most_at_once"].values()) <= 3
    house.close()
