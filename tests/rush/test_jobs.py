"""A rush: a backlog goes out as bulk jobs, and nothing of what holds in calm is lost."""

import json
from datetime import timedelta

from sqlalchemy import select

from tests.bodies import event
from tests.building import NOON, House
from tests.rush.rushed import BAD_PHONE, BULK, PHONE, asked, jobs, of, owe, rush
from tests.steered import Klaviyo, klaviyo_served
from vrio_klaviyo.klaviyo.requests import Profile, ProfileRequest
from vrio_klaviyo.rush import RUSH_AT
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import ProfileLink


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


def test_of_two_pictures_of_one_time_the_later_one_stays(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    for number, name in enumerate(["John", "Jon"]):
        request = event(f"{1000 + number}", profile=Profile(email="john1@acme.test", first_name=name))
        owed = house.owe(connection, number, customer=1, request=request)
        house.change(owed, next_attempt_at=NOON - timedelta(seconds=number))
    house.owe(connection, 2, customer=2)
    rush(house, connection)

    ids = [one["attributes"]["unique_id"] for one in jobs(klaviyo)[0][0]["attributes"]["events"]["data"]]
    assert ids == ["1000", "1001"]
    assert klaviyo.profile("john1@acme.test")["first_name"] == "Jon"


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
