"""A lane keeps to Klaviyo's limits, and waits as it is told."""

import threading
from datetime import timedelta

import pytest

from sandbox.klaviyo import OTHER_ACCOUNT_KEY
from tests.bodies import declined
from tests.building import House
from tests.lane.owed import lease_of, owe, told
from tests.lane.passing import SecondsPerRequest
from tests.product import wait_until
from tests.steered import Klaviyo, klaviyo_served
from vrio_klaviyo import lane
from vrio_klaviyo.klaviyo.limits import LIMITS, Limit
from vrio_klaviyo.klaviyo.requests import Profile, ProfileRequest
from vrio_klaviyo.lane import LIMITED_REST
from vrio_klaviyo.store import leases
from vrio_klaviyo.store.connections import Connection, KlaviyoAccount


def test_when_throttled_the_whole_lane_waits(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    beside = house.connect("Beside", beside=connection)
    klaviyo.fault("throttle", retry_after=7)
    owe(house, declined(1, customer=1, email="a@acme.test"), declined(2, customer=2, email="b@acme.test"))
    house.send(connection, senders=1)

    assert len(klaviyo.requests()) == 1
    assert lease_of(house, connection).wake_at == house.clock() + timedelta(seconds=7)
    throttled, *others = house.deliveries()
    assert [told(attempt) for attempt in house.attempts(throttled)] == [("first", 429)]
    assert (throttled.status, throttled.tries) == ("queued", 0)
    assert [house.attempts(other) for other in others] == [[], [], []]
    assert [other.next_trigger for other in others] == ["first"] * 3
    assert house.bells == []

    house.clock.advance(seconds=6.9)
    house.send(connection)
    assert len(klaviyo.requests()) == 1
    assert lease_of(house, connection).wake_at is not None
    with house.db.read() as session:
        assert f"lane/{connection.account_id}" in leases.resting(session, house.clock())

    house.clock.advance(seconds=0.1)
    house.send(connection)
    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}
    assert [told(attempt) for attempt in house.attempts(throttled)] == [("first", 429), ("retry_after", 202)]
    assert house.deliveries()[0].tries == 1
    assert len(house.deliveries(beside)) == 2
    assert lease_of(house, connection).wake_at is None


def test_who_dies_after_it_was_told_to_wait_leaves_the_wait_behind(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    house.owe(connection, 1, customer=1)
    klaviyo.fault("throttle", retry_after=600, match={"unique_id": "1002"})

    def die() -> None:
        """While this answer is waited for, and after the other one is written down."""
        throttled = house.owe(connection, 2, customer=2)
        wait_until(lambda: [one.response_status for one in house.attempts(throttled)] == [429], "it is written")
        with house.db.write() as session:
            leases.free(session, "worker/1")

    klaviyo.while_asked(die, unique_id="1001")
    house.send(connection)
    assert lease_of(house, connection).wake_at is None
    house.send(connection, "worker/2")
    assert len(klaviyo.requests()) == 2
    assert lease_of(house, connection).wake_at == house.clock() + timedelta(minutes=10)

    house.clock.advance(minutes=10)
    house.settle(connection)
    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}


def test_a_wait_that_was_written_down_before_the_clock_was_set_back_is_none(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    klaviyo.fault("throttle", retry_after=600)
    owe(house)
    house.send(connection)
    house.clock.advance(minutes=-30)
    house.owe(connection, 2, customer=2, request=profile(2))
    house.send(connection)

    assert house.deliveries()[1].status == "accepted"


def test_a_wait_without_end_does_not_stop_the_lane_for_good(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    klaviyo.fault("status", status=429, headers={"Retry-After": "9" * 400})
    owe(house)
    house.send(connection)

    wake_at = lease_of(house, connection).wake_at
    assert wake_at is not None
    assert wake_at <= house.clock() + timedelta(hours=1)
    assert house.attempts()[0].response_status == 429


def test_another_account_does_not_wait(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    other = house.connect("Other", OTHER_ACCOUNT_KEY)
    klaviyo.fault("throttle", retry_after=60)
    owe(house)
    house.send(connection)
    house.send(other)

    assert [delivery.status for delivery in house.deliveries(other)] == ["accepted"]
    assert [delivery.status for delivery in house.deliveries(connection)] == ["queued"]


def test_a_lane_that_has_used_up_its_limit_waits_and_is_not_refused(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house, *[declined(number, customer=number, email=f"j{number}@acme.test") for number in range(8)])
    limits = LIMITS | {"/api/events": Limit(4, 100)}
    house.send(connection, limits=limits)
    assert len(klaviyo.requests()) == 3
    wake_at = lease_of(house, connection).wake_at
    assert wake_at is not None
    assert timedelta(0) < wake_at - house.clock() < timedelta(seconds=3)
    assert house.bells == []

    # Another worker goes on with the same count.
    house.send(connection, "worker/2", limits=limits)
    assert len(klaviyo.requests()) == 3
    house.clock.now = wake_at
    house.send(connection, limits=limits)
    assert len(klaviyo.requests()) == 4
    assert {attempt.response_status for one in house.deliveries() for attempt in house.attempts(one)} == {202}


def test_what_was_stopped_before_its_turn_has_used_up_nothing(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    stop = threading.Event()
    limits = LIMITS | {"/api/events": Limit(4, 100)}
    owe(house, *[declined(number, customer=number, email=f"j{number}@acme.test") for number in range(5)])
    klaviyo.while_asked(stop.set)
    house.send(connection, stopping=stop.is_set, senders=1, limits=limits)
    assert len(klaviyo.requests()) == 1
    house.send(connection, limits=limits)

    assert len(klaviyo.requests()) == 3


def test_a_merchant_s_own_cap_is_obeyed(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    with house.db.write() as session:
        session.get_one(KlaviyoAccount, connection.account_id).rate_per_minute = 2
    owe(house, declined(1, customer=1, email="a@acme.test"), declined(2, customer=2, email="b@acme.test"))
    house.send(connection)
    assert lease_of(house, connection).wake_at is not None
    house.clock.advance(seconds=25)
    house.send(connection)
    assert len(klaviyo.requests()) == 1

    house.clock.advance(seconds=35)
    house.send(connection)
    assert len(klaviyo.requests()) == 2


def profile(number: int) -> ProfileRequest:
    return ProfileRequest(profile=Profile(email=f"j{number}@acme.test", first_name="John"))


# Of profiles one goes, and the next after some seconds.
FEW_PROFILES = LIMITS | {"/api/profile-import": Limit(1, 10)}


def test_what_one_endpoint_has_used_up_is_not_waited_for_by_another(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    for number in (1, 2):
        house.owe(connection, number, customer=number, request=profile(number))
    house.bells.clear()
    house.send(connection, limits=FEW_PROFILES)
    assert house.bells == []
    wake_at = lease_of(house, connection).wake_at
    assert wake_at is not None
    assert wake_at > house.clock()
    house.owe(connection, 9, customer=9)
    house.send(connection, limits=FEW_PROFILES)

    assert [event["unique_id"] for event in klaviyo.events()] == ["1009"]
    assert [request["path"] for request in klaviyo.requests()] == ["/api/profile-import", "/api/events"]


def test_a_retry_does_not_wait_long_for_another_endpoint_s_limit(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    """It falls due without a bell: the clock rings for the lane when that wants to be woken."""
    house.owe(connection, 1, customer=1)
    klaviyo.fault("status", status=503)
    house.send(connection)
    for number in (2, 3):
        house.owe(connection, number, customer=number, request=profile(number))
    house.change(connection, activated_at=house.clock())
    with house.db.write() as session:
        session.get_one(KlaviyoAccount, connection.account_id).rate_per_minute = 1
    house.send(connection)

    wake_at = lease_of(house, connection).wake_at
    assert wake_at is not None
    assert timedelta(0) < wake_at - house.clock() <= LIMITED_REST


def test_when_the_wait_is_over_by_then_the_lane_goes_on_at_once(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    for number in (1, 2):
        house.owe(connection, number, customer=number, request=profile(number))
    house.bells.clear()
    klaviyo.while_asked(lambda: house.clock.advance(minutes=1))
    house.send(connection, limits=FEW_PROFILES)

    assert len(klaviyo.requests()) == 1
    assert house.bells == [("lane", connection.account_id)]


def test_a_slice_that_ends_by_its_time_rings_although_an_endpoint_waits(
    house: House, connection: Connection, klaviyo: Klaviyo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "time", SecondsPerRequest(klaviyo))
    for number in (1, 2):
        house.owe(connection, number, customer=number, request=profile(number))
    for number in range(10, 30):
        house.owe(connection, number, customer=number)
    house.bells.clear()
    house.send(connection, limits=FEW_PROFILES, senders=1)

    assert 0 < len(klaviyo.events()) < 20
    assert house.bells == [("lane", connection.account_id)]


def test_what_klaviyo_says_of_its_limits_is_kept_for_the_account(house: House, connection: Connection) -> None:
    with klaviyo_served(rate_limits=True, rate_limit_scale=2.0) as generous:
        house.klaviyo_url = generous.url
        owe(house)
        house.send(connection)

    with house.db.read() as session:
        account = session.get_one(KlaviyoAccount, connection.account_id)
    assert account.pacing["/api/events"]["limit"] == [700, 7000]
