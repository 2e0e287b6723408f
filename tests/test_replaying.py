"""Replays: what is listed at the start goes again, once each, paced, behind live traffic, whatever dies in between."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.building import NOON, House, Klaviyo, declined
from vrio_klaviyo import replaying
from vrio_klaviyo.errors import InvalidInput, NotFound, Refused
from vrio_klaviyo.replaying import AHEAD_S, Plan, Replayer
from vrio_klaviyo.sending_again import HISTORY_AFTER, send_again
from vrio_klaviyo.store import deliveries, leases, matches, replays, retention
from vrio_klaviyo.store.connections import Connection, KeyStatus
from vrio_klaviyo.store.deliveries import BACKFILL, REPLAY, Delivery
from vrio_klaviyo.store.leases import LeaseRow
from vrio_klaviyo.store.listing import Wanted
from vrio_klaviyo.store.memory import RecordRow
from vrio_klaviyo.store.replays import Replay

FAILED = Wanted(status=["failed"])


def change(house: House, delivery: Delivery, **values: Any) -> None:
    with house.db.write() as session:
        session.execute(update(Delivery).where(Delivery.id == delivery.id).values(values))


def owe(house: House, numbers: range, *, at: str = "2026-08-30 11:00:00") -> None:
    for number in numbers:
        house.post(declined(number, customer=number, email=f"j{number}@acme.test", phone="", at=at))
    house.take_in()


def failures(house: House, connection: Connection, numbers: range, **how: Any) -> list[Delivery]:
    """Deliveries that were given up without having reached Klaviyo."""
    owe(house, numbers, **how)
    with house.db.write() as session:
        given_up = {"status": "failed", "reason": "503", "next_attempt_at": None, "finished_at": house.clock()}
        session.execute(update(Delivery).where(Delivery.connection_id == connection.id).values(given_up))
    return house.deliveries(connection)


def start(house: House, connection: Connection, wanted: Wanted = FAILED, **how: Any) -> Replay:
    with house.db.write() as session:
        return replaying.start(session, connection, wanted, house.clock(), started_by="command line", **how)


def ahead(house: House, replay: Replay) -> list[str]:
    """The list of a replay that has not begun."""
    with house.db.read() as session:
        return [delivery.id for _, delivery in replays.next_of(session, replay, 999)]


def advance(house: House, replay: Replay, owner: str = "worker/1") -> None:
    Replayer(db=house.db, ring=house.ring, now=house.clock).advance(replay.id, owner)


def run(house: House, connection: Connection, replay: Replay) -> Replay:
    """As many rounds as a replay takes, one every second, with the lane after each."""
    for _ in range(100):
        advance(house, replay)
        house.settle(connection)
        if status(house, replay).status != "running":
            return status(house, replay)
        house.clock.advance(seconds=1)
    raise AssertionError(f"it does not end: {results(house, replay)}")


def status(house: House, replay: Replay) -> Replay:
    with house.db.read() as session:
        return replays.find_replay(session, replay.id)


def results(house: House, replay: Replay) -> dict[str, int]:
    with house.db.read() as session:
        told = replays.results(session, replays.find_replay(session, replay.id))
    return {name: number for name, number in told.items() if number}


def planned(house: House, wanted: Wanted) -> list[Plan]:
    with house.db.read() as session:
        return replaying.plan(session, house.source.workspace_id, wanted)


def queued(house: House) -> list[Delivery]:
    return [delivery for delivery in house.deliveries() if delivery.status == "queued"]


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
    change(house, first, looked_at=house.clock())
    replay = start(house, connection, Wanted(status=["failed"], looked_at=False))

    assert ahead(house, replay) == [second.id]
    assert replay.wanted["looked_at"] is False


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


def test_a_list_of_nothing_is_refused_and_blocks_nobody(house: House, connection: Connection) -> None:
    with pytest.raises(Refused, match="No delivery that may be sent again matches"):
        start(house, connection)
    failures(house, connection, range(1))
    start(house, connection)


def test_what_fails_again_is_counted_and_listed(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    failures(house, connection, range(3))
    klaviyo.fault("status", status=400)
    replay = run(house, connection, start(house, connection))

    assert (replay.summary["accepted"], replay.summary["failed"]) == (2, 1)
    (failed,) = [one for one in house.deliveries() if one.status == "failed"]
    with house.db.read() as session:
        listed = [(one.id, reason) for one, reason in replays.failures(session, replay)]
    assert listed == [(failed.id, failed.reason)]


def test_what_cannot_pass_now_is_retried_like_anything_else(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    failures(house, connection, range(1))
    klaviyo.fault("status", status=503)
    replay = run(house, connection, start(house, connection))
    assert replay.summary["retrying"] == 1
    house.clock.advance(minutes=1)
    house.settle(connection)

    assert house.delivery().status == "accepted"
    assert [attempt.trigger for attempt in house.attempts()] == ["replay", "backoff"]
    # It was over when each had had its turn; what comes later is another story.
    assert results(house, replay) == {"retrying": 1}


def test_what_stands_otherwise_by_then_is_left_out(house: House, connection: Connection) -> None:
    first, second = failures(house, connection, range(2))
    replay = start(house, connection, rate=1)
    with house.db.write() as session:
        send_again(session, second.id, house.clock())
    house.settle(connection)
    run(house, connection, replay)

    assert results(house, replay) == {"accepted": 1, "left_out": 1}
    assert [len(house.attempts(one)) for one in (first, second)] == [1, 1]
    with house.db.read() as session:
        (missed,) = replays.failures(session, status(house, replay))
    assert missed[1] == "It stands otherwise since the list was made: it is accepted."


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


@pytest.mark.requirement("003-67")
def test_what_came_while_paused_is_replayed_afterwards(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    house.change(connection, active=False)
    owe(house, range(3))
    house.change(connection, active=True)
    run(house, connection, start(house, connection, Wanted(status=["skipped"])))

    assert len(klaviyo.events()) == 3


def test_a_plan_counts_and_sends_nothing(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    first, second, third, *_ = failures(house, connection, range(4))
    change(house, second, status="skipped", reason="no_email", dedup_key="x")
    change(house, third, status="skipped", reason="connection_paused", dedup_key="y")
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
    change(house, first, reason="400 invalid /data")
    change(house, second, metric="Placed Order")
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


def test_one_that_cannot_be_built_does_not_stop_the_others(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    first, *_ = failures(house, connection, range(1, 4))
    with house.db.write() as session:
        session.execute(update(RecordRow).where(RecordRow.vrio_customer_id == "1").values(body=b"nonsense"))
    replay = run(house, connection, start(house, connection, rebuild=True))

    assert (replay.summary["accepted"], replay.summary["left_out"]) == (2, 1)
    with house.db.read() as session:
        assert [(one.id, why) for one, why in replays.failures(session, replay)] == [
            (first.id, "Building it again failed (JSONDecodeError).")
        ]


def test_a_row_that_cannot_be_read_fails_in_the_lane_and_shows_why(house: House, connection: Connection) -> None:
    first, *_ = failures(house, connection, range(2))
    change(house, first, request=b"nonsense")
    replay = run(house, connection, start(house, connection))

    assert (replay.summary["accepted"], replay.summary["failed"]) == (1, 1)
    assert house.deliveries()[0].reason.startswith("Traceback")


def test_an_unknown_replay_is_not_found(house: House) -> None:
    with house.db.read() as session, pytest.raises(NotFound, match="rp_none"):
        replays.find_replay(session, "rp_none")


def test_a_bell_for_a_replay_that_is_not_there_is_no_harm(house: House, connection: Connection) -> None:
    failures(house, connection, range(1))
    with pytest.raises(NotFound):
        Replayer(db=house.db, ring=house.ring, now=house.clock).advance("rp_none", "worker/1")
