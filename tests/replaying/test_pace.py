"""A replay is paced, goes behind live traffic, and waits, stops and survives."""

import json

import pytest
from sqlalchemy import select

from tests.building import House
from tests.replaying.replayed import advance, failures, owe, queued, run, start, status
from tests.steered import Klaviyo
from vrio_klaviyo import replaying
from vrio_klaviyo.errors import NotFound, Refused
from vrio_klaviyo.replaying import AHEAD_S, Replayer
from vrio_klaviyo.store import leases, replays
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import REPLAY
from vrio_klaviyo.store.leases import LeaseRow


def test_it_goes_as_fast_as_it_was_asked_to_and_no_faster(house: House, connection: Connection) -> None:
    failures(house, connection, range(12))
    replay = start(house, connection, rate=3)
    released = []
    for _ in range(5):
        advance(house, replay)
        house.settle(connection)
        released.append(status(house, replay).released)
        house.clock.advance(seconds=1)

    assert released == [3, 6, 9, 12, 12]


def test_a_bell_that_rings_too_often_makes_it_no_faster(house: House, connection: Connection) -> None:
    failures(house, connection, range(12))
    replay = start(house, connection, rate=2)
    for _ in range(20):
        advance(house, replay)
        house.clock.advance(seconds=0.1)

    assert status(house, replay).released == 2 + 3


def test_it_does_not_run_ahead_of_a_lane_that_stands(house: House, connection: Connection) -> None:
    failures(house, connection, range(12))
    replay = start(house, connection, rate=1)
    for _ in range(20):
        advance(house, replay)
        house.clock.advance(seconds=1)

    assert status(house, replay).released == AHEAD_S == len(queued(house))


def test_it_goes_behind_what_comes_in(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    failures(house, connection, range(3))
    replay = start(house, connection)
    advance(house, replay)
    assert {one.lane_order for one in queued(house)} == {REPLAY}
    house.clock.advance(seconds=1)
    owe(house, range(3, 5))
    house.send(connection, senders=1)

    sent = [json.loads(request["body"])["data"]["attributes"]["unique_id"] for request in klaviyo.requests()]
    assert set(sent[:2]) == {"1003", "1004"}


def test_a_release_rings_the_lane(house: House, connection: Connection) -> None:
    failures(house, connection, range(1))
    house.bells.clear()
    advance(house, start(house, connection))

    assert house.bells == [("lane", connection.account_id)]


def test_a_worker_that_died_anywhere_is_no_loss_and_no_repeat(house: House, connection: Connection) -> None:
    """What is released and how far the list has come are one transaction; a lease ends by itself."""
    failures(house, connection, range(6))
    replay = start(house, connection, rate=2)
    advance(house, replay)
    assert leases.acquire(house.db, f"replay/{replay.id}", "worker/dead", house.clock()) is not None
    house.clock.advance(seconds=1)
    advance(house, replay)
    assert status(house, replay).released == 2
    house.clock.advance(seconds=leases.LEASE_S + 1)
    ended = run(house, connection, replay)

    assert (ended.status, ended.summary["accepted"]) == ("done", 6)
    assert {len(house.attempts(one)) for one in house.deliveries()} == {1}


def test_it_stops_when_told_to(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    failures(house, connection, range(6))
    replay = start(house, connection, rate=2)
    advance(house, replay)
    with house.db.write() as session:
        replaying.stop(session, replays.find_replay(session, replay.id), house.clock())
    house.clock.advance(seconds=5)
    advance(house, replay)
    house.settle(connection)

    stopped = status(house, replay)
    assert (stopped.status, stopped.released) == ("stopped", 2)
    # What was in the lane already goes out.
    assert len(klaviyo.events()) == 2
    assert [one.status for one in house.deliveries()].count("failed") == 4
    with pytest.raises(Refused, match="is over already"), house.db.write() as session:
        replaying.stop(session, replays.find_replay(session, replay.id), house.clock())


def test_when_it_is_over_nothing_of_it_is_left_to_be_rung_for(house: House, connection: Connection) -> None:
    failures(house, connection, range(1))
    replay = run(house, connection, start(house, connection))
    advance(house, replay)

    with house.db.read() as session:
        assert replays.running(session) == []
        assert not [name for name in session.scalars(select(LeaseRow.name)) if name.startswith("replay/")]


def test_a_pause_in_between_is_waited_out(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    failures(house, connection, range(4))
    replay = start(house, connection, rate=2)
    advance(house, replay)
    house.settle(connection)
    house.change(connection, active=False)
    for _ in range(5):
        house.clock.advance(seconds=1)
        advance(house, replay)
        house.settle(connection)
    waiting = status(house, replay)
    assert (waiting.status, waiting.released) == ("running", 2)
    assert replaying.waits_because(waiting, house.connection(connection)) == "The connection is paused."
    house.change(connection, active=True)
    run(house, connection, replay)

    assert len(klaviyo.events()) == 4


def test_a_paused_connection_replays_only_when_that_is_asked_for(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    failures(house, connection, range(2))
    house.change(connection, active=False)
    paused = house.connection(connection)

    with pytest.raises(Refused, match="Klaviyo is paused"):
        start(house, paused)
    replay = run(house, connection, start(house, paused, despite_pause=True))
    assert replay.summary["accepted"] == 2
    assert not house.connection(connection).active


def test_an_unknown_replay_is_not_found(house: House) -> None:
    with house.db.read() as session, pytest.raises(NotFound, match="rp_none"):
        replays.find_replay(session, "rp_none")


def test_a_bell_for_a_replay_that_is_not_there_is_no_harm(house: House, connection: Connection) -> None:
    failures(house, connection, range(1))
    with pytest.raises(NotFound):
        Replayer(db=house.db, ring=house.ring, now=house.clock).advance("rp_none", "worker/1")
