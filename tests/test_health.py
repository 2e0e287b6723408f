"""Health: a finding for every part, every fault with a sentence and a command."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.bodies import declined
from tests.building import House, emptied
from tests.steered import klaviyo_served
from vrio_klaviyo.findings import Finding, State
from vrio_klaviyo.health import RedisFacts, of_installation, of_klaviyo, of_redis
from vrio_klaviyo.store import leases
from vrio_klaviyo.store.accounts import keep_pace
from vrio_klaviyo.store.connections import KeyStatus
from vrio_klaviyo.store.crypto import Vault, new_key
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.inbound import InboundStatus, find_inbound

GOOD_REDIS = RedisFacts("7.0.15", 0.4, "noeviction", 1_000_000, 0, 0.0)


@pytest.fixture
def house(standing: Database) -> Iterator[House]:
    house = House(emptied(standing))
    house.clock.now = datetime.now(UTC)
    for name in ("worker/host/1", "clock"):
        leases.keep(house.db, name, "host/1", house.clock(), 30)
    yield house
    house.close()


def found(house: House, redis: RedisFacts | None = GOOD_REDIS) -> dict[str, Finding]:
    findings = [*of_installation(house.db, house.vault, house.clock()), *of_redis(redis)]
    return {finding.name: finding for finding in findings}


def test_all_is_well_while_everything_runs(house: House) -> None:
    house.connect()
    house.post(declined())
    house.take_in()

    states = {name: finding.state for name, finding in found(house).items()}

    assert set(states) == {
        *(
            "database",
            "migrations",
            "redis",
            "maxmemory-policy",
            "worker",
            "clock",
            "lanes",
            "webhooks",
            "queue",
            "keys",
        )
    }
    assert set(states.values()) == {State.OK}


def test_processes_that_do_not_run_are_faults_with_the_command_that_starts_them(house: House) -> None:
    house.clock.advance(minutes=5)

    findings = found(house)

    assert [(findings[name].state, findings[name].command) for name in ("worker", "clock")] == [
        (State.FAULT, "flask worker"),
        (State.FAULT, "flask clock"),
    ]


def test_every_process_says_when_it_was_heard_of(house: House) -> None:
    leases.keep(house.db, "worker/host/2", "host/2", house.clock(), leases.WORKER_S)
    house.clock.advance(seconds=8)
    leases.keep(house.db, "clock", "host/1", house.clock(), leases.CLOCK_S)

    findings = found(house)

    assert findings["worker"].sentence == "2 at work: host/1 (heard of 8 s ago), host/2 (heard of 8 s ago)"
    assert findings["clock"].sentence == "goes, heard of 0 s ago"


def test_a_worker_that_was_killed_is_named_while_another_one_works(house: House) -> None:
    house.clock.advance(minutes=12)
    leases.keep(house.db, "worker/host/2", "host/2", house.clock(), leases.WORKER_S)

    finding = found(house)["worker"]

    assert finding.state == State.OK
    assert finding.sentence == "1 at work: host/2 (heard of 0 s ago); host/1 ended 12 min ago without a word"


def test_processes_that_were_heard_of_before_the_clock_was_set_back_are_not_taken_to_live(house: House) -> None:
    house.clock.advance(hours=-2)

    findings = found(house)

    assert [findings[name].state for name in ("worker", "clock")] == [State.FAULT, State.FAULT]
    leases.keep(house.db, "worker/host/2", "host/2", house.clock(), leases.WORKER_S)
    assert found(house)["worker"].sentence == (
        "1 at work: host/2 (heard of 0 s ago); host/1 not heard of since this machine's clock was set back"
    )


def test_a_lane_that_stands_still_says_why_and_until_when(house: House) -> None:
    account_id = house.connect().account_id
    with house.db.write() as session:
        keep_pace(session, account_id, {}, 7)
    lease = leases.acquire(house.db, f"lane/{account_id}", "worker/1", house.clock())
    assert lease
    again_at = house.clock() + timedelta(seconds=40)
    leases.release(house.db, lease, again_at)

    finding = found(house)[account_id]

    assert finding.state == State.WARNING
    assert (
        finding.sentence == f"Klaviyo failed 7 times in a row for {account_id}, asked again at {again_at:%H:%M:%S} UTC."
    )
    house.clock.advance(minutes=1)
    assert "asked again" not in found(house)[account_id].sentence


def test_a_lane_that_waits_for_the_limits_is_well(house: House) -> None:
    lease = leases.acquire(house.db, f"lane/{house.connect().account_id}", "worker/1", house.clock())
    assert lease
    leases.release(house.db, lease, house.clock() + timedelta(seconds=1))

    assert found(house)["lanes"].state == State.OK
    assert found(house)["lanes"].sentence == "none of 1 stands still, 1 wait for Klaviyo's limits"


def test_a_redis_that_is_away_is_a_fault(house: House) -> None:
    assert found(house, None)["redis"].state == State.FAULT


def test_a_redis_that_answers_and_takes_nothing_in_is_a_fault(house: House) -> None:
    finding = found(house, replace(GOOD_REDIS, refuses="used memory > 'maxmemory'"))["redis"]

    assert finding.state == State.FAULT
    assert finding.sentence.startswith("It answers and takes nothing in (used memory > 'maxmemory')")


@pytest.mark.parametrize(
    ("facts", "name", "state"),
    [
        (replace(GOOD_REDIS, policy="allkeys-lru"), "maxmemory-policy", State.WARNING),
        (replace(GOOD_REDIS, policy=""), "maxmemory-policy", State.UNKNOWN),
        (replace(GOOD_REDIS, off_s=-90), "redis", State.WARNING),
    ],
)
def test_a_redis_that_is_set_wrongly_is_worth_a_look(facts: RedisFacts, name: str, state: State) -> None:
    assert state in {finding.state for finding in of_redis(facts) if finding.name == name}


def test_a_secret_that_no_key_opens_is_a_fault_and_one_of_an_older_key_a_warning(house: House) -> None:
    connection, newer = house.connect(), new_key()
    house.vault = Vault([newer])
    shut = found(house)
    assert shut[connection.id].state == shut[house.source.id].state == State.FAULT

    with house.db.write() as session:
        older = Vault([key := new_key()])
        row = session.merge(connection)
        row.key_sealed = older.seal("pk_x", row.workspace_id, row.id)
        source = session.merge(house.source)
        source.key_sealed = older.seal("x", source.workspace_id, source.id)
    house.vault = Vault([newer, key])
    assert found(house)["keys"].command == "flask key rotate"


def test_what_waits_for_too_long_and_what_does_not_come_are_warnings(house: House) -> None:
    connection = house.connect()
    house.owe(connection)
    house.clock.advance(days=2, hours=1)
    for name in ("worker/host/1", "clock"):
        leases.keep(house.db, name, "host/1", house.clock(), 30)

    findings = found(house)

    assert findings["queue"].state == State.WARNING
    assert "the oldest for 2 d" in findings["queue"].sentence
    assert findings["webhooks"].state == State.WARNING


def test_webhooks_that_nobody_reads_are_a_warning_though_a_worker_lives(house: House) -> None:
    house.post(declined())
    house.clock.advance(minutes=11, seconds=30)
    for name in ("worker/host/1", "clock"):
        leases.keep(house.db, name, "host/1", house.clock(), 30)

    finding = found(house)["queue"]

    assert finding.state == State.WARNING
    assert finding.sentence == "webhooks unread: 1, the oldest for 11 min, deliveries waiting: 0"
    assert finding.command == "flask inbound list --status received"


def test_what_was_set_aside_is_a_warning_as_long_as_it_can_be_worked_off_again(house: House) -> None:
    assert "set aside" not in found(house)
    inbound_id = house.post(declined())
    with house.db.write() as session:
        find_inbound(session, inbound_id).status = InboundStatus.FAILED

    finding = found(house)["set aside"]
    assert finding.state == State.WARNING
    assert finding.sentence == "webhooks that workers died of: 1"
    assert finding.command == "flask inbound list --status failed"

    with house.db.write() as session:
        find_inbound(session, inbound_id).body_removed_at = house.clock()
    assert "set aside" not in found(house)


def test_a_rejected_key_is_a_fault_while_the_connection_is_active(house: House) -> None:
    connection = house.connect()
    house.change(connection, key_status=KeyStatus.REJECTED)
    assert found(house)[connection.id].command == f"flask connection check {connection.id}"

    house.change(connection, active=False)
    assert connection.id not in found(house)


def test_klaviyo_is_there_when_it_answers_anything_at_all(house: House) -> None:
    with klaviyo_served() as served:
        there = list(of_klaviyo(house.http, served.url, datetime.now(UTC)))
        off = list(of_klaviyo(house.http, served.url, datetime.now(UTC) + timedelta(hours=1)))
    away = list(of_klaviyo(house.http, "http://127.0.0.1:9", datetime.now(UTC)))

    assert [finding.state for finding in there] == [State.OK, State.OK]
    assert [finding.state for finding in off] == [State.OK, State.WARNING]
    assert [finding.state for finding in away] == [State.FAULT]


def test_a_database_without_tables_needs_an_upgrade_and_is_asked_nothing_more(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    findings = list(of_installation(database, Vault([new_key()]), datetime.now(UTC)))
    database.close()

    assert [(one.name, one.state, one.command) for one in findings] == [
        ("database", State.OK, ""),
        ("migrations", State.FAULT, "flask db upgrade"),
    ]
