"""Who goes first in a rush: of several connections, and of what goes beside the jobs."""

import time
from datetime import timedelta

import pytest

from tests.building import NOON, House
from tests.rush.rushed import BULK, PHONE, asked, calls, keep_short, of, owe, owe_long, rush, under_way
from tests.steered import Klaviyo
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import LIVE, REPLAY, Delivery

# Three of those that `owe_long` owes.
THREE = 30_000


def numbers(first: int, count: int = 3) -> list[str]:
    return [f"{1000 + number}" for number in range(first, first + count)]


def replayed(house: House, owed: list[Delivery]) -> None:
    for one in owed:
        house.change(one, lane_order=REPLAY)


@pytest.mark.parametrize("is_older", [False, True])
def test_live_events_do_not_wait_for_the_replays_of_another_connection(
    house: House, connection: Connection, klaviyo: Klaviyo, is_older: bool
) -> None:
    keep_short(house, connection, THREE)
    beside = house.connect("Beside", beside=connection)
    live, replaying = (connection, beside) if is_older else (beside, connection)
    replayed(house, owe_long(house, replaying, range(6)))
    owe_long(house, live, range(10, 16))
    rush(house, connection)

    assert calls(house) == [numbers(10), numbers(13), numbers(0), numbers(3)]


def test_the_few_of_one_connection_go_beside_the_jobs_of_another(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    keep_short(house, connection, THREE)
    beside = house.connect("Beside", beside=connection)
    replayed(house, owe_long(house, connection, range(9)))
    house.owe(beside, 90, customer=90)
    rush(house, connection)

    made = calls(house)
    assert ["1090"] in made[:2]
    made.remove(["1090"])
    assert made == [numbers(0), numbers(3), numbers(6)]


def test_connections_take_turns(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    keep_short(house, connection, THREE)
    beside = house.connect("Beside", beside=connection)
    owe_long(house, connection, range(6))
    owe_long(house, beside, range(10, 16))
    rush(house, connection)

    assert calls(house) == [numbers(0), numbers(10), numbers(3), numbers(13)]


def test_a_customer_of_two_connections_is_told_once_at_a_time(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    beside = house.connect("Beside", beside=connection)
    owe(house, connection, 3)
    house.owe(beside, 1, customer=1)
    shared: list[int] = []
    klaviyo.while_asked(lambda: shared.append(len(under_way(house))), path=BULK)
    rush(house, connection)

    assert shared == [1]
    assert {one.status for one in house.deliveries()} == {"accepted"}


@pytest.mark.parametrize("order", [LIVE, REPLAY])
def test_what_a_worker_died_of_goes_alone_and_keeps_nobody_back(
    house: House, connection: Connection, klaviyo: Klaviyo, order: int
) -> None:
    suspect, _ = [house.owe(connection, number, customer=number, request=of(number, PHONE)) for number in (1, 2)]
    house.change(suspect, deaths=1, next_trigger="interrupted", lane_order=order)
    owe_long(house, connection, range(10, 16))
    keep_short(house, connection, THREE)
    beside: list[int] = []
    klaviyo.while_asked(lambda: beside.append(len(under_way(house))), unique_id="1001")
    rush(house, connection)

    assert beside == [1]
    assert calls(house)[:3] == [["1001"], numbers(10), ["1002"]]
    assert {one.status for one in house.deliveries()} == {"accepted"}


def test_what_a_worker_died_of_and_is_due_while_jobs_are_under_way_keeps_nobody_back(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    later = NOON + timedelta(seconds=1)
    for number in (1, 2):
        house.change(
            house.owe(connection, number, customer=number, request=of(number, PHONE)),
            next_attempt_at=later,
            deaths=number % 2,
        )
    # Another one beside the first job comes back while the job does not.
    house.owe(connection, 3, customer=3, request=of(3, PHONE))
    owe_long(house, connection, range(10, 19))
    keep_short(house, connection, THREE)
    begun, beside = [], []

    def until_the_other_one() -> None:
        house.clock.now = later
        ends = time.monotonic() + 5
        while ["1002"] not in calls(house) and time.monotonic() < ends:
            time.sleep(0.01)
        begun.extend(calls(house))
        klaviyo.while_asked(lambda: beside.append(len(under_way(house))), unique_id="1001")

    klaviyo.while_asked(until_the_other_one, path=BULK)
    rush(house, connection)

    assert ["1002"] in begun
    assert ["1001"] not in begun
    assert beside == [1]
    assert {one.status for one in house.deliveries()} == {"accepted"}


def test_the_next_job_is_made_while_klaviyo_looks_at_one(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    house.owe(connection, 1, customer=1, request=of(1, PHONE))
    owe_long(house, connection, range(10, 16))
    keep_short(house, connection, THREE)
    jobs_begun: list[int] = []

    def until_the_second_job() -> None:
        ends = time.monotonic() + 5
        while len([call for call in calls(house) if len(call) > 1]) < 2 and time.monotonic() < ends:
            time.sleep(0.01)
        jobs_begun.append(len([call for call in calls(house) if len(call) > 1]))

    klaviyo.while_asked(until_the_second_job, path=BULK)
    rush(house, connection)

    assert jobs_begun == [2]
    assert asked(klaviyo).count(BULK) == 2
