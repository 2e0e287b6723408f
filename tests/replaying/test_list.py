"""What is listed at the start goes again, once each, and nothing else."""

from datetime import timedelta
from typing import Any

import pytest

from tests.building import House
from tests.replaying.replayed import advance, failures, owe, queued, run, start
from tests.steered import Klaviyo
from vrio_klaviyo import replaying
from vrio_klaviyo.errors import Refused
from vrio_klaviyo.sending_again import HISTORY_AFTER
from vrio_klaviyo.store import deliveries, replays
from vrio_klaviyo.store.connections import Connection, KeyStatus
from vrio_klaviyo.store.deliveries import BACKFILL, REPLAY
from vrio_klaviyo.store.listing import Wanted
from vrio_klaviyo.store.replays import Replay


def ahead(house: House, replay: Replay) -> list[str]:
    """The list of a replay that has not begun."""
    with house.db.read() as session:
        return [delivery.id for _, delivery in replays.next_of(session, replay, 999)]


def test_what_failed_goes_again_under_its_own_id(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    before = failures(house, connection, range(7))
    replay = run(house, connection, start(house, connection))

    assert sorted(event["unique_id"] for event in klaviyo.events()) == [str(1000 + number) for number in range(7)]
    after = house.deliveries()
    assert [one.id for one in after] == [one.id for one in before]
    assert {one.status for one in after} == {"accepted"}
    assert [[a.trigger for a in house.attempts(one)] for one in after] == [["replay"]] * 7
    assert (replay.status, replay.total, replay.released) == ("done", 7, 7)
    assert replay.summary == dict.fromkeys(map(str, deliveries.DeliveryStatus), 0) | {"accepted": 7, "left_out": 0}
    assert replay.ended_at is not None


def test_the_list_is_frozen_at_the_start(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    failures(house, connection, range(2))
    replay = start(house, connection)
    failures(house, connection, range(2, 4))
    run(house, connection, replay)

    assert sorted(event["unique_id"] for event in klaviyo.events()) == ["1000", "1001"]


def test_only_those_that_were_chosen_go(house: House, connection: Connection) -> None:
    first, _, third = failures(house, connection, range(3))
    wanted = Wanted(status=["failed"], ids=[first.id, third.id, "dl_none"])
    with house.db.read() as session:
        assert [each.count for each in replaying.plan(session, house.source.workspace_id, wanted)] == [2]
    replay = start(house, connection, wanted)

    assert ahead(house, replay) == [first.id, third.id]
    assert replay.wanted == {"status": ["failed"], "ids": [first.id, third.id, "dl_none"]}


def test_what_was_looked_at_is_left_out_when_that_is_asked_for(house: House, connection: Connection) -> None:
    first, second = failures(house, connection, range(2))
    house.change(first, looked_at=house.clock())
    replay = start(house, connection, Wanted(status=["failed"], looked_at=False))

    assert ahead(house, replay) == [second.id]
    assert replay.wanted["looked_at"] is False


@pytest.mark.requirement("003-67")
def test_what_came_while_paused_is_replayed_afterwards(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    house.change(connection, active=False)
    owe(house, range(3))
    house.change(connection, active=True)
    run(house, connection, start(house, connection, Wanted(status=["skipped"])))

    assert len(klaviyo.events()) == 3


def test_the_same_body_or_built_again(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("status", status=400, times=4)
    owe(house, range(4))
    house.settle(connection)
    house.change(connection, typed=True)
    two = Wanted(status=["failed"], customers=[one.customer_id or "" for one in house.deliveries()[:2]])
    run(house, connection, start(house, connection, two))
    run(house, connection, start(house, connection, rebuild=True))

    same = [len({attempt.request_body for attempt in house.attempts(one)}) for one in house.deliveries()]
    assert same == [1, 1, 2, 2]


@pytest.mark.parametrize(("age", "backfill"), [(HISTORY_AFTER - timedelta(hours=1), None), (HISTORY_AFTER, True)])
def test_what_is_history_starts_no_flow(
    house: House, connection: Connection, klaviyo: Klaviyo, age: timedelta, backfill: bool | None
) -> None:
    at = house.clock() - age - timedelta(minutes=1)
    klaviyo.fault("status", status=400)
    owe(house, range(1), at=at.strftime("%Y-%m-%d %H:%M:%S"))
    house.settle(connection)
    replay = start(house, connection)
    advance(house, replay)
    assert [one.lane_order for one in queued(house)] == [BACKFILL if backfill else REPLAY]
    run(house, connection, replay)

    (event,) = klaviyo.events()
    assert event["backfill"] is backfill
    assert house.delivery().status == "accepted"


def test_a_list_of_nothing_is_refused_and_blocks_nobody(house: House, connection: Connection) -> None:
    with pytest.raises(Refused, match="No delivery that may be sent again matches"):
        start(house, connection)
    failures(house, connection, range(1))
    start(house, connection)


def test_one_connection_has_one_replay_at_a_time(house: House, connection: Connection) -> None:
    other = house.connect("Other")
    failures(house, connection, range(2))
    failures(house, other, range(2, 4))
    first = start(house, connection)

    with pytest.raises(Refused, match="Another replay is under way for Klaviyo"):
        start(house, connection)
    start(house, other)
    run(house, connection, first)
    failures(house, connection, range(4, 5))
    start(house, connection)


@pytest.mark.parametrize(
    ("switch", "sentence"),
    [({"push_events": False}, "Push Events is off"), ({"key_status": KeyStatus.REJECTED}, "does not take the key")],
)
def test_what_would_all_be_stopped_again_is_not_begun(
    house: House, connection: Connection, switch: dict[str, Any], sentence: str
) -> None:
    failures(house, connection, range(1))
    house.change(connection, **switch)

    with pytest.raises(Refused, match=sentence):
        start(house, house.connection(connection))
