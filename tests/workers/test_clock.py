"""The clock: it rings for what is stranded or due, and for nothing else."""

from datetime import timedelta

import pytest
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from sqlalchemy import insert, update

from sandbox.redis_server import PrivateRedis
from tests.bodies import declined
from tests.building import House
from tests.workers.rounds import NOW, rung
from vrio_klaviyo import forgetting, replaying
from vrio_klaviyo.store import leases, replays
from vrio_klaviyo.store.connections import Connection, KeyStatus
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.key_checks import record_key
from vrio_klaviyo.store.leases import Lease
from vrio_klaviyo.store.listing import Wanted
from vrio_klaviyo.store.next_charges import NextCharge
from workers.bells import QUEUE, SERIALIZER
from workers.clock import WAITING_MOST, Clock


@pytest.fixture(autouse=True)
def retention_rests(database: Database) -> None:
    """What runs once a day has run just now."""
    lease = leases.acquire(database, forgetting.LEASE, "worker/1", NOW)
    assert lease is not None
    leases.release(database, lease, wake_at=NOW + forgetting.EVERY)


def test_with_nothing_to_do_nothing_is_rung(clock: Clock, connection: Connection, redis_url: str) -> None:
    clock.round(NOW)

    assert rung(redis_url) == []


def test_webhooks_that_nobody_looked_at_are_rung_for(clock: Clock, house: House, redis_url: str) -> None:
    house.post(declined(1))
    house.post(declined(2))
    clock.round(NOW)

    assert rung(redis_url) == [f"intake {house.source.id}"]


def test_deliveries_that_are_due_are_rung_for(
    clock: Clock, house: House, connection: Connection, redis_url: str
) -> None:
    house.post(declined())
    house.take_in()
    clock.round(NOW)

    assert rung(redis_url) == [f"lane {connection.account_id}"]


@pytest.mark.parametrize(("seconds", "count"), [(-1, 0), (0, 1)])
def test_deliveries_are_rung_for_when_their_time_has_come(
    clock: Clock, house: House, connection: Connection, redis_url: str, seconds: float, count: int
) -> None:
    house.post(declined())
    house.take_in()
    with house.db.write() as session:
        session.execute(update(Delivery).values(status="retrying", next_attempt_at=NOW + timedelta(seconds=30)))
    clock.round(NOW + timedelta(seconds=30 + seconds))

    assert len(rung(redis_url)) == count


@pytest.mark.parametrize("status", ["held", "accepted", "failed", "skipped"])
def test_what_is_not_owed_is_not_rung_for(
    clock: Clock, house: House, connection: Connection, redis_url: str, status: str
) -> None:
    house.post(declined())
    house.take_in()
    with house.db.write() as session:
        session.execute(update(Delivery).values(status=status))
    clock.round(NOW)

    assert rung(redis_url) == []


def test_what_somebody_works_on_is_not_rung_for(clock: Clock, house: House, redis_url: str) -> None:
    house.post(declined())
    leases.acquire(house.db, f"intake/{house.source.id}", "worker/1", NOW, seconds=35)
    clock.round(NOW)
    assert rung(redis_url) == []

    clock.round(NOW + timedelta(seconds=36))
    assert rung(redis_url) == [f"intake {house.source.id}"]


def test_a_lane_that_must_wait_is_rung_for_when_the_time_has_come(
    clock: Clock, house: House, connection: Connection, redis_url: str
) -> None:
    house.post(declined())
    house.take_in()
    name = f"lane/{connection.account_id}"
    leases.acquire(house.db, name, "worker/1", NOW)
    leases.release(house.db, Lease(name, 1), wake_at=NOW + timedelta(seconds=7))
    clock.round(NOW + timedelta(seconds=6))
    assert rung(redis_url) == []

    clock.round(NOW + timedelta(seconds=7))
    assert rung(redis_url) == [f"lane {connection.account_id}"]


def test_one_that_rests_does_not_keep_the_others_from_being_rung_for(
    clock: Clock, house: House, redis_url: str
) -> None:
    other = house.add_source("Other")
    house.post(declined())
    house.post(declined(), other)
    leases.acquire(house.db, f"intake/{house.source.id}", "worker/1", NOW)
    clock.round(NOW)

    assert rung(redis_url) == [f"intake {other.id}"]


def behind(redis_url: str, *waiting: tuple[str, str]) -> None:
    """These jobs wait, because workers are away."""
    with Redis.from_url(redis_url) as client:
        queue = Queue(QUEUE, connection=client, serializer=SERIALIZER)
        queue.enqueue_many(
            [
                Queue.prepare_data(f"workers.jobs.{job}", (subject,), description=f"{job} {subject}")
                for job, subject in waiting
            ]
        )


def bells_fall_silent(redis_url: str) -> None:
    """As they do by themselves before the next sweep."""
    with Redis.from_url(redis_url) as client:
        for name in client.keys("bell:*"):
            client.delete(name)


def test_what_waits_for_a_worker_is_not_rung_for_again(clock: Clock, house: House, redis_url: str) -> None:
    lanes = [house.connect(f"Klaviyo {number}") for number in range(5)]
    for number, connection in enumerate(lanes):
        house.owe(connection, number)
    house.post(declined())
    for _ in range(9):
        clock.round(NOW)
        bells_fall_silent(redis_url)

    due = [f"intake {house.source.id}", *(f"lane {connection.account_id}" for connection in lanes)]
    assert sorted(map(str, rung(redis_url))) == sorted(due)


def test_one_more_is_rung_for_while_others_wait_for_a_worker(
    clock: Clock, house: House, connection: Connection, redis_url: str
) -> None:
    behind(redis_url, *[("intake", house.source.id)] * WAITING_MOST)
    house.owe(connection)
    for _ in range(3):
        clock.round(NOW)
        bells_fall_silent(redis_url)

    assert rung(redis_url)[WAITING_MOST:] == [f"lane {connection.account_id}"]


def test_with_very_much_waiting_for_workers_one_is_rung_for_as_one_is_done(
    clock: Clock, house: House, redis_url: str
) -> None:
    behind(redis_url, *(("lane", f"ka_{number}") for number in range(WAITING_MOST)))
    house.post(declined())
    clock.round(NOW)
    assert len(rung(redis_url)) == WAITING_MOST

    with Redis.from_url(redis_url) as client:
        Queue(QUEUE, connection=client, serializer=SERIALIZER).pop_job_id()
    clock.round(NOW)
    assert rung(redis_url)[WAITING_MOST - 1 :] == [f"intake {house.source.id}"]


def test_a_job_of_which_redis_has_lost_all_but_its_place_keeps_nothing_from_being_rung_for(
    clock: Clock, house: House, redis_url: str
) -> None:
    house.post(declined())
    clock.round(NOW)
    with Redis.from_url(redis_url) as client:
        client.delete(*client.keys("rq:job:*"))
    for _ in range(2):
        bells_fall_silent(redis_url)
        clock.round(NOW)

    assert rung(redis_url) == [f"intake {house.source.id}"]


def test_while_workers_are_behind_the_rest_of_a_round_is_done(
    clock: Clock, house: House, connection: Connection, redis_url: str
) -> None:
    behind(redis_url, *(("lane", f"ka_{number}") for number in range(WAITING_MOST)))
    leases.keep(house.db, "worker/gone", "gone", NOW - timedelta(hours=2), leases.WORKER_S)
    lease = leases.acquire(house.db, f"lane/{connection.account_id}", "worker/1", NOW + timedelta(hours=9))
    assert lease
    clock.round(NOW)

    with house.db.read() as session:
        assert leases.presences(session, "worker/") == {}
        assert f"lane/{connection.account_id}" not in leases.resting(session, NOW)


def test_a_second_clock_is_idle_until_the_first_one_is_gone(
    clock: Clock, second_clock: Clock, house: House, redis_url: str
) -> None:
    clock.round(NOW)
    house.post(declined())
    second_clock.round(NOW + timedelta(seconds=3))
    assert rung(redis_url) == []

    second_clock.round(NOW + timedelta(seconds=16))
    assert rung(redis_url) == [f"intake {house.source.id}"]
    clock.round(NOW + timedelta(seconds=17))
    assert len(rung(redis_url)) == 1


@pytest.mark.parametrize(("minutes", "asked"), [(59, False), (61, True)])
def test_a_refused_key_is_asked_about_after_an_hour(
    clock: Clock, house: House, connection: Connection, redis_url: str, minutes: int, asked: bool
) -> None:
    with house.db.write() as session:
        record_key(session, connection.id, KeyStatus.REJECTED, "401", NOW)
    clock.round(NOW + timedelta(minutes=minutes))

    assert rung(redis_url) == ([f"recheck {connection.id}"] if asked else [])


def test_with_redis_away_the_round_fails_and_the_next_one_rings(
    clock: Clock, house: House, redis_url: str, redis_server: PrivateRedis
) -> None:
    house.post(declined())
    redis_server.stop()
    leases.keep(house.db, "worker/gone", "gone", NOW - timedelta(hours=2), leases.WORKER_S)
    with pytest.raises(RedisError):
        clock.round(NOW)
    with house.db.read() as session:
        assert leases.presences(session, "worker/") == {}
    redis_server.start()
    clock.round(NOW + timedelta(seconds=3))

    assert rung(redis_url) == [f"intake {house.source.id}"]


def test_what_runs_once_a_day_is_rung_for_when_the_day_is_over(clock: Clock, redis_url: str) -> None:
    clock.round(NOW + timedelta(hours=23))
    assert rung(redis_url) == []

    clock.round(NOW + timedelta(days=1))
    assert rung(redis_url) == ["retention daily"]


def test_a_replay_is_rung_for_until_it_is_over(
    clock: Clock, house: House, connection: Connection, redis_url: str
) -> None:
    house.post(declined())
    house.take_in()
    with house.db.write() as session:
        session.execute(update(Delivery).values(status="failed", next_attempt_at=None))
        replay = replaying.start(session, connection, Wanted(status=["failed"]), NOW, started_by="me")
    leases.acquire(house.db, f"replay/{replay.id}", "worker/1", NOW)
    leases.release(house.db, Lease(f"replay/{replay.id}", 1), wake_at=NOW + timedelta(seconds=5))
    clock.round(NOW + timedelta(seconds=4))
    assert rung(redis_url) == []

    clock.round(NOW + timedelta(seconds=5))
    assert rung(redis_url) == [f"replay {replay.id}"]
    with house.db.write() as session:
        replaying.stop(session, replays.find_replay(session, replay.id), NOW)
    with Redis.from_url(redis_url) as client:
        client.flushall()
    clock.round(NOW + timedelta(seconds=10))
    assert rung(redis_url) == []


def test_a_charge_that_is_near_is_announced_and_rung_for(clock: Clock, house: House, redis_url: str) -> None:
    house.change(house.connect(), metrics_on=["Upcoming Order"])
    due = {"source_id": house.source.id, "order_offer_id": "4001", "vrio_customer_id": "301"}
    with house.db.write() as session:
        session.execute(insert(NextCharge).values(due | {"due_at": NOW + timedelta(days=2)}))
    clock.round(NOW)

    assert rung(redis_url) == [f"intake {house.source.id}"]
