"""
What is told beyond the published page: off until it is switched on, and the same whichever way the webhooks come in.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from sandbox.vrio import SMOOTH, DeliveryPlan, bursts, tell_month
from tests.building import House, StandingClock, emptied
from tests.test_journey_goldens import FIXTURES, taken_in
from tests.test_month import UNRULY, at, take_in_all
from vrio_klaviyo.klaviyo.requests import EventRequest, loads
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.vrio.routes import BEYOND

ACTIVATED_AT = datetime(2025, 8, 1, 12, tzinfo=UTC)
CASES = sorted(
    case.parent
    for case in FIXTURES.glob("*/before")
    if case.parent.name.split("__")[0] in {metric.lower().replace(" ", "_") for metric in BEYOND}
)


@pytest.fixture
def house(standing: Database) -> Iterator[House]:
    house = House(emptied(standing))
    house.clock = StandingClock(ACTIVATED_AT)
    yield house
    house.close()


def metric_of(case: Path) -> str:
    return case.name.split("__")[0].replace("_", " ").title()


def told(house: House, connection: Connection | None = None) -> list[tuple[str, str]]:
    return [(one.metric, one.unique_id) for one in house.deliveries(connection) if one.metric in BEYOND]


def webhooks(case: Path) -> list[Path]:
    return [*sorted((case / "before").iterdir()), case / "webhook.json"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_was_never_switched_on_leaves_no_trace(house: House, connection: Connection, case: Path) -> None:
    statuses = [house.inbound(taken_in(house, webhook)).status for webhook in webhooks(case)]

    assert told(house) == []
    assert set(statuses) <= {"processed", "ignored"}
    assert all(one.status == "queued" for one in house.deliveries())


@pytest.mark.parametrize("metric", BEYOND)
def test_each_has_a_switch_of_its_own(house: House, connection: Connection, metric: str) -> None:
    other = house.connect("Other")
    house.change(other, metrics_on=[one for one in BEYOND if one != metric])
    house.change(connection, metrics_on=[metric])
    case = next(case for case in CASES if metric_of(case) == metric)
    for webhook in webhooks(case):
        taken_in(house, webhook)

    assert metric in {name for name, _ in told(house, connection)}
    assert {name for name, _ in told(house, connection)} == {metric}
    assert metric not in {name for name, _ in told(house, other)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_webhook_that_comes_again_tells_nothing_more(house: House, connection: Connection, case: Path) -> None:
    house.change(connection, metrics_on=list(BEYOND))
    for webhook in webhooks(case):
        taken_in(house, webhook)
    once = told(house)
    for webhook in webhooks(case):
        house.post(again(webhook))
        house.take_in()

    assert told(house) == once


def again(webhook: Path) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(webhook.read_bytes())
    return body | {"webhook_event_id": f"again {body['webhook_event_id']}"}


def orders(told: list[Path]) -> list[list[Path]]:
    """In order, backwards, and with each of them as the one that comes last."""
    late = [[one for one in told if one != last] + [last] for last in told]
    return [told, told[::-1], *late]


@pytest.mark.requirement("003-D")
@pytest.mark.parametrize("name", ["payment_recovered", "final_payment_failure", "cancelled_last_subscription"])
def test_it_is_the_same_whichever_way_the_webhooks_come_in(house: House, connection: Connection, name: str) -> None:
    case = FIXTURES / name
    house.change(connection, metrics_on=[metric_of(case)])
    house.clock.now = datetime(2025, 12, 24, tzinfo=UTC)
    for number, order in enumerate(orders(webhooks(case)), 1):
        source = house.add_source(f"Vrio {number}")
        for webhook in order:
            house.post(webhook.read_bytes(), source)
            house.take_in(source)
        house.take_in(source)
        assert len(told(house)) == number

    assert len(set(told(house))) == 1


@pytest.mark.requirement("003-D")
def test_a_failure_that_only_a_status_told_of_is_the_one_that_a_late_refusal_explains(
    house: House, connection: Connection
) -> None:
    house.change(connection, metrics_on=["Final Payment Failure"])
    for webhook in webhooks(FIXTURES / "final_payment_failure__status"):
        taken_in(house, webhook)
    taken_in(house, FIXTURES / "final_payment_failure" / "before" / "02_declined.json")

    assert told(house) == [("Final Payment Failure", "4001_cycle2_failed")]


def offer(event: str, at: str, **changes: Any) -> dict[str, Any]:
    """A webhook of the subscription that the sale began, dated at its change."""
    body = json.loads((FIXTURES / "next_charge_date_changed" / "webhook.json").read_bytes())
    body |= {"webhook_event": event, "webhook_event_id": f"{event} {at} {changes}", "webhook_event_date": at}
    body["webhook_data"]["order_offer"] |= {"date_modified": at} | changes
    return body


def sale(house: House) -> None:
    taken_in(house, FIXTURES / "payment_recovered" / "before" / "01_sale.json")


def takes_in(house: House, *bodies: dict[str, Any]) -> None:
    for body in bodies:
        house.clock.now = datetime.fromisoformat(body["webhook_event_date"]).replace(tzinfo=UTC) + timedelta(seconds=4)
        house.post(body)
        house.take_in()


PLANNED = "2025-09-14 10:30:00"


@pytest.mark.parametrize(
    ("moves", "number"),
    [
        ([("2025-09-01 10:00:00", "2025-09-20 10:30:00")], 1),
        ([("2025-09-01 10:00:00", PLANNED)], 0),
        ([("2025-09-01 10:00:00", "2025-09-14 18:00:00")], 0),
        # It has come: that is a renewal, or another attempt.
        ([("2025-09-14 10:31:00", "2025-10-14 10:30:00")], 0),
        ([("2025-09-01 10:00:00", "2025-09-20 10:30:00"), ("2025-09-02 10:00:00", PLANNED)], 2),
    ],
    ids=["moved", "not moved", "another hour", "renewed", "moved and back"],
)
def test_a_date_was_moved_when_it_had_not_come_yet(
    house: House, connection: Connection, moves: list[tuple[str, str]], number: int
) -> None:
    house.change(connection, metrics_on=["Next Charge Date Changed"])
    sale(house)
    takes_in(house, offer("order_offer_updated", "2025-08-16 09:00:00", next_recurring_date=PLANNED))
    takes_in(house, *(offer("order_offer_updated", at, next_recurring_date=to) for at, to in moves))

    assert len(told(house)) == number


def test_a_charge_that_took_place_early_is_no_move(house: House, connection: Connection) -> None:
    house.change(connection, metrics_on=["Next Charge Date Changed"])
    sale(house)
    charged = {"next_recurring_date": "2025-10-14 10:30:00", "last_recurring_date": "2025-09-01 09:59:00"}
    takes_in(
        house,
        offer("order_offer_updated", "2025-08-16 09:00:00", next_recurring_date=PLANNED),
        offer("order_offer_updated", "2025-09-01 10:00:00", **charged),
    )

    assert told(house) == []


def test_the_last_one_is_not_cancelled_while_another_one_is_active(house: House, connection: Connection) -> None:
    house.change(connection, metrics_on=["Cancelled Last Subscription"])
    sale(house)
    takes_in(house, offer("order_offer_updated", "2025-08-16 09:00:00", id="4002"))
    ended = {"status_type_id": "Cancelled"}
    first, second = "2025-09-01 10:00:00", "2025-09-02 10:00:00"
    takes_in(house, offer("order_offer_cancelled", first, id="4001", date_cancel=first, **ended))
    assert told(house) == []

    takes_in(house, offer("order_offer_cancelled", second, id="4002", date_cancel=second, **ended))
    assert len(told(house)) == 1


def test_of_two_that_were_cancelled_the_later_one_was_the_last_though_it_is_told_first(
    house: House, connection: Connection
) -> None:
    house.change(connection, metrics_on=["Cancelled Last Subscription"])
    sale(house)
    takes_in(house, offer("order_offer_updated", "2025-08-16 09:00:00", id="4002"))
    ended = {"status_type_id": "Cancelled"}
    first, second = "2025-09-01 10:00:00", "2025-09-02 10:00:00"
    takes_in(house, offer("order_offer_cancelled", second, id="4002", date_cancel=second, **ended))
    takes_in(house, offer("order_offer_cancelled", first, id="4001", date_cancel=first, **ended))

    (delivery,) = [one for one in house.deliveries() if one.metric in BEYOND]
    request = loads(delivery.request)
    assert isinstance(request, EventRequest)
    assert request.properties["CancelDate"] == "2025-09-02"


def test_a_payment_at_the_first_attempt_recovers_nothing(house: House, connection: Connection) -> None:
    house.change(connection, metrics_on=list(BEYOND))
    sale(house)
    taken_in(house, FIXTURES / "payment_recovered" / "webhook.json")

    assert told(house) == []


def test_who_paid_and_cancelled_did_not_fail(house: House, connection: Connection) -> None:
    house.change(connection, metrics_on=["Final Payment Failure"])
    for webhook in webhooks(FIXTURES / "payment_recovered"):
        taken_in(house, webhook)
    taken_in(house, FIXTURES / "final_payment_failure" / "webhook.json")

    assert told(house) == []


def test_a_profile_that_changed_goes_to_who_wants_no_event_of_it(house: House, connection: Connection) -> None:
    other = house.connect("Other")
    house.change(other, metrics_on=["Next Charge Date Changed"])
    sale(house)
    taken_in(house, FIXTURES / "next_charge_date_changed" / "before" / "02_planned.json")
    (taken,) = [taken_in(house, FIXTURES / "next_charge_date_changed" / "webhook.json")]

    made = {(one.connection_id, one.metric) for one in house.deliveries() if one.inbound_event_id == taken}
    assert made == {(connection.id, ""), (other.id, "Next Charge Date Changed")}


def month(standing: Database, plan: DeliveryPlan) -> set[tuple[str, str, str]]:
    """What a merchant's month at the sandbox Vrio comes to beyond the page: metric, e-mail, what it is about."""
    world = tell_month(14, seed=1)
    house = House(emptied(standing))
    house.clock = StandingClock(at(world, world.opened_at) - timedelta(days=1))
    house.change(house.connect(), metrics_on=list(BEYOND))
    for burst in bursts(world, plan):
        house.clock.now = at(world, burst.at)
        for body in burst.bodies:
            house.post(body)
        take_in_all(house)
    house.close()
    with standing.read() as session:
        requests = [loads(one.request) for one in session.scalars(select(Delivery).where(Delivery.metric.in_(BEYOND)))]
    return {
        (one.metric, one.profile.email, one.unique_id.partition("_sub")[0])
        for one in requests
        if isinstance(one, EventRequest)
    }


@pytest.mark.requirement("003-D")
def test_a_month_in_disorder_comes_to_the_same(standing: Database) -> None:
    in_order = month(standing, SMOOTH)

    assert len({metric for metric, _, _ in in_order}) >= 4
    assert month(standing, UNRULY) == in_order
