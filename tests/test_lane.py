"""The second half of the story, against a real database and a Klaviyo that obeys: what is owed is sent, and once."""

import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from sandbox.klaviyo import OTHER_ACCOUNT_KEY, REVOKED_KEY
from tests.building import SALE, House, Klaviyo, declined, event, klaviyo_served, sample
from vrio_klaviyo.deciding import BACKOFF_S, CIRCUIT_OPENS_AT, PHONE_IGNORED, PHONE_REMOVED
from vrio_klaviyo.klaviyo.limits import LIMITS, Limit
from vrio_klaviyo.klaviyo.requests import Profile, loads, render
from vrio_klaviyo.lane import WAITING_EACH
from vrio_klaviyo.sending import SENDERS
from vrio_klaviyo.store import attempts, deliveries, leases, turns
from vrio_klaviyo.store.attempts import DEADLY_REASON, INTERRUPTED, Attempt
from vrio_klaviyo.store.connections import Connection, KeyStatus, KlaviyoAccount
from vrio_klaviyo.store.customers import ProfileLink
from vrio_klaviyo.store.deliveries import BACKFILL, LIVE, REPLAY, RETRY, Delivery
from vrio_klaviyo.store.leases import LEASE_S, Lease, LeaseRow

ROOM = SENDERS * WAITING_EACH

JOHN = "john@acme.test"
PHONE = "+15551234567"
BAD_PHONE = "(555) 000-0101"


def owe(house: House, *bodies: dict[str, Any]) -> None:
    """Post these webhooks and take them in."""
    for body in bodies or [declined()]:
        house.post(body)
    house.take_in()
    house.bells.clear()


def lease_of(house: House, connection: Connection) -> LeaseRow:
    with house.db.read() as session:
        return session.get_one(LeaseRow, f"lane/{connection.account_id}")


def told(attempt: Attempt) -> tuple[str, int | None]:
    return attempt.trigger, attempt.response_status


def phones_in(attempt: Attempt) -> list[Any]:
    """The number in both of its places."""
    profile = json.loads(attempt.request_body)["data"]["attributes"]["profile"]["data"]["attributes"]
    return [profile.get("phone_number"), profile["properties"].get("$phone_number")]


def sent_body(klaviyo: Klaviyo, index: int = 0) -> bytes:
    return str(klaviyo.requests()[index]["body"]).encode()


@pytest.mark.requirement("003-14", "003-15")
def test_a_sale_reaches_klaviyo(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house, sample(SALE))
    house.send(connection)

    assert {(event["metric"], event["unique_id"]) for event in klaviyo.events()} == {
        ("Placed Order", "1668"),
        ("Ordered Product", "1668_1"),
        ("Started Subscription", "1668_1_sub"),
    }
    for delivery in house.deliveries():
        assert (delivery.status, delivery.tries, delivery.finished_at) == ("accepted", 1, house.clock())
        assert [told(attempt) for attempt in house.attempts(delivery)] == [("first", 202)]
    assert house.bells == []


@pytest.mark.requirement("003-62")
def test_the_log_holds_the_bytes_that_klaviyo_received(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house, sample(SALE) | {"webhook_event_id": "ünï😀"})
    house.send(connection)

    logged = [house.attempts(delivery)[0] for delivery in house.deliveries()]
    assert sorted(attempt.request_body for attempt in logged) == sorted(
        str(request["body"]).encode() for request in klaviyo.requests()
    )
    for attempt in logged:
        assert attempt.url == f"{klaviyo.url}/api/events"
        assert attempt.method == "POST"
        assert attempt.response_headers is not None
        assert attempt.response_headers["cid"] == "SbxA01"
        assert attempt.response_body == b""
        assert attempt.duration_ms is not None


def test_the_log_holds_no_key(house: House, connection: Connection) -> None:
    owe(house)
    house.send(connection)

    (attempt,) = house.attempts()
    assert set(attempt.request_headers) == {"accept", "content-type", "revision"}
    assert "pk_" not in f"{attempt.request_headers} {attempt.response_headers} {attempt.error}"


def test_a_customers_first_tries_go_out_in_order(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house, *[declined(number, customer=300 + number % 3, email=f"j{number % 3}@acme.test") for number in range(12)])
    house.settle(connection)

    for customer in range(3):
        ids = [event["unique_id"] for event in klaviyo.events(email=f"j{customer}@acme.test")]
        assert ids == [str(1000 + number) for number in range(12) if number % 3 == customer]


def test_more_than_one_round_is_sent(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    numbers = range(ROOM * 2 + 1)
    for number in numbers:
        house.owe(connection, number, customer=number)
    house.settle(connection)

    assert len(klaviyo.events()) == len(numbers)
    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}


def test_with_nothing_owed_nothing_is_asked(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    house.send(connection)

    assert klaviyo.requests() == []
    assert house.bells == []


@pytest.mark.requirement("003-59")
def test_a_refused_phone_is_taken_out_at_once(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house, declined(phone=BAD_PHONE))
    house.send(connection)

    delivery = house.delivery()
    first, second = house.attempts()
    assert [told(first), told(second)] == [("first", 400), ("phone_removed", 202)]
    assert (phones_in(first), phones_in(second)) == (["+15550000101"] * 2, [None, None])
    assert (delivery.status, delivery.tries) == ("accepted", 2)
    assert PHONE_REMOVED in delivery.notes
    assert (first.number, second.number) == (1, 2)
    (event,) = klaviyo.events()
    assert event["unique_id"] == "1001"
    assert "phone_number" not in klaviyo.profile(JOHN)


@pytest.mark.requirement("003-59")
def test_a_refused_phone_is_remembered_until_it_changes(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house, declined(1, phone=BAD_PHONE))
    house.send(connection)
    owe(house, declined(2, phone=BAD_PHONE, at="2026-08-30 11:01:00"))
    house.send(connection)
    owe(house, declined(3, at="2026-08-30 11:02:00"))
    house.send(connection)

    assert [len(house.attempts(delivery)) for delivery in house.deliveries()] == [2, 1, 1]
    assert phones_in(house.attempts(house.deliveries()[1])[0]) == [None, None]
    assert klaviyo.profile(JOHN)["phone_number"] == PHONE


@pytest.mark.requirement("003-59")
def test_a_refused_phone_is_taken_out_also_when_nobody_can_remember_it(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house, declined(phone=BAD_PHONE))
    with house.db.write() as session:
        session.execute(update(Delivery).values(customer_id=None))
    house.send(connection)

    assert [told(attempt) for attempt in house.attempts()] == [("first", 400), ("phone_removed", 202)]
    assert house.delivery().status == "accepted"


def test_two_customers_with_bad_phones_each_get_their_own_second_try(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(
        house,
        declined(1, customer=1, email="a@acme.test", phone=BAD_PHONE),
        declined(2, customer=2, email="b@acme.test", phone="(555) 000-0102"),
        declined(3, customer=3, email="c@acme.test"),
    )
    house.send(connection)

    assert [len(house.attempts(delivery)) for delivery in house.deliveries()] == [2, 2, 1]
    assert len(klaviyo.events()) == 3


def test_a_phone_that_another_profile_has_is_taken_out(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("status", status=409)
    owe(house)
    house.send(connection)

    assert [told(attempt) for attempt in house.attempts()] == [("first", 409), ("phone_removed", 202)]
    assert house.delivery().status == "accepted"


def test_a_conflict_without_a_phone_fails(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("status", status=409, times=None)
    owe(house)
    house.send(connection)

    assert [told(attempt) for attempt in house.attempts()] == [("first", 409), ("phone_removed", 409)]
    assert (house.delivery().status, house.delivery().reason) == ("failed", "409 duplicate_profile /data")


def test_a_phone_that_klaviyo_ignores_is_noted(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("partial_failure")
    owe(house, declined(1))
    house.send(connection)
    owe(house, declined(2, at="2026-08-30 11:01:00"))
    house.send(connection)

    first, second = house.deliveries()
    assert (first.status, second.status) == ("accepted", "accepted")
    assert PHONE_IGNORED in first.notes
    assert PHONE_IGNORED not in second.notes
    assert [phones_in(house.attempts(delivery)[0])[0] for delivery in (first, second)] == [PHONE, None]


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


@pytest.mark.requirement("003-70")
def test_a_refused_key_stops_its_connection_and_nobody_else(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    revoked = house.connect("Revoked", REVOKED_KEY, beside=connection)
    owe(house, *[declined(number, customer=number, email=f"j{number}@acme.test") for number in (1, 2, 3)])
    house.send(connection, senders=1)

    assert {delivery.status for delivery in house.deliveries(connection)} == {"accepted"}
    held = house.deliveries(revoked)
    assert {(delivery.status, delivery.reason, delivery.tries) for delivery in held} == {("held", "key_rejected", 0)}
    assert [len(house.attempts(delivery)) for delivery in held] == [1, 0, 0]
    refused = house.connection(revoked)
    assert (refused.key_status, refused.status, refused.checked_at) == ("rejected", "key_rejected", house.clock())
    assert refused.key_reason.startswith("401 ")
    assert house.connection(connection).key_status == KeyStatus.UNCHECKED
    assert len([request for request in klaviyo.requests() if request["key"] == "revoked"]) == 1


def test_what_comes_for_a_refused_key_is_held_without_asking(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    house.change(connection, key_status=KeyStatus.REJECTED)
    owe(house)
    house.send(connection)

    assert klaviyo.requests() == []
    assert (house.delivery().status, house.delivery().reason) == ("held", "key_rejected")


def test_what_was_held_for_its_key_goes_out_when_the_key_is_good(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    klaviyo.fault("status", status=401)
    owe(house)
    house.send(connection)
    house.change(connection, key_status=KeyStatus.ACCEPTED)
    house.clock.advance(days=10)
    with house.db.write() as session:
        assert deliveries.resume_held(session, [connection.id], ["key_rejected"], house.clock()) == 1
    house.send(connection)

    assert house.delivery().status == "accepted"
    assert [told(attempt)[1] for attempt in house.attempts()] == [401, 202]


def test_a_page_of_the_proxy_says_nothing_of_the_key(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("html", status=403)
    owe(house)
    house.send(connection)

    assert house.delivery().status == "retrying"
    assert house.connection(connection).key_status == KeyStatus.UNCHECKED


def test_a_key_that_cannot_be_opened_holds_its_connection(house: House, connection: Connection) -> None:
    house.change(connection, key_sealed=b"not ours")
    owe(house)
    house.send(connection)

    assert (house.delivery().status, house.delivery().reason) == ("held", "key_rejected")
    (attempt,) = house.attempts()
    assert attempt.error is not None
    assert "ENCRYPTION_KEYS" in attempt.error


@pytest.mark.parametrize("status", [404, 405, 410, 415])
def test_a_refused_endpoint_holds_the_whole_lane_and_nothing_fails(
    house: House, connection: Connection, klaviyo: Klaviyo, status: int
) -> None:
    beside, other = house.connect("Beside", beside=connection), house.connect("Other", OTHER_ACCOUNT_KEY)
    klaviyo.fault("status", status=status)
    owe(house, declined(1, customer=1, email="a@acme.test"), declined(2, customer=2, email="b@acme.test"))
    house.send(connection, senders=1)

    held = house.deliveries(connection) + house.deliveries(beside)
    assert {(one.status, one.reason, one.tries) for one in held} == {("held", "endpoint_refused", 0)}
    assert sorted(len(house.attempts(delivery)) for delivery in held) == [0, 0, 0, 1]
    assert {delivery.status for delivery in house.deliveries(other)} == {"queued"}
    assert len(klaviyo.requests()) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_klaviyo_will_never_take_fails(
    house: House, connection: Connection, klaviyo: Klaviyo, status: int
) -> None:
    klaviyo.fault("status", status=status)
    owe(house)
    house.send(connection)

    delivery = house.delivery()
    assert (delivery.status, delivery.tries, delivery.finished_at) == ("failed", 1, house.clock())
    assert delivery.reason.startswith(str(status))
    assert house.attempts()[0].error == delivery.reason


@pytest.mark.parametrize("fault", [{"fault": "status", "status": 500}, {"fault": "reset"}, {"fault": "html"}])
def test_what_may_pass_later_is_tried_again_with_the_same_bytes(
    house: House, connection: Connection, klaviyo: Klaviyo, fault: dict[str, Any]
) -> None:
    klaviyo.fault(**fault)
    owe(house)
    house.send(connection)

    delivery = house.delivery()
    assert (delivery.status, delivery.tries) == ("retrying", 1)
    assert delivery.reason
    assert delivery.next_attempt_at is not None
    assert 4 <= (delivery.next_attempt_at - house.clock()).total_seconds() <= 6
    assert house.bells == []
    house.send(connection)
    assert len(klaviyo.requests()) == 1

    house.clock.now = delivery.next_attempt_at
    house.send(connection)
    delivery = house.delivery()
    first, second = house.attempts()
    assert (delivery.status, delivery.tries, delivery.reason) == ("accepted", 2, "")
    assert (second.trigger, second.response_status) == ("backoff", 202)
    assert first.request_body == second.request_body == sent_body(klaviyo, 1)
    assert [event["unique_id"] for event in klaviyo.events()] == ["1001"]


def test_the_tries_grow_apart_and_end_after_three_days(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("status", status=503, times=None)
    owe(house)
    began, waited = house.clock(), []
    while house.delivery().status in ("queued", "retrying"):
        house.send(connection)
        next_attempt_at = house.delivery().next_attempt_at
        if next_attempt_at:
            waited.append((next_attempt_at - house.clock()).total_seconds())
            house.clock.now = next_attempt_at

    assert house.delivery().status == "failed"
    assert house.delivery().reason.startswith("503")
    assert all(0.8 * plan <= wait <= 1.2 * plan for plan, wait in zip(BACKOFF_S, waited, strict=False))
    assert timedelta(days=3) <= house.clock() - began < timedelta(days=3, hours=15)


def test_a_break_before_or_after_it_took_effect_counts_once(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    klaviyo.fault("reset", processed=True)
    owe(house)
    house.send(connection)
    assert house.delivery().status == "retrying"
    assert house.attempts()[0].error == "the connection broke or was refused"
    house.clock.advance(seconds=10)
    house.send(connection)

    (event,) = klaviyo.events()
    assert event["repeats"] == 1
    assert house.delivery().status == "accepted"


def open_attempt(house: House, connection: Connection) -> str:
    """What a worker leaves that dies between its commit and Klaviyo's answer."""
    with house.db.write() as session:
        claimed = turns.claim_due(session, connection.account_id, house.clock(), 1)
        body = render(loads(claimed[0].delivery.request), connection.style, claimed[0].known)
        (opened,) = attempts.open_attempts(session, [(claimed[0], body)], house.klaviyo_url, house.clock())
    leases.acquire(house.db, f"lane/{connection.account_id}", "dead/1", house.clock())
    return opened


@pytest.mark.parametrize("arrived", [False, True])
def test_a_worker_that_was_killed_leaves_a_trace_and_nothing_counts_twice(
    house: House, connection: Connection, klaviyo: Klaviyo, arrived: bool
) -> None:
    owe(house)
    open_attempt(house, connection)
    if arrived:
        logged = house.attempts()[0]
        headers = {**logged.request_headers, "Authorization": f"Klaviyo-API-Key {key_of(house, connection)}"}
        house.http.post(logged.url, data=logged.request_body, headers=headers, timeout=5)
    house.send(connection)
    assert house.attempts()[0].error is None  # The dead one's lease is still good.

    house.clock.advance(seconds=LEASE_S + 1)
    house.send(connection)
    first, second = house.attempts()
    assert (first.error, first.response_status, first.duration_ms) == (INTERRUPTED, None, None)
    assert told(second) == ("interrupted", 202)
    assert (first.request_body, second.number) == (second.request_body, 2)
    assert [event["repeats"] for event in klaviyo.events()] == [int(arrived)]
    assert (house.delivery().status, house.delivery().tries) == ("accepted", 2)


def key_of(house: House, connection: Connection) -> str:
    return house.vault.unseal(connection.key_sealed, connection.workspace_id, connection.id)


@pytest.mark.requirement("003-D")
def test_late_news_never_overwrites_newer_news(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    newer, older = declined(1, at="2026-08-30 11:00:00"), declined(2, at="2026-08-30 10:00:00")
    older["webhook_data"]["transaction"]["customer"]["first_name"] = "Jonathan"
    older["webhook_data"]["transaction"]["order"]["tracking1"] = "old letter"
    newer["webhook_data"]["transaction"]["order"]["tracking1"] = "new letter"
    owe(house, newer)
    house.send(connection)
    owe(house, older)
    house.send(connection)

    profile = klaviyo.profile(JOHN)
    assert profile["first_name"] == "John"
    assert profile["properties"]["tracking1"] == "new letter"
    assert len(klaviyo.events()) == 2
    with house.db.read() as session:
        link = session.get_one(ProfileLink, (connection.id, house.customers()[0].id))
    assert link.accepted_as_of == datetime.fromisoformat("2026-08-30T11:00:00+00:00")


def test_a_date_of_the_far_future_does_not_silence_what_comes_after_it(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house, declined(1) | {"webhook_event_date": "2206-08-30 11:00:00"})
    house.send(connection)
    renamed = declined(2, at="2026-08-30 12:00:00")
    renamed["webhook_data"]["transaction"]["customer"]["first_name"] = "Jon"
    house.clock.advance(minutes=5)
    owe(house, renamed)
    house.send(connection)

    assert klaviyo.profile(JOHN)["first_name"] == "Jon"
    assert house.customers()[0].first_name == "Jon"


@pytest.mark.requirement("003-13")
def test_what_is_queued_when_the_connection_is_paused_is_held(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house)
    house.change(connection, active=False)
    house.send(connection)

    assert klaviyo.requests() == []
    assert (house.delivery().status, house.delivery().reason) == ("held", "connection_paused")
    assert house.bells == []


@pytest.mark.requirement("003-10")
def test_what_is_queued_when_push_events_is_switched_off_is_skipped(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    klaviyo.fault("status", status=500)
    owe(house, declined(1), declined(2))
    house.send(connection)
    house.change(connection, push_events=False)
    owe(house, declined(3))
    house.clock.advance(seconds=10)
    house.send(connection)

    assert [(one.status, one.reason) for one in house.deliveries()] == [
        ("skipped", "push_events_off"),
        ("accepted", ""),
        ("skipped", "push_events_off"),
    ]
    assert len(klaviyo.requests()) == 2


def test_a_switch_of_one_connection_leaves_its_neighbour_alone(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    paused = house.connect("Paused", beside=connection)
    owe(house)
    house.change(paused, active=False)
    house.send(connection)

    assert [delivery.status for delivery in house.deliveries(connection)] == ["accepted"]
    assert [delivery.status for delivery in house.deliveries(paused)] == ["held"]


def test_a_lane_that_somebody_else_works_on_is_left_alone(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house)
    taken = leases.acquire(house.db, f"lane/{connection.account_id}", "worker/2", house.clock())
    house.send(connection)

    assert klaviyo.requests() == []
    assert house.attempts() == []
    assert (lease_of(house, connection).owner, lease_of(house, connection).fence) == ("worker/2", taken and taken.fence)


def take_over(house: House, connection: Connection) -> Callable[[], None]:
    """Somebody else gets the lane, because its lease ended long ago."""

    def act() -> None:
        leases.acquire(house.db, f"lane/{connection.account_id}", "worker/2", house.clock() + timedelta(minutes=10))

    return act


def test_who_loses_the_lease_while_klaviyo_is_asked_writes_nothing(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house, declined(1, phone=BAD_PHONE), declined(2, customer=302, email="b@acme.test"))
    klaviyo.while_asked(take_over(house, connection))
    house.send(connection, senders=1)

    for delivery in house.deliveries():
        (attempt,) = house.attempts(delivery)
        assert (attempt.response_status, attempt.duration_ms, attempt.error) == (None, None, None)
        assert (delivery.status, delivery.tries, delivery.next_trigger) == ("queued", 0, "first")
    with house.db.read() as session:
        assert session.query(ProfileLink).count() == 0
    assert (lease_of(house, connection).owner, lease_of(house, connection).fence) == ("worker/2", 2)

    # Who has it now finds the traces, and sends again.
    leases.release(house.db, Lease(f"lane/{connection.account_id}", 2))
    house.send(connection)
    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}
    assert sorted(event["unique_id"] for event in klaviyo.events()) == ["1001", "1002"]


def test_who_loses_the_lease_does_not_judge_the_key_either(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house)
    klaviyo.key("good", key_of(house, connection), revoked=True)
    klaviyo.while_asked(take_over(house, connection))
    house.send(connection)

    assert house.delivery().status == "queued"
    assert house.connection(connection).key_status == KeyStatus.UNCHECKED


def test_the_attempt_is_committed_before_klaviyo_is_asked(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    seen: list[tuple[Any, ...]] = []

    def look() -> None:
        (attempt,) = house.attempts()
        seen.append((attempt.trigger, attempt.request_body, attempt.duration_ms, attempt.error))
        seen.append((lease_of(house, connection).owner,))
        # Nobody waits for the lane meanwhile.
        house.post(declined(99))

    owe(house)
    klaviyo.while_asked(look)
    house.send(connection)

    assert seen == [("first", sent_body(klaviyo), None, None), ("worker/1",)]
    assert house.delivery().status == "accepted"


def test_who_is_told_to_stop_begins_nothing(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house)
    house.send(connection, stopping=lambda: True)

    assert klaviyo.requests() == []
    assert house.bells == [("lane", connection.account_id)]
    assert lease_of(house, connection).owner is None


def test_who_is_told_to_stop_finishes_what_is_under_way(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    stop = threading.Event()
    owe(house, *[declined(number, customer=number, email=f"j{number}@acme.test") for number in range(5)])
    klaviyo.while_asked(stop.set)
    house.send(connection, stopping=stop.is_set, senders=1)

    first, *others = house.deliveries()
    assert [first.status, *(other.status for other in others)] == ["accepted"] + ["queued"] * 4
    assert [house.attempts(other) for other in others] == [[]] * 4
    assert lease_of(house, connection).owner is None
    assert house.bells == [("lane", connection.account_id)]


def test_what_comes_in_during_the_last_look_is_rung_for(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    """Its own bell rang in vain, because the lease was still held."""
    owe(house)
    klaviyo.while_asked(lambda: owe(house, declined(2)))
    house.send(connection)
    house.send(connection)

    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}


@pytest.mark.parametrize("number", range(3))
def test_several_workers_at_one_lane_send_each_once(
    house: House, connection: Connection, klaviyo: Klaviyo, number: int
) -> None:
    owe(house, *[declined(n, customer=n, email=f"j{n}@acme.test") for n in range(20)])
    workers = [threading.Thread(target=house.send, args=[connection, f"worker/{n}"]) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    house.settle(connection)

    assert len(klaviyo.requests()) == 20
    assert {event["repeats"] for event in klaviyo.events()} == {0}
    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}


def test_a_row_of_which_no_body_can_be_made_fails_alone_and_shows_why(house: House, connection: Connection) -> None:
    broken, sound = house.owe(connection, 1, customer=301), house.owe(connection, 2, customer=302)
    with house.db.write() as session:
        session.get_one(Delivery, broken.id).request = b'{"kind": "event"}'

    house.settle(connection)

    found = {delivery.id: delivery for delivery in house.deliveries()}
    assert (found[broken.id].status, found[sound.id].status) == ("failed", "accepted")
    assert "KeyError" in found[broken.id].reason


# Limits


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

    assert len(klaviyo.requests()) == 1
    wake_at = lease_of(house, connection).wake_at
    assert wake_at is not None
    assert timedelta(seconds=25) < wake_at - house.clock() <= timedelta(minutes=1)


def test_what_klaviyo_says_of_its_limits_is_kept_for_the_account(house: House, connection: Connection) -> None:
    with klaviyo_served(rate_limits=True, rate_limit_scale=2.0) as generous:
        house.klaviyo_url = generous.url
        owe(house)
        house.send(connection)

    with house.db.read() as session:
        account = session.get_one(KlaviyoAccount, connection.account_id)
    assert account.pacing["/api/events"]["limit"] == [700, 7000]


def test_live_ones_go_before_retries_before_replays_before_history(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    for number, lane_order in enumerate((BACKFILL, REPLAY, RETRY, LIVE)):
        owed = house.owe(connection, number, customer=number)
        with house.db.write() as session:
            session.get_one(Delivery, owed.id).lane_order = lane_order
    house.settle(connection, senders=1)

    assert [event["unique_id"] for event in klaviyo.events()] == ["1003", "1002", "1001", "1000"]


def test_history_starts_no_flow(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owed = house.owe(connection)
    with house.db.write() as session:
        session.get_one(Delivery, owed.id).backfill = True
    house.settle(connection)

    assert json.loads(house.attempts()[0].request_body)["data"]["attributes"]["backfill"] is True
    assert house.delivery().status == "accepted"


# The circuit


def test_a_run_of_failures_stops_the_lane_before_every_delivery_has_lost_a_try(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    klaviyo.fault("status", status=503, times=None)
    owe(house, *[declined(number, customer=number, email=f"j{number}@acme.test") for number in range(12)])
    house.send(connection, senders=1)

    assert len(klaviyo.requests()) == CIRCUIT_OPENS_AT
    assert [delivery.tries for delivery in house.deliveries()] == [1] * CIRCUIT_OPENS_AT + [0] * 7
    wake_at = lease_of(house, connection).wake_at
    assert wake_at is not None
    assert house.bells == []

    # One asks whether Klaviyo is back, and the next waits longer.
    house.clock.now = wake_at
    house.send(connection)
    assert len(klaviyo.requests()) == CIRCUIT_OPENS_AT + 1
    longer = lease_of(house, connection).wake_at
    assert longer is not None
    assert longer - house.clock() > timedelta(seconds=8)


def test_when_klaviyo_is_back_everything_goes_on(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("reset", times=CIRCUIT_OPENS_AT)
    owe(house, *[declined(number, customer=number, email=f"j{number}@acme.test") for number in range(12)])
    house.settle(connection, senders=1)
    house.clock.advance(seconds=7)
    house.settle(connection)

    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}
    with house.db.read() as session:
        assert session.get_one(KlaviyoAccount, connection.account_id).failures == 0


def test_one_that_always_fails_among_others_that_do_not_opens_no_circuit(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    klaviyo.fault("status", status=500, times=None, match={"unique_id": "1000"})
    for number in range(CIRCUIT_OPENS_AT * 2):
        owe(house, declined(number, customer=number, email=f"j{number}@acme.test"))
        house.clock.advance(hours=13)
        house.settle(connection)

    first, *others = house.deliveries()
    assert first.status in ("retrying", "failed")
    assert {other.status for other in others} == {"accepted"}
    assert lease_of(house, connection).wake_at is None


# One Klaviyo account behind several connections


def lanes(house: House) -> set[str]:
    with house.db.read() as session:
        return set(session.scalars(select(KlaviyoAccount.id)))


def test_two_connections_of_one_klaviyo_account_share_its_lane(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    second = house.connect("Second")
    owe(house, *[declined(number, customer=number, email=f"j{number}@acme.test") for number in range(3)])
    house.settle(connection)
    assert lanes(house) == {connection.account_id, second.account_id}
    house.settle(second)
    assert len(klaviyo.requests()) < 6 or house.bells == []
    house.settle(second)

    assert house.connection(second).account_id == connection.account_id
    assert lanes(house) == {connection.account_id}
    house.settle(connection)
    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}
    assert {event["repeats"] for event in klaviyo.events()} == {1}  # Each connection sends it, with the same id.


def test_as_soon_as_klaviyo_tells_whose_key_it_is_the_older_lane_takes_over(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house)
    house.settle(connection)
    second = house.connect("Second")
    for number in range(12):
        house.owe(second, 10 + number, customer=10 + number)
    house.send(second, senders=1)
    by_itself = len(klaviyo.requests()) - 1
    house.settle(second)
    house.settle(connection)

    assert 1 <= by_itself < 12
    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}


def test_the_smaller_cap_holds_for_both(house: House, connection: Connection) -> None:
    second = house.connect("Second")
    with house.db.write() as session:
        session.get_one(KlaviyoAccount, connection.account_id).klaviyo_id = "SbxA01"
        young = session.get_one(KlaviyoAccount, second.account_id)
        young.klaviyo_id, young.rate_per_minute, young.name = "SbxA01", 600, "Acme"
    house.settle(second)

    with house.db.read() as session:
        account = session.get_one(KlaviyoAccount, connection.account_id)
    assert (account.rate_per_minute, account.name) == (600, "Acme")
    assert house.bells == [("lane", connection.account_id)]


def test_lanes_that_merge_while_they_work_lose_and_double_nothing(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    others = [house.connect(f"Other {number}") for number in range(3)]
    everybody = [connection, *others]
    owe(house, *[declined(n, customer=n, email=f"j{n}@acme.test") for n in range(10)])
    while any(delivery.status == "queued" for delivery in house.deliveries()):
        workers = [
            threading.Thread(target=house.send, args=[house.connection(one), f"worker/{n}"])
            for n, one in enumerate(everybody)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    for one in others:
        house.settle(house.connection(one))

    assert lanes(house) == {connection.account_id}
    assert {house.connection(one).account_id for one in others} == {connection.account_id}
    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}
    assert {attempt.error for one in house.deliveries() for attempt in house.attempts(one)} == {None}
    assert len(klaviyo.requests()) == 40


def test_a_lane_with_something_under_way_is_not_moved(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    """What the older lane would take for the trace of a dead worker would be sent again while it is under way."""
    second = house.connect("Second")
    owe(house)
    with house.db.write() as session:
        for one in (connection, second):
            session.get_one(KlaviyoAccount, one.account_id).klaviyo_id = "SbxA01"
    leases.acquire(house.db, f"lane/{second.account_id}", "worker/2", house.clock())
    house.settle(second)

    assert house.connection(second).account_id != connection.account_id


# What workers die of


def die_with(house: House, connection: Connection) -> None:
    """A worker claims what is next, and dies."""
    open_attempt(house, connection)
    house.clock.advance(seconds=LEASE_S + 1)


def test_what_three_workers_died_of_is_set_aside_and_says_so(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    poison, other = house.owe(connection, 1, customer=1), house.owe(connection, 2, customer=2)
    for _ in range(3):
        die_with(house, connection)
    house.settle(connection)

    found = {delivery.id: delivery for delivery in house.deliveries()}
    assert (found[poison.id].status, found[other.id].status) == ("failed", "accepted")
    assert (found[poison.id].reason, found[poison.id].deaths) == (DEADLY_REASON, 3)
    assert found[poison.id].finished_at is not None
    assert {attempt.error for attempt in house.attempts(poison)} == {INTERRUPTED}
    assert [event["unique_id"] for event in klaviyo.events()] == ["1002"]


@pytest.mark.parametrize("ahead", [False, True])
def test_what_a_worker_died_of_is_tried_alone(
    house: House, connection: Connection, klaviyo: Klaviyo, ahead: bool
) -> None:
    suspect = house.owe(connection, 1, customer=1)
    die_with(house, connection)
    if ahead:
        with house.db.write() as session:
            session.get_one(Delivery, suspect.id).next_attempt_at = house.clock() + timedelta(seconds=1)
    for number in range(2, 12):
        house.owe(connection, number, customer=number)
    house.clock.advance(seconds=1)
    beside: list[int] = []

    def look() -> None:
        with house.db.read() as session:
            open_ = select(Attempt.id).where(Attempt.duration_ms.is_(None), Attempt.error.is_(None))
            beside.append(len(session.scalars(open_).all()))

    klaviyo.while_asked(look, unique_id="1001")
    house.settle(connection)

    order = [event["unique_id"] for event in klaviyo.events()]
    assert order.index("1001") == (10 if ahead else 0)
    assert beside == [1]
    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}
    assert len(house.attempts(suspect)) == 2


# Late never overwrites new


@pytest.mark.parametrize("killed", [False, True])
def test_what_may_have_arrived_is_not_overwritten_by_older_news(
    house: House, connection: Connection, klaviyo: Klaviyo, killed: bool
) -> None:
    for number, name, age in ((1, "Jon", 0), (2, "Johnny", 1)):
        request = event(f"{number}", profile=Profile(email=JOHN, first_name=name))
        house.owe(connection, number, as_of=house.clock() - timedelta(hours=age), request=request)
    if killed:
        open_attempt(house, connection)
        logged = house.attempts(house.deliveries()[0])[0]
        headers = {**logged.request_headers, "Authorization": f"Klaviyo-API-Key {key_of(house, connection)}"}
        house.http.post(logged.url, data=logged.request_body, headers=headers, timeout=5)
        with house.db.write() as session:
            session.get_one(Delivery, logged.delivery_id).lane_order = RETRY
        house.clock.advance(seconds=LEASE_S + 1)
    else:
        klaviyo.fault("reset", processed=True)
    house.send(connection)

    assert [json.loads(request["body"])["data"]["attributes"]["unique_id"] for request in klaviyo.requests()][:2] == [
        "1",
        "2",
    ]
    assert klaviyo.profile(JOHN)["first_name"] == "Jon"


def test_a_customer_with_very_many_does_not_keep_the_others_waiting(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    for number in range(ROOM * 6):
        house.owe(connection, number, customer=1)
    for number in range(5):
        house.owe(connection, 9000 + number, customer=2 + number)
    with house.db.read() as session:
        claimed = turns.claim_due(session, connection.account_id, house.clock(), ROOM)

    assert [due.delivery.unique_id for due in claimed] == ["1000", *(f"{10_000 + number}" for number in range(5))]
