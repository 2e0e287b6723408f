"""A replay comes to its end, and its summary adds up, whatever goes away or breaks meanwhile."""

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, func, select, text, update

from tests.building import House
from tests.databases import PostgresServer
from tests.replaying.replayed import advance, failures, owe, queued, results, run, start, status
from tests.steered import Klaviyo
from vrio_klaviyo import replaying
from vrio_klaviyo.errors import Refused
from vrio_klaviyo.forgetting import Forgetter, Kept
from vrio_klaviyo.store import replays
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.leases import LeaseRow
from vrio_klaviyo.store.listing import Wanted
from vrio_klaviyo.store.replays import Replay, ReplayItem

A_MONTH = Kept(bodies=timedelta(days=30), rows=timedelta(days=30))
NOT_SENT = Wanted(status=["skipped"])


def total_of(replay: Replay) -> int:
    return sum(replay.summary.values())


@pytest.mark.parametrize("gone", [range(2, 6), range(2, 10), range(10)], ids=["some", "the rest", "all"])
def test_places_that_are_gone_are_passed_over(house: House, connection: Connection, gone: range) -> None:
    failures(house, connection, range(10))
    replay = start(house, connection, rate=2)
    with house.db.write() as session:
        session.execute(delete(ReplayItem).where(ReplayItem.place.in_(gone)))
    ended = run(house, connection, replay)

    left = 10 - len(gone)
    assert (ended.status, ended.released, ended.total) == ("done", 10, 10)
    assert (ended.summary["accepted"], ended.summary["left_out"]) == (left, len(gone))
    assert [len(house.attempts(one)) for one in house.deliveries()].count(1) == left


def test_what_a_replay_lists_stays_until_it_is_over(house: House, klaviyo: Klaviyo) -> None:
    # Ids hold the time of this computer.
    house.clock.now = datetime.now(UTC)
    connection = house.connect()
    failures(house, connection, range(6))
    house.clock.advance(days=29.9)
    replay = start(house, connection, rate=2)
    advance(house, replay)
    house.settle(connection)
    house.clock.advance(days=0.2)
    forgetter = Forgetter(db=house.db, kept=A_MONTH, now=house.clock)

    assert forgetter.forget("worker/1", at_once=True).webhooks == 0
    ended = run(house, connection, replay)
    assert (ended.status, total_of(ended)) == ("done", 6)
    # Their bodies went all the same.
    assert (ended.summary["accepted"], ended.summary["left_out"]) == (2, 4)
    assert forgetter.forget("worker/1", at_once=True).webhooks == 4
    with house.db.read() as session:
        assert session.scalar(select(func.count()).select_from(InboundEvent)) == 2


@pytest.fixture
def broken(house: House, connection: Connection) -> Iterator[Delivery]:
    """One of three that were not sent: neither its webhook nor what was kept of it can be read."""
    house.change(connection, active=False)
    owe(house, range(3))
    house.change(connection, active=True)
    one = house.deliveries()[1]
    house.change(one, request=b"nonsense")
    with house.db.write() as session:
        came = update(InboundEvent).where(InboundEvent.id == one.inbound_event_id)
        session.execute(came.values(body=b"", body_removed_at=house.clock()))
    return one


def test_one_that_breaks_is_left_out_and_the_others_go(house: House, connection: Connection, broken: Delivery) -> None:
    ended = run(house, connection, start(house, connection, NOT_SENT))

    assert (ended.status, ended.summary["accepted"], ended.summary["left_out"]) == ("done", 2, 1)
    with house.db.read() as session:
        assert [(one.id, why) for one, why in replays.failures(session, ended)] == [
            (broken.id, "Queueing it again failed (JSONDecodeError).")
        ]
    failures(house, connection, range(3, 4))
    start(house, connection)


def waits_for_a_lock(house: House) -> bool:
    with house.db.read() as session:
        return bool(session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


@pytest.fixture
def on_postgresql(postgres_server: PostgresServer) -> Iterator[House]:
    """A house where several write at a time."""
    with postgres_server.fresh(migrated=True) as url, closing(Database(url)) as db, closing(House(db)) as house:
        yield house


def test_what_is_stopped_before_its_first_round_sends_nothing(on_postgresql: House) -> None:
    house, connection = on_postgresql, on_postgresql.connect()
    failures(house, connection, range(6))
    replay = start(house, connection)
    with house.db.read() as session:
        assert session.get(LeaseRow, f"replay/{replay.id}") is None
    round_ = threading.Thread(target=advance, args=(house, replay))
    with house.db.write() as session:
        replaying.stop(session, replays.find_replay(session, replay.id), house.clock())
        round_.start()
        while round_.is_alive() and not waits_for_a_lock(house):
            round_.join(0.01)
    round_.join()

    assert queued(house) == []
    stopped = status(house, replay)
    assert (stopped.status, stopped.released, total_of(stopped)) == ("stopped", 0, 0)
    assert results(house, replay) == {}


def test_what_is_archived_is_not_begun(house: House, connection: Connection) -> None:
    failures(house, connection, range(2))
    other = house.connect("Other")
    failures(house, other, range(2, 4))
    house.change(connection, active=False, archived_at=house.clock())

    with pytest.raises(Refused, match="Klaviyo is archived"):
        start(house, house.connection(connection), despite_pause=True)
    with house.db.read() as session:
        plans = replaying.plan(session, house.source.workspace_id, Wanted(status=["failed"]))
    assert [(plan.connection.name, plan.count, plan.oldest is None) for plan in plans] == [
        ("Klaviyo", 0, True),
        ("Other", 2, False),
    ]
    assert plans[0].left_out == {"The connection is archived.": 2}
