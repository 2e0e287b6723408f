"""A lane works in slices of time, and in a slice on several calls at a time."""

import time
from collections import deque
from itertools import pairwise

import pytest

from sandbox.klaviyo import OTHER_ACCOUNT_KEY
from tests.building import House
from tests.lane.passing import SecondsPerRequest
from tests.product import wait_until
from tests.steered import Klaviyo
from vrio_klaviyo import lane
from vrio_klaviyo.deciding import CIRCUIT_OPENS_AT
from vrio_klaviyo.store.connections import Connection, KlaviyoAccount


def test_two_calls_are_made_at_a_time(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    """The first one's answer waits for the second one's."""
    for number in (1, 2):
        house.owe(connection, number, customer=number)
    klaviyo.while_asked(lambda: wait_until(lambda: len(klaviyo.events()) == 1, "the other one is there"))
    house.send(connection)

    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}
    assert len(klaviyo.requests()) == 2


def test_a_slow_call_keeps_no_other_customer_waiting(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    slow = house.owe(connection, 1, customer=1)
    seen: list[str] = []

    def another() -> None:
        """Owed while the first one's answer is waited for, and taken before it comes."""
        quick = house.owe(connection, 2, customer=2)
        wait_until(lambda: house.attempts(quick) and house.attempts(quick)[0].response_status, "it was taken")
        seen.extend(str(attempt.response_status) for attempt in (*house.attempts(quick), *house.attempts(slow)))

    klaviyo.while_asked(another)
    house.send(connection)

    assert seen == ["202", "None"]
    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}


def test_while_it_waits_for_an_answer_a_lane_does_not_go_round_and_round(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    house.owe(connection)
    looks: list[int] = []
    klaviyo.while_asked(lambda: time.sleep(0.5))
    house.send(connection, stopping=lambda: bool(looks.append(1)))  # type: ignore[func-returns-value]

    assert house.delivery().status == "accepted"
    assert len(looks) < 20


def test_a_slice_ends_although_there_is_more(
    house: House, connection: Connection, klaviyo: Klaviyo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "time", SecondsPerRequest(klaviyo))
    for number in range(12):
        house.owe(connection, number, customer=number)
    house.bells.clear()
    house.send(connection, senders=1)

    assert 0 < len(klaviyo.requests()) < 12
    assert house.bells == [("lane", connection.account_id)]


def test_one_worker_serves_two_busy_lanes_in_turns(
    house: House, connection: Connection, klaviyo: Klaviyo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "time", SecondsPerRequest(klaviyo))
    other = house.connect("Other", OTHER_ACCOUNT_KEY)
    for number in range(12):
        house.owe(connection, number, customer=number)
        house.owe(other, 100 + number, customer=100 + number)
    worker, waiting = house.lane(senders=1), deque([connection.account_id, other.account_id])
    while waiting:
        worker.drain(waiting.popleft(), "worker/1")
        waiting.extend(account_id for _, account_id in house.bells if account_id not in waiting)
        house.bells.clear()

    keys = [request["key"] for request in klaviyo.requests()]
    changes = sum(before != after for before, after in pairwise(keys))
    assert (len(keys), len(set(keys))) == (24, 2)
    assert changes > 2


def test_what_stops_a_lane_when_klaviyo_has_just_come_back_ends_its_slice(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    """One failure then is no reason to wait, and none to claim what nobody sends, over and over."""
    for number in range(30):
        house.owe(connection, number, customer=number)
    with house.db.write() as session:
        session.get_one(KlaviyoAccount, connection.account_id).failures = CIRCUIT_OPENS_AT
    klaviyo.fault("status", status=503, match={"unique_id": "1001"})
    house.bells.clear()
    looks: list[int] = []
    house.send(connection, stopping=lambda: bool(looks.append(1)))  # type: ignore[func-returns-value]

    assert house.bells == [("lane", connection.account_id)]
    assert len(looks) < 60
    house.settle(connection)
    assert {delivery.status for delivery in house.deliveries()} == {"accepted", "retrying"}
