"""What follows from the answer to a job, or from there being none."""

from datetime import timedelta

import pytest

from tests.bodies import event
from tests.building import House
from tests.rush.rushed import BAD_PHONE, BULK, PHONE, SINGLE, asked, jobs, of, owe, rush
from tests.steered import Klaviyo
from vrio_klaviyo.rush import fitting, job_of
from vrio_klaviyo.store import attempts, leases, turns
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import ProfileLink
from vrio_klaviyo.store.leases import LEASE_S, LeaseRow


def test_what_the_answer_names_goes_by_itself_and_the_others_at_once(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owed = [
        house.owe(connection, 0, customer=0),
        house.owe(connection, 1, customer=1, request=event("1001", email="not an address")),
        *(house.owe(connection, number, customer=number) for number in range(2, 6)),
    ]
    rush(house, connection)

    assert asked(klaviyo).count(BULK) == 2
    found = {one.id: one for one in house.deliveries()}
    assert [found[one.id].status for one in owed] == ["accepted", "failed", *["accepted"] * 4]
    assert [found[one.id].tries for one in owed] == [1] * 6
    named = [(attempt.trigger, attempt.response_status) for attempt in house.attempts(owed[1])]
    assert named == [("bulk", 400), ("singly", 400)]
    others = [(one.number, one.trigger, one.response_status) for one in house.attempts(owed[2])]
    assert others == [(1, "bulk", 400), (2, "bulk", 202)]


def test_a_rush_is_not_over_while_a_job_is_under_way(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    """Beside the job one goes by itself, and is back before the job is refused for another one."""
    house.owe(connection, 0, customer=0, request=of(0, PHONE))
    house.owe(connection, 1, customer=1, request=event("1001", email="not an address"))
    for number in range(2, 6):
        house.owe(connection, number, customer=number)
    klaviyo.fault("latency", ms=500, match={"path": BULK})
    rush(house, connection)

    assert [len(entries) for entries in jobs(klaviyo)] == [5, 4]


def test_a_phone_that_a_job_is_refused_for_is_taken_out(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    for number in range(4):
        owed = house.owe(connection, number, customer=number, request=of(number, BAD_PHONE))
        with house.db.write() as session:
            key = {"connection_id": connection.id, "customer_id": owed.customer_id}
            session.add(ProfileLink(**key, accepted_as_of=None, refused_phone=None, accepted_phone=BAD_PHONE))
    rush(house, connection)

    assert {one.status for one in house.deliveries()} == {"accepted"}
    triggers = [[attempt.trigger for attempt in house.attempts(one)] for one in house.deliveries()]
    assert triggers == [["bulk", "phone_removed"]] * 4


@pytest.mark.parametrize("status", [400, 422])
def test_a_job_that_is_refused_as_a_whole_is_sent_one_by_one(
    house: House, connection: Connection, klaviyo: Klaviyo, status: int
) -> None:
    klaviyo.fault("status", status=status, match={"path": BULK}, times=None)
    owe(house, connection, 4)
    rush(house, connection)

    assert asked(klaviyo) == [BULK, *["/api/events"] * 4]
    assert {(one.status, one.tries) for one in house.deliveries()} == {("accepted", 1)}


def test_a_job_that_fails_for_now_is_a_try_of_each(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("status", status=503, match={"path": BULK})
    owe(house, connection, 4)
    rush(house, connection)

    assert {(one.status, one.tries, one.next_trigger) for one in house.deliveries()} == {("retrying", 1, "backoff")}
    house.clock.advance(seconds=7)
    rush(house, connection)
    assert {(one.status, one.tries) for one in house.deliveries()} == {("accepted", 2)}
    assert asked(klaviyo) == [BULK, BULK]


def test_when_a_job_is_throttled_the_lane_waits(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("throttle", retry_after=7, match={"path": BULK})
    owe(house, connection, 4)
    house.send(connection, rush_at=3)

    assert {(one.status, one.tries) for one in house.deliveries()} == {("queued", 0)}
    with house.db.read() as session:
        lease = session.get_one(LeaseRow, f"lane/{connection.account_id}")
    assert lease.wake_at == house.clock() + timedelta(seconds=7)


def test_what_was_in_a_job_that_a_worker_died_of_goes_on_one_by_one(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house, connection, 4)
    with house.db.write() as session:
        dues = turns.claim_all_due(session, connection.id, house.clock(), 10)
        fit, _ = fitting(dues)
        attempts.open_attempts(session, job_of(fit).parts, house.klaviyo_url, house.clock(), shared=True)
    leases.acquire(house.db, f"lane/{connection.account_id}", "dead/1", house.clock())
    house.clock.advance(seconds=LEASE_S + 1)
    rush(house, connection)

    assert asked(klaviyo) == ["/api/events"] * 4
    assert {(one.status, one.deaths) for one in house.deliveries()} == {("accepted", 0)}
    triggers = [[attempt.trigger for attempt in house.attempts(one)] for one in house.deliveries()]
    assert triggers == [["bulk", "interrupted"]] * 4


def test_a_body_that_klaviyo_stumbles_over_drags_no_other_along_for_long(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    klaviyo.fault("status", status=500, match={"unique_id": "1001"}, times=None)
    owe(house, connection, 4)
    for waited_s in (0, 7, 40, 150):
        house.clock.advance(seconds=waited_s)
        rush(house, connection)

    assert asked(klaviyo) == [BULK] * 3 + [SINGLE] * 4
    assert [one.status for one in house.deliveries()] == ["accepted", "retrying", "accepted", "accepted"]
