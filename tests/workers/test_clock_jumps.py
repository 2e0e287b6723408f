"""The machine's clock jumps, and the rounds go on: nothing stands still until it has caught up."""

from datetime import datetime, timedelta

import pytest
from redis import Redis
from sqlalchemy import update

from tests.bodies import declined
from tests.building import House
from tests.workers.rounds import NOW, rung
from vrio_klaviyo import forgetting, replaying
from vrio_klaviyo.store import inbound, leases
from vrio_klaviyo.store.connections import Connection, KeyStatus
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.key_checks import record_key
from vrio_klaviyo.store.leases import Lease
from vrio_klaviyo.store.listing import Wanted
from workers.clock import Clock

TWO_YEARS = 2 * 365 * 24
HOURS = pytest.mark.parametrize("hours", [2, TWO_YEARS])
THEN = NOW + timedelta(hours=30)


def rests(house: House, name: str, wake_at: datetime) -> None:
    """A job has ended, and is to be called at that time."""
    lease = leases.acquire(house.db, name, "worker/1", house.clock())
    assert lease is not None
    leases.release(house.db, Lease(name, lease.fence), wake_at=wake_at)


def owes(house: House, **values: object) -> None:
    with house.db.write() as session:
        session.execute(update(Delivery).values(values))


def asked_for(redis_url: str) -> set[str | None]:
    """What is rung for; as if it had been answered."""
    found = set(rung(redis_url))
    with Redis.from_url(redis_url) as client:
        client.flushall()
    return found - {"retention daily"}


@HOURS
def test_what_was_left_by_a_clock_that_was_set_back_is_rung_for_at_once(
    clock: Clock, house: House, connection: Connection, redis_url: str, hours: int
) -> None:
    house.clock.advance(hours=hours)
    house.post(declined(1))
    house.take_in()
    house.post(declined(2))
    # Who had these leases is dead, and was on another machine, so that nobody can see it.
    leases.acquire(house.db, f"intake/{house.source.id}", "elsewhere/1", house.clock())
    rests(house, f"lane/{connection.account_id}", house.clock() + timedelta(minutes=1))
    clock.round(NOW)

    assert asked_for(redis_url) == {f"intake {house.source.id}", f"lane {connection.account_id}"}
    assert leases.acquire(house.db, f"intake/{house.source.id}", "worker/2", NOW)


@pytest.mark.parametrize("minutes", [5, 50])
def test_a_lane_that_was_to_rest_for_a_moment_does_so_though_the_clock_was_set_back_by_less_than_an_hour(
    clock: Clock, house: House, connection: Connection, redis_url: str, minutes: int
) -> None:
    ahead = NOW + timedelta(minutes=minutes)
    house.owe(connection)
    clock.round(ahead)
    asked_for(redis_url)
    rests(house, f"lane/{connection.account_id}", ahead + timedelta(seconds=1))
    clock.round(NOW)

    assert f"lane {connection.account_id}" in asked_for(redis_url)


@pytest.mark.parametrize(("tries", "wait_s"), [(1, 5), (4, 600), (13, 43_200)])
def test_a_retry_waits_no_longer_than_it_would_have(
    clock: Clock, house: House, connection: Connection, redis_url: str, tries: int, wait_s: int
) -> None:
    house.clock.now = THEN
    house.post(declined())
    house.take_in()
    next_attempt_at = house.clock() + timedelta(seconds=wait_s)
    owes(house, status="retrying", tries=tries, next_attempt_at=next_attempt_at)
    clock.round(NOW)
    asked_for(redis_url)
    clock.round(NOW + timedelta(seconds=1.2 * wait_s, minutes=3))

    assert asked_for(redis_url) == {f"lane {connection.account_id}"}


def test_what_waits_as_it_was_told_to_is_left_alone(
    clock: Clock, house: House, connection: Connection, redis_url: str
) -> None:
    house.post(declined())
    house.take_in()
    owes(house, status="retrying", tries=10, next_attempt_at=NOW + timedelta(hours=14))
    rests(house, f"lane/{connection.account_id}", NOW + timedelta(hours=1))
    rests(house, forgetting.LEASE, NOW + forgetting.PUT_OFF)
    leases.acquire(house.db, f"intake/{house.source.id}", "worker/1", NOW)
    with house.db.read() as session:
        before = leases.resting(session, NOW)
    clock.round(NOW)

    assert rung(redis_url) == []
    assert house.delivery().next_attempt_at == NOW + timedelta(hours=14)
    with house.db.read() as session:
        assert leases.resting(session, NOW) - {"clock"} == before


def test_a_clock_on_another_machine_that_died_in_the_future_keeps_no_other_from_going(
    clock: Clock, second_clock: Clock, house: House, redis_url: str
) -> None:
    clock.round(THEN)
    asked_for(redis_url)
    house.post(declined())
    second_clock.round(NOW)

    assert asked_for(redis_url) == {f"intake {house.source.id}"}


def test_two_clocks_whose_machines_differ_by_a_minute_do_not_take_turns(
    clock: Clock, second_clock: Clock, house: House, redis_url: str
) -> None:
    clock.round(NOW + timedelta(minutes=1))
    house.post(declined())
    second_clock.round(NOW)

    assert asked_for(redis_url) == set()


@pytest.mark.parametrize("hours", [-TWO_YEARS, -2, 2, TWO_YEARS])
def test_the_clock_itself_goes_on_after_a_jump_and_after_the_way_back(
    clock: Clock, house: House, redis_url: str, hours: int
) -> None:
    house.post(declined())
    for moment in (NOW, NOW + timedelta(hours=hours), NOW):
        clock.round(moment)
        assert f"intake {house.source.id}" in asked_for(redis_url)


def test_a_refused_key_is_asked_about_an_hour_after_the_clock_was_set_back(
    clock: Clock, house: House, connection: Connection, redis_url: str
) -> None:
    with house.db.write() as session:
        record_key(session, connection.id, KeyStatus.REJECTED, "401", THEN)
    clock.round(NOW)
    assert asked_for(redis_url) == set()
    clock.round(NOW + timedelta(minutes=63))

    assert asked_for(redis_url) == {f"recheck {connection.id}"}


def test_a_question_to_vrio_is_asked_again_after_the_clock_was_set_back(
    clock: Clock, house: House, redis_url: str
) -> None:
    inbound_id = house.post(declined())
    with house.db.write() as session:
        event = session.get_one(InboundEvent, inbound_id)
        inbound.wait(session, event, "", "Vrio was asked.", THEN)
    clock.round(NOW)

    assert asked_for(redis_url) == {f"intake {house.source.id}"}


def test_a_replay_goes_on_after_the_clock_was_set_back(
    clock: Clock, house: House, connection: Connection, redis_url: str
) -> None:
    house.post(declined())
    house.take_in()
    owes(house, status="failed", next_attempt_at=None)
    house.clock.now = THEN
    with house.db.write() as session:
        replay = replaying.start(session, connection, Wanted(status=["failed"]), house.clock(), started_by="me")
    rests(house, f"replay/{replay.id}", house.clock() + timedelta(seconds=0.5))
    clock.round(NOW)

    assert asked_for(redis_url) == {f"replay {replay.id}"}


def test_retention_goes_on_after_the_clock_was_set_back(clock: Clock, house: House, redis_url: str) -> None:
    rests(house, forgetting.LEASE, THEN + forgetting.EVERY)
    clock.round(NOW)
    with Redis.from_url(redis_url) as client:
        client.flushall()
    clock.round(NOW + forgetting.PUT_OFF + timedelta(minutes=3))

    assert rung(redis_url) == ["retention daily"]
