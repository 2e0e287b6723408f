"""A plan tells beforehand what a replay would send."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from tests.bodies import declined
from tests.building import NOON, House
from tests.replaying.replayed import FAILED, failures, planned, start
from tests.steered import Klaviyo
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store import matches, retention
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.listing import Wanted


def test_a_plan_counts_and_sends_nothing(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    first, second, third, *_ = failures(house, connection, range(4))
    house.change(second, status="skipped", reason="no_email", dedup_key="x")
    house.change(third, status="skipped", reason="connection_paused", dedup_key="y")
    with house.db.write() as session:
        retention.empty_deliveries(session, [first.id], NOON)
    (plan,) = planned(house, Wanted(status=["failed", "skipped"]))

    assert (plan.connection.id, plan.count, plan.by_metric) == (connection.id, 2, {"Declined Order": 2})
    assert plan.left_out == {
        "The bodies were removed, and nothing is left to send.": 1,
        "The customer has no e-mail address, and Klaviyo knows people by it.": 1,
    }
    assert plan.oldest == NOON
    assert klaviyo.requests() == []
    replay = start(house, connection, Wanted(status=["failed", "skipped"]))
    assert replay.total == plan.count


def test_a_plan_leaves_out_what_was_promised_anew(house: House, connection: Connection) -> None:
    house.change(connection, active=False)
    house.post(declined())
    house.take_in()
    house.change(connection, active=True)
    house.post(declined() | {"webhook_event_id": 9999})
    house.take_in()
    (plan,) = planned(house, Wanted(status=["skipped"]))

    assert (plan.count, plan.left_out) == (0, {"The same was promised anew since.": 1})


def test_a_plan_is_made_for_each_connection(house: House, connection: Connection) -> None:
    other = house.connect("Other")
    failures(house, connection, range(2))
    with house.db.write() as session:
        session.execute(update(Delivery).values(status="failed", next_attempt_at=None, finished_at=NOON))

    assert [(plan.connection.id, plan.count) for plan in planned(house, FAILED)] == [(connection.id, 2), (other.id, 2)]
    assert [plan.count for plan in planned(house, Wanted(status=["failed"], connections=[other.id]))] == [2]


def wanted_count(house: House, **wanted: Any) -> int:
    return sum(plan.count for plan in planned(house, Wanted(status=["failed"], **wanted)))


def test_it_is_asked_for_by_what_it_is(house: House, connection: Connection) -> None:
    first, second, _ = failures(house, connection, range(3))
    house.change(first, reason="400 invalid /data")
    house.change(second, metric="Placed Order")
    tomorrow = datetime.now(NOON.tzinfo) + timedelta(days=1)

    assert wanted_count(house) == 3
    assert wanted_count(house, event=["Placed Order"]) == 1
    assert wanted_count(house, causes=["400 invalid /data"]) == 1
    assert wanted_count(house, causes=["nothing"]) == 0
    assert wanted_count(house, customers=[first.customer_id, second.customer_id]) == 2
    assert wanted_count(house, customers=[]) == 0
    assert wanted_count(house, since=tomorrow) == 0
    assert wanted_count(house, until=tomorrow) == 3
    with house.db.read() as session:
        assert matches.causes_like(session, house.source.workspace_id, "400") == ["400 invalid /data"]
        assert matches.causes_like(session, house.source.workspace_id, "%") == []


def test_what_goes_by_itself_cannot_be_asked_for(house: House, connection: Connection) -> None:
    with pytest.raises(InvalidInput, match="must say how the deliveries stand"):
        planned(house, Wanted())
