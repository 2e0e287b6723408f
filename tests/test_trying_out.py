"""A test event is a delivery like any other, but for its name, and it counts nowhere."""

import json
from datetime import timedelta

import pytest

from tests.bodies import declined
from tests.building import House
from vrio_klaviyo.errors import InvalidInput, Refused
from vrio_klaviyo.measuring import by_metric, measure
from vrio_klaviyo.store.connections import Connection, find_connection
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.ids import moment_of_id
from vrio_klaviyo.store.periods import Span, last_received
from vrio_klaviyo.store.sources import Source
from vrio_klaviyo.store.workspaces import find_workspace
from vrio_klaviyo.trying_out import send_test_event


def tried(house: House, connection: Connection, metric: str = "Placed Order", email: str = "mia@acme.test") -> Delivery:
    with house.db.write() as session:
        found = find_connection(session, connection.id)
        return send_test_event(session, found, metric, email, house.clock())


def test_a_test_event_reaches_klaviyo_with_its_mark_and_its_trigger(house: House, connection: Connection) -> None:
    delivery = tried(house, connection)
    house.settle(connection)

    assert delivery.unique_id.startswith("test_")
    (attempt,) = house.attempts(delivery)
    assert (attempt.trigger, attempt.response_status) == ("manual", 202)
    attributes = json.loads(attempt.request_body)["data"]["attributes"]
    assert (attributes["unique_id"], attributes["properties"]["VrioTest"]) == (delivery.unique_id, True)
    assert "value" not in attributes


def test_a_paused_connection_with_filters_sends_it_all_the_same(house: House, connection: Connection) -> None:
    house.change(connection, active=False, campaigns=["12"], metrics_off=["Placed Order"])
    tried(house, connection)
    house.settle(connection)

    assert house.delivery().status == "accepted"


def test_each_test_event_is_a_new_one(house: House, connection: Connection) -> None:
    assert len({tried(house, connection).unique_id for _ in range(2)}) == 2


def test_a_test_event_counts_in_no_figure(house: House, connection: Connection) -> None:
    tried(house, connection)
    house.post(declined())
    house.take_in()
    house.settle(connection)
    at = moment_of_id(house.deliveries()[0].id)
    since, until = at - timedelta(hours=1), at + timedelta(hours=1)

    with house.db.read() as session:
        found = measure(session, house.source.workspace_id, [connection.id], since, until)
        metrics = by_metric(session, [connection.id], Span(since, until), ["Placed Order", "Declined Order"])
        newest = last_received(session, [house.source.id])

    assert (found.totals.opened, found.totals.accepted, found.pipeline.webhooks) == (1, 1, 1)
    assert sum(bar.accepted for bar in found.bars) == 1
    assert list(metrics) == ["Declined Order"]
    assert newest is not None


def test_only_test_events_are_as_if_nothing_had_come(house: House, connection: Connection) -> None:
    tried(house, connection)

    with house.db.read() as session:
        assert last_received(session, [house.source.id]) is None


@pytest.mark.parametrize(("metric", "email"), [("Placed Order", "mia@acme"), ("Fun Event", "mia@acme.test")])
def test_what_cannot_be_sent_is_refused(house: House, connection: Connection, metric: str, email: str) -> None:
    with pytest.raises(InvalidInput):
        tried(house, connection, metric, email)
    assert house.deliveries() == []


def test_without_a_source_it_says_what_to_do_first(house: House, connection: Connection) -> None:
    with house.db.write() as session:
        session.delete(session.get_one(Source, house.source.id))
        assert find_workspace(session)

    with pytest.raises(Refused, match="make one first"):
        tried(house, connection)
