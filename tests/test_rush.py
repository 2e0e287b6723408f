"""A rush: a backlog goes out as bulk jobs, and nothing of what holds in calm is lost."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.bodies import event
from tests.building import NOON, House
from tests.steered import Klaviyo, klaviyo_served
from vrio_klaviyo.klaviyo.requests import Profile, ProfileRequest
from vrio_klaviyo.rush import RUSH_AT, fitting, job_of
from vrio_klaviyo.store import attempts, leases, turns
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import ProfileLink
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.leases import LEASE_S, LeaseRow

BULK = "/api/event-bulk-create-jobs"
PHONE, BAD_PHONE = "+15551234567", "+15550000101"


def owe(house: House, connection: Connection, count: int, **changes: Any) -> list[Delivery]:
    return [house.owe(connection, number, customer=number, **changes) for number in range(count)]


def rush(house: House, connection: Connection, **options: Any) -> None:
    house.settle(connection, **{"rush_at": 3} | options)


def asked(klaviyo: Klaviyo) -> list[str]:
    return [request["path"] for request in klaviyo.requests()]


def jobs(klaviyo: Klaviyo) -> list[Any]:
    """The entries of each job."""
    bodies = [json.loads(request["body"]) for request in klaviyo.requests() if request["path"] == BULK]
    return [body["data"]["attributes"]["events-bulk-create"]["data"] for body in bodies]


def of(number: int, phone: str | None = None, **profile: Any) -> Any:
    return event(f"{1000 + number}", profile=Profile(email=f"john{number}@acme.test", phone=phone, **profile))


def test_a_backlog_goes_out_in_one_request(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owed = owe(house, connection, 5)
    rush(house, connection)

    assert asked(klaviyo) == [BULK]
    assert {event["unique_id"] for event in klaviyo.events()} == {f"{1000 + number}" for number in range(5)}
    assert {(one.status, one.tries) for one in house.deliveries()} == {("accepted", 1)}
    logged = [house.attempts(one) for one in owed]
    assert [len(rows) for rows in logged] == [1] * 5
    assert len({rows[0].exchange_id for rows in logged}) == 1
    assert {rows[0].trigger for rows in logged} == {"bulk"}
    assert {rows[0].response_status for rows in logged} == {202}
    assert {rows[0].url for rows in logged} == {klaviyo.url + BULK}


def test_each_attempt_keeps_its_own_part_of_the_body(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owed = owe(house, connection, 3)
    rush(house, connection)

    entries = [json.loads(house.attempts(one)[0].request_body) for one in owed]
    assert entries == jobs(klaviyo)[0]


def test_in_calm_events_go_one_by_one(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house, connection, 2)
    rush(house, connection)

    assert asked(klaviyo) == ["/api/events"] * 2
    assert RUSH_AT >= 1000


def test_a_person_has_one_entry_and_the_newest_picture_in_it(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    for number, (minutes, name, properties) in enumerate(
        [(2, "Jon", {"CLV": "30.00"}), (1, "John", {"CLV": "20.00", "tracking1": "letter"}), (3, "", {"plan": "gold"})]
    ):
        profile = Profile(email="john1@acme.test", first_name=name, properties=properties)
        request = event(f"{1000 + number}", profile=profile)
        house.owe(connection, number, customer=1, as_of=NOON + timedelta(minutes=minutes), request=request)
    rush(house, connection)

    ((entry,),) = jobs(klaviyo)
    ids = [one["attributes"]["unique_id"] for one in entry["attributes"]["events"]["data"]]
    assert ids == ["1001", "1000", "1002"]
    person = klaviyo.profile("john1@acme.test")
    assert person["first_name"] == "Jon"
    assert person["properties"] == {"CLV": "30.00", "tracking1": "letter", "plan": "gold"}
    with house.db.read() as session:
        assert session.scalars(select(ProfileLink.accepted_as_of)).all() == [NOON + timedelta(minutes=3)]


def test_late_news_in_a_job_do_not_overwrite_newer_ones(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    house.owe(connection, 0, customer=0, as_of=NOON, request=of(0, first_name="Jon"))
    house.settle(connection)
    for number in range(3):
        late, profile = NOON - timedelta(hours=1), Profile(email=f"john{number}@acme.test", first_name="Johnny")
        request = event(f"{2000 + number}", profile=profile)
        house.owe(connection, 10 + number, customer=number, as_of=late, request=request)
    rush(house, connection)

    assert len(jobs(klaviyo)) == 1
    assert [klaviyo.profile(f"john{number}@acme.test")["first_name"] for number in range(2)] == ["Jon", "Johnny"]


def test_a_phone_that_klaviyo_has_not_accepted_yet_goes_by_itself(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    house.owe(connection, 0, customer=0, request=of(0, PHONE))
    for number in range(1, 4):
        house.owe(connection, number, customer=number)
    house.owe(connection, 7, customer=7, request=of(7, BAD_PHONE))
    rush(house, connection)

    assert [len(entries) for entries in jobs(klaviyo)] == [3]
    assert {one.status for one in house.deliveries()} == {"accepted"}
    assert klaviyo.profile("john0@acme.test")["phone_number"] == PHONE
    assert "phone_number" not in klaviyo.profile("john7@acme.test")

    # From then on both may go in a job: the one with its number, the other without.
    house.owe(connection, 20, customer=0, request=event("2020", profile=Profile(email="john0@acme.test", phone=PHONE)))
    house.owe(
        connection, 27, customer=7, request=event("2027", profile=Profile(email="john7@acme.test", phone=BAD_PHONE))
    )
    house.owe(connection, 28, customer=28)
    rush(house, connection)
    assert len(jobs(klaviyo)[1]) == 3


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


def owe_long(house: House, connection: Connection, numbers: Iterable[int], length: int = 9000) -> list[Delivery]:
    """Events of so many bytes each."""
    bodies = {number: event(f"{1000 + number}", email=f"john{number}@acme.test") for number in numbers}
    long = {number: replace(body, properties={"Text": "x" * length}) for number, body in bodies.items()}
    return [house.owe(connection, number, customer=number, request=body) for number, body in long.items()]


def length_of_a_job(house: House, connection: Connection) -> int:
    """Of all that is owed."""
    with house.db.read() as session:
        fit, _ = fitting(turns.claim_all_due(session, connection.id, house.clock(), 100))
        return len(job_of(fit).rendered.body)


def sizes(klaviyo: Klaviyo) -> list[tuple[int, int]]:
    """Of each job how many entries it had, and the answer."""
    answers = [request["status"] for request in klaviyo.requests() if request["path"] == BULK]
    return list(zip(map(len, jobs(klaviyo)), answers, strict=True))


def test_a_job_that_is_too_long_for_klaviyo_goes_in_halves(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owed = owe_long(house, connection, range(8))
    klaviyo.settings(bulk_bytes=length_of_a_job(house, connection) // 2 + 100)
    rush(house, connection)

    assert sizes(klaviyo) == [(8, 413), (4, 202), (4, 202)]
    assert set(asked(klaviyo)) == {BULK}
    assert {(one.status, one.tries) for one in house.deliveries()} == {("accepted", 1)}
    logged = [(one.trigger, one.response_status) for one in house.attempts(owed[0])]
    assert logged == [("bulk", 413), ("bulk", 202)]

    # What it takes is remembered, so that the next backlog is not refused again; but not for ever.
    owe_long(house, connection, range(8, 16))
    rush(house, connection)
    assert sizes(klaviyo)[3:] == [(4, 202), (4, 202)]
    klaviyo.settings(bulk_bytes=5_000_000)
    house.clock.advance(days=1, seconds=1)
    owe_long(house, connection, range(16, 24))
    rush(house, connection)
    assert sizes(klaviyo)[5:] == [(8, 202)]


def test_an_entry_that_is_too_long_by_itself_is_found_and_goes_singly(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    (large,) = owe_long(house, connection, [0], 90_000)
    others = owe_long(house, connection, range(1, 9), 2000)
    klaviyo.settings(bulk_bytes=80_000)
    rush(house, connection)

    assert sizes(klaviyo) == [(9, 413), (1, 413), (8, 202)]
    assert asked(klaviyo).count("/api/events") == 1
    assert {(one.status, one.tries) for one in house.deliveries()} == {("accepted", 1)}
    assert [one.trigger for one in house.attempts(large)] == ["bulk", "bulk", "singly"]
    assert [one.trigger for one in house.attempts(others[0])] == ["bulk", "bulk"]


def test_where_every_job_is_too_long_all_goes_singly(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("status", status=413, match={"path": BULK}, times=None)
    owe_long(house, connection, range(12))
    rush(house, connection)

    # At some twenty kilobytes it is seen that length is not what is wrong.
    assert [entries for entries, _ in sizes(klaviyo)] == [12, 6, 3]
    assert asked(klaviyo).count("/api/events") == 12
    assert {(one.status, one.tries) for one in house.deliveries()} == {("accepted", 1)}


def test_repeats_within_a_job_are_left_for_the_next(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    other = house.add_source("Other")
    owe(house, connection, 3)
    house.owe(connection, 1, customer=1, source=other)
    rush(house, connection)

    assert [len(entries) for entries in jobs(klaviyo)] == [3]
    assert {one.status for one in house.deliveries()} == {"accepted"}
    assert sorted(one["repeats"] for one in klaviyo.events()) == [0, 0, 1]


def test_a_customer_s_profile_waits_for_the_events_before_it(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house, connection, 3)
    profile = ProfileRequest(profile=Profile(email="john1@acme.test", first_name="Jon"))
    house.owe(connection, 11, customer=1, request=profile)  # type: ignore[arg-type]
    rush(house, connection)

    assert asked(klaviyo) == [BULK, "/api/profile-import"]
    assert {one.status for one in house.deliveries()} == {"accepted"}


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


def test_connections_of_one_lane_have_jobs_of_their_own(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    beside = house.connect("Beside", beside=connection)
    owe(house, connection, 3)
    owe(house, beside, 3)
    rush(house, connection)

    assert asked(klaviyo) == [BULK, BULK]
    assert {one.status for one in house.deliveries()} == {"accepted"}


def test_a_rush_stays_within_the_limits_of_both_endpoints(house: House, connection: Connection) -> None:
    with klaviyo_served(rate_limits=True) as strict:
        house.klaviyo_url = strict.url
        owe(house, connection, 30)
        rush(house, connection)

        assert {one["status"] for one in strict.requests()} == {202}
    assert {one.status for one in house.deliveries()} == {"accepted"}
