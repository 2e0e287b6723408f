"""A key is asked about again: it keeps nobody from work, happens once, and judges the key that was asked about."""

from datetime import timedelta

import pytest

from sandbox.klaviyo import GOOD_KEY, REVOKED_KEY
from tests.building import House
from tests.steered import Klaviyo
from vrio_klaviyo.connecting import LONGEST_WAIT_S, PROBES, check_connection, recheck_connection, replace_key
from vrio_klaviyo.store.connections import Connection, KeyStatus
from vrio_klaviyo.store.key_checks import connections_to_recheck, note_scope_refused, record_key

ACCOUNTS = "/api/accounts"


def recheck(house: House, connection: Connection) -> None:
    recheck_connection(house.db, house.vault, house.http, house.klaviyo_url, connection.id, house.clock())


def refused(house: House, connection: Connection, **ago: float) -> None:
    """Klaviyo did not take the key so long ago."""
    with house.db.write() as session:
        record_key(session, connection.id, KeyStatus.REJECTED, "401", house.clock() - timedelta(**ago))


def asked(klaviyo: Klaviyo) -> list[str]:
    return [request["path"] for request in klaviyo.requests()]


@pytest.mark.parametrize(("old", "new"), [(REVOKED_KEY, GOOD_KEY), (GOOD_KEY, REVOKED_KEY)], ids=["to good", "to bad"])
def test_an_answer_about_the_old_key_says_nothing_of_the_new_one(
    house: House, klaviyo: Klaviyo, old: str, new: str
) -> None:
    connection = house.connect("Klaviyo", old)

    def another_key_is_saved() -> None:
        sealed = house.vault.seal(new, connection.workspace_id, connection.id)
        house.change(connection, key_sealed=sealed, key_status=KeyStatus.UNCHECKED)

    klaviyo.while_asked(another_key_is_saved, path=ACCOUNTS)
    check = check_connection(house.db, house.vault, house.http, klaviyo.url, connection.id, house.clock())

    assert check.verdict == "unknown"
    assert check.sentence == "Another key was saved while Klaviyo was being asked about this one."
    after = house.connection(connection)
    assert (after.key_status, after.key_reason, after.checked_at) == ("unchecked", "", None)


def test_a_key_that_took_the_old_one_s_place_stays_accepted(house: House, klaviyo: Klaviyo) -> None:
    connection = house.connect("Klaviyo", REVOKED_KEY)
    where = house.db, house.vault, house.http, klaviyo.url, connection.id
    klaviyo.while_asked(lambda: replace_key(*where, GOOD_KEY, house.clock()), path=ACCOUNTS)
    check_connection(*where, house.clock())

    assert house.connection(connection).key_status == "accepted"


def test_the_worker_does_not_wait_when_klaviyo_asks_it_to(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    refused(house, connection, hours=2)
    for path in (ACCOUNTS, *[path.partition("?")[0] for path in PROBES.values()]):
        klaviyo.fault("throttle", retry_after=int(LONGEST_WAIT_S), match={"path": path})
    recheck(house, connection)

    assert asked(klaviyo) == [ACCOUNTS]
    after = house.connection(connection)
    assert (after.key_status, after.key_reason, after.checked_at) == ("rejected", "401", house.clock())
    with house.db.read() as session:
        for ago, due in ((timedelta(hours=1), []), (timedelta(0), [connection.id])):
            before = house.clock() - ago + timedelta(seconds=1)
            assert connections_to_recheck(session, before) == due


def test_a_person_s_check_waits_the_moment_that_klaviyo_asks_for(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    klaviyo.fault("throttle", retry_after=1, match={"path": ACCOUNTS})
    check = check_connection(house.db, house.vault, house.http, klaviyo.url, connection.id, house.clock())

    assert check.verdict == "accepted"


@pytest.mark.parametrize("trouble", [{"fault": "throttle", "retry_after": 1}, {"fault": "status", "status": 503}])
def test_a_key_that_could_not_write_stays_refused_until_klaviyo_says_that_it_can(
    house: House, connection: Connection, klaviyo: Klaviyo, trouble: dict[str, object]
) -> None:
    refused(house, connection, hours=2)
    with house.db.write() as session:
        note_scope_refused(session, connection.id, "events:write")
    klaviyo.fault(**trouble, match={"path": "/api/events", "method": "POST"})  # type: ignore[arg-type]
    recheck(house, connection)
    assert house.connection(connection).key_status == "rejected"
    assert house.connection(connection).scopes["events:write"] == "no"

    house.clock.advance(hours=2)
    recheck(house, connection)
    assert house.connection(connection).key_status == "accepted"


@pytest.mark.parametrize("is_good", [True, False], ids=["good", "refused"])
def test_who_rings_twice_asks_once(house: House, klaviyo: Klaviyo, is_good: bool) -> None:
    connection = house.connect("Klaviyo", GOOD_KEY if is_good else REVOKED_KEY)
    refused(house, connection, hours=1)
    recheck(house, connection)
    first = asked(klaviyo)
    house.clock.advance(seconds=5)
    recheck(house, connection)

    assert first
    assert asked(klaviyo) == first
    house.clock.advance(hours=1)
    recheck(house, connection)
    assert asked(klaviyo) == first * 2


def test_what_nobody_has_asked_about_yet_is_asked_about(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    recheck(house, connection)

    assert house.connection(connection).key_status == "accepted"
