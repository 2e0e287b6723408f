"""Leases: one holder at a time, and who lost one can change nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from tests.building import NOON
from vrio_klaviyo.errors import LeaseLost
from vrio_klaviyo.store import leases
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.leases import LEASE_S, Lease, LeaseRow

LANE = "lane/ka_1"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def taken(database: Database, name: str = LANE, owner: str = "one", seconds: float = 0) -> Lease:
    lease = leases.acquire(database, name, owner, at(seconds))
    assert lease is not None
    return lease


def row(database: Database, name: str = LANE) -> LeaseRow:
    with database.read() as session:
        return session.get_one(LeaseRow, name)


def test_a_lease_that_nobody_has_is_given(database: Database) -> None:
    lease = taken(database)

    assert (lease.name, lease.fence, lease.wake_at) == (LANE, 1, None)
    assert (row(database).owner, row(database).until) == ("one", at(LEASE_S))


def test_a_lease_that_somebody_has_is_not_given(database: Database) -> None:
    taken(database)

    assert leases.acquire(database, LANE, "two", at(1)) is None
    assert leases.acquire(database, LANE, "one", at(1)) is None
    assert row(database).owner == "one"


def test_leases_of_other_names_are_free(database: Database) -> None:
    taken(database)

    assert taken(database, "lane/ka_2", "two")


@pytest.mark.parametrize(("seconds", "given"), [(LEASE_S, False), (LEASE_S + 0.001, True)])
def test_a_lease_that_has_ended_is_given_to_the_next(database: Database, seconds: float, given: bool) -> None:
    taken(database)

    assert (leases.acquire(database, LANE, "two", at(seconds)) is not None) is given


def test_the_fence_grows_with_every_holder(database: Database) -> None:
    first = taken(database)
    leases.release(database, first)
    second = taken(database, owner="two")
    third = taken(database, owner="three", seconds=LEASE_S + 1)

    assert [first.fence, second.fence, third.fence] == [1, 2, 3]


def test_a_lease_given_back_is_free_at_once(database: Database) -> None:
    leases.release(database, taken(database))

    assert taken(database, owner="two", seconds=0)


def test_the_next_holder_learns_when_to_wake(database: Database) -> None:
    leases.release(database, taken(database), wake_at=at(60))

    assert taken(database, owner="two", seconds=1).wake_at == at(60)
    assert row(database).wake_at == at(60)


def test_holding_prolongs_the_lease(database: Database) -> None:
    lease = taken(database)
    with database.write() as session:
        leases.hold(session, lease, at(30))

    assert row(database).until == at(30 + LEASE_S)
    assert leases.acquire(database, LANE, "two", at(LEASE_S + 1)) is None


def test_a_lease_that_has_ended_and_that_nobody_took_is_still_good(database: Database) -> None:
    lease = taken(database)
    with database.write() as session:
        leases.hold(session, lease, at(LEASE_S * 2))

    assert row(database).until == at(LEASE_S * 3)


def test_who_lost_the_lease_changes_nothing(database: Database) -> None:
    lease = taken(database)
    taken(database, owner="two", seconds=LEASE_S + 1)

    def write() -> None:
        with database.write() as session:
            session.add(LeaseRow(name="written in vain", fence=0))
            session.flush()
            leases.hold(session, lease, at(LEASE_S + 2))

    with pytest.raises(LeaseLost, match=LANE):
        write()
    with database.read() as session:
        assert session.get(LeaseRow, "written in vain") is None
    assert row(database).owner == "two"


def test_who_gave_the_lease_back_does_not_hold_it(database: Database) -> None:
    lease = taken(database)
    leases.release(database, lease)

    with pytest.raises(LeaseLost), database.write() as session:
        leases.hold(session, lease, at(1))


def test_giving_back_a_lease_that_was_lost_does_nothing(database: Database) -> None:
    lost = taken(database)
    taken(database, owner="two", seconds=LEASE_S + 1)
    leases.release(database, lost, wake_at=at(999))

    assert (row(database).owner, row(database).fence, row(database).wake_at) == ("two", 2, None)


@pytest.mark.parametrize("seconds", [0, LEASE_S + 1])
def test_of_many_who_ask_at_once_one_gets_it(database: Database, seconds: float) -> None:
    taken(database)
    if not seconds:
        leases.release(database, Lease(LANE, 1))
    with ThreadPoolExecutor(8) as threads:
        given = list(threads.map(lambda n: leases.acquire(database, LANE, f"{n}", at(seconds)), range(8)))

    winners = [lease for lease in given if lease]
    assert [lease.fence for lease in winners] == [2]


def test_of_many_who_ask_first_one_gets_it(database: Database) -> None:
    with ThreadPoolExecutor(8) as threads:
        given = list(threads.map(lambda n: leases.acquire(database, LANE, f"{n}", NOON), range(8)))

    assert len([lease for lease in given if lease]) == 1


def test_what_is_worked_on_or_waits_is_resting(database: Database) -> None:
    taken(database, "busy")
    taken(database, "dead", seconds=-LEASE_S - 1)
    leases.release(database, taken(database, "idle"))
    leases.release(database, taken(database, "asleep"), wake_at=at(1))
    leases.release(database, taken(database, "awake"), wake_at=at(0))
    with database.read() as session:
        assert leases.resting(session, NOON) == {"busy", "asleep"}


def test_a_sign_of_life_is_given_and_prolonged_by_one(database: Database) -> None:
    assert leases.keep(database, "clock", "one", at(0), 15)
    assert leases.keep(database, "clock", "one", at(10), 15)
    assert not leases.keep(database, "clock", "two", at(25), 15)
    assert row(database, "clock").owner == "one"
    assert leases.keep(database, "clock", "two", at(25.1), 15)
    assert not leases.keep(database, "clock", "one", at(26), 15)


def test_signs_of_life_are_counted_under_their_prefix(database: Database) -> None:
    leases.keep(database, "worker/a", "a", NOON, 30)
    leases.keep(database, "worker/b", "b", at(-31), 30)
    leases.keep(database, "worker%", "c", NOON, 30)
    leases.keep(database, "clock", "d", NOON, 30)
    with database.read() as session:
        assert leases.alive(session, "worker/", NOON) == 1
        assert leases.alive(session, "worker%", NOON) == 1
        assert leases.presences(session, "worker/") == {"worker/a": at(30), "worker/b": at(-1)}


@pytest.mark.parametrize(("ahead", "lives"), [(timedelta(minutes=2), 1), (timedelta(hours=2), 0)])
def test_a_sign_of_life_from_before_the_clock_was_set_back_is_none(
    database: Database, ahead: timedelta, lives: int
) -> None:
    leases.keep(database, "worker/a", "a", NOON + ahead, leases.WORKER_S)
    leases.keep(database, "clock", "b", NOON + ahead, leases.CLOCK_S)
    with database.read() as session:
        assert leases.alive(session, "worker/", NOON) == leases.alive(session, "clock", NOON) == lives


def test_signs_of_life_that_ended_are_forgotten(database: Database) -> None:
    leases.keep(database, "worker/a", "a", NOON, 30)
    leases.keep(database, "worker/b", "b", at(-3600), 30)
    taken(database, seconds=-7200)
    with database.write() as session:
        leases.forget(session, "worker/", before=at(-60))
    with database.read() as session:
        assert session.get(LeaseRow, "worker/b") is None
        assert session.get(LeaseRow, "worker/a") is not None
        assert session.get(LeaseRow, LANE) is not None


def test_what_a_dead_owner_held_is_free_and_what_others_hold_is_not(database: Database) -> None:
    lost = taken(database, owner="dead")
    taken(database, "lane/ka_2", "alive")
    with database.write() as session:
        assert leases.owners(session) == {"dead", "alive"}
        leases.free(session, "dead")

    assert taken(database, owner="two", seconds=1).fence == lost.fence + 1
    assert leases.acquire(database, "lane/ka_2", "two", at(1)) is None
    with pytest.raises(LeaseLost), database.write() as session:
        leases.hold(session, lost, at(2))
