"""A fault of ours while one call is made costs that delivery alone, and is shown on it."""

import json

import pytest

from tests.building import House
from tests.lane.owed import lease_of
from tests.steered import Klaviyo
from vrio_klaviyo.deciding import CIRCUIT_OPENS_AT
from vrio_klaviyo.errors import Answer
from vrio_klaviyo.klaviyo.client import KlaviyoClient
from vrio_klaviyo.klaviyo.requests import Rendered
from vrio_klaviyo.store.connections import Connection, KlaviyoAccount
from vrio_klaviyo.store.results import INTERRUPTED


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of an event that our own code cannot send."""
    send = KlaviyoClient.send

    def or_break(client: KlaviyoClient, rendered: Rendered) -> Answer:
        if rendered.path == "/api/event-bulk-create-jobs" or "1001" in unique_ids(rendered):
            raise ZeroDivisionError("of our own")
        return send(client, rendered)

    monkeypatch.setattr(KlaviyoClient, "send", or_break)
    return "1001"


def unique_ids(rendered: Rendered) -> str:
    attributes = json.loads(rendered.body)["data"]["attributes"]
    return str(attributes.get("unique_id"))


@pytest.mark.usefixtures("poison")
def test_it_fails_at_the_third_time_with_its_traceback_and_its_neighbours_go_on(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    broken = house.owe(connection, 1, customer=1)
    for number in range(2, 12):
        house.owe(connection, number, customer=number)
    house.settle(connection, senders=1)

    found = {delivery.id: delivery for delivery in house.deliveries()}
    one = found.pop(broken.id)
    assert (one.status, one.deaths, one.reason) == ("retrying", 1, "ZeroDivisionError: of our own")
    assert {(other.status, other.deaths, other.tries) for other in found.values()} == {("accepted", 0, 1)}

    for _ in range(2):
        house.clock.advance(minutes=1)
        house.settle(connection)
    one = next(delivery for delivery in house.deliveries() if delivery.id == broken.id)
    assert (one.status, one.deaths, one.finished_at) == ("failed", 3, house.clock())
    assert one.reason.startswith("Traceback")
    assert one.reason.rstrip().endswith("ZeroDivisionError: of our own")
    assert [attempt.error for attempt in house.attempts(broken)] == [INTERRUPTED] * 3
    assert len(klaviyo.events()) == 10


@pytest.mark.usefixtures("poison")
def test_it_is_not_tried_again_at_once(house: House, connection: Connection) -> None:
    house.owe(connection, 1)
    house.bells.clear()
    house.send(connection)
    house.send(connection)

    assert len(house.attempts()) == 1
    assert house.bells == []


@pytest.mark.usefixtures("poison")
def test_of_a_bulk_job_nobody_knows_which_one_it_was(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    for number in range(2, 62):
        house.owe(connection, number, customer=number)
    house.send(connection, rush_at=50)
    assert {(one.status, one.deaths) for one in house.deliveries()} == {("retrying", 0)}
    house.clock.advance(minutes=1)
    house.settle(connection, rush_at=50)

    assert {(one.status, one.deaths) for one in house.deliveries()} == {("accepted", 0)}
    assert len(klaviyo.events()) == 60


@pytest.mark.usefixtures("poison")
def test_it_says_nothing_of_klaviyo(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    """Neither that it is back, nor that it fails."""
    house.owe(connection, 1)
    with house.db.write() as session:
        session.get_one(KlaviyoAccount, connection.account_id).failures = CIRCUIT_OPENS_AT - 1
    house.send(connection)

    with house.db.read() as session:
        assert session.get_one(KlaviyoAccount, connection.account_id).failures == CIRCUIT_OPENS_AT - 1
    assert lease_of(house, connection).wake_at is None
    assert klaviyo.requests() == []
