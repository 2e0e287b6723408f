"""
What Klaviyo has taken once is accepted for good: sending it again may fail in any way, and everybody still sees that.

The delivery says so with a note, its log shows every attempt, it is on no list of failures, and no figure loses it.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.bodies import declined
from tests.building import House
from tests.lane.owed import open_attempt
from tests.sending_again.once_more import again, owe
from tests.steered import Klaviyo
from vrio_klaviyo import replaying
from vrio_klaviyo.store import replays
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.leases import LEASE_S
from vrio_klaviyo.store.listing import Wanted

BEFORE = "Klaviyo had taken this before. Sending it again on 30 Aug 2026 was in vain: "


@pytest.fixture
def taken(house: House, connection: Connection) -> Delivery:
    """A delivery that Klaviyo took at once."""
    house.post(declined(phone=""))
    house.take_in()
    house.send(connection)
    assert house.delivery().status == "accepted"
    return house.delivery()


def replayed(house: House, connection: Connection) -> str:
    """The id of a replay of what is accepted."""
    with house.db.write() as session:
        return replaying.start(session, connection, Wanted(status=["accepted"]), house.clock(), started_by="me").id


def advance(house: House, replay_id: str) -> None:
    replaying.Replayer(db=house.db, ring=house.ring, now=house.clock).advance(replay_id, "worker/1")


def is_answered(status: int) -> Callable[[House, Connection, Klaviyo], None]:
    def fails(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
        klaviyo.fault("status", status=status)
        house.send(connection)

    return fails


def cannot_be_made(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    with house.db.write() as session:
        session.execute(update(Delivery).values(request=b"{}", same_as=None))
    house.send(connection)


def is_switched_off(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    house.change(connection, push_events=False)
    house.send(connection)


@pytest.mark.parametrize(
    ("fails", "why"),
    [
        (is_answered(400), "400 invalid /data"),
        (is_answered(503), "503 error /data"),
        (cannot_be_made, "KeyError: 'kind'"),
        (is_switched_off, "Push Events was switched off."),
    ],
    ids=["refused", "in trouble", "broken", "switched off"],
)
def test_it_stays_accepted_and_says_why_it_was_in_vain(
    house: House,
    connection: Connection,
    klaviyo: Klaviyo,
    taken: Delivery,
    fails: Callable[[House, Connection, Klaviyo], None],
    why: str,
) -> None:
    again(house, taken)
    fails(house, connection, klaviyo)

    after = house.delivery()
    assert (after.id, after.status, after.reason, after.asked) == (taken.id, "accepted", "", "")
    assert after.notes == [*taken.notes, BEFORE + why]
    assert (after.next_attempt_at, after.finished_at) == (None, house.clock())
    assert house.attempts()[0].response_status == 202
    # It holds its key, so that the webhook's repeat opens nothing.
    house.change(connection, push_events=True)
    house.post(declined(phone="") | {"webhook_event_id": 7999})
    house.take_in()
    assert [one.id for one in house.deliveries()] == [taken.id]


def test_it_stays_accepted_when_its_workers_die(
    house: House, connection: Connection, klaviyo: Klaviyo, taken: Delivery
) -> None:
    again(house, taken)
    for _ in range(3):
        open_attempt(house, connection)
        house.clock.advance(seconds=LEASE_S + 1)
        klaviyo.fault("status", status=429)
        house.send(connection)
        house.clock.advance(minutes=5)

    after = house.delivery()
    assert (after.status, after.reason) == ("accepted", "")
    assert after.notes[-1].startswith(BEFORE + "Three workers died")


def test_what_was_never_taken_fails_as_ever(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("status", status=400, times=2)
    house.post(declined(phone=""))
    house.take_in()
    house.send(connection)
    again(house, house.delivery())
    house.send(connection)

    assert (house.delivery().status, house.delivery().notes) == ("failed", [])


def test_what_was_never_taken_is_skipped_as_ever_when_push_events_is_switched_off(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    klaviyo.fault("status", status=400)
    house.post(declined(phone=""))
    house.take_in()
    house.send(connection)
    again(house, house.delivery())
    is_switched_off(house, connection, klaviyo)

    assert (house.delivery().status, house.delivery().reason) == ("skipped", "push_events_off")


def test_a_replay_counts_it_as_failed_and_lists_it_with_the_reason(
    house: House, connection: Connection, klaviyo: Klaviyo, taken: Delivery
) -> None:
    klaviyo.fault("status", status=400)
    replay_id = replayed(house, connection)
    for _ in range(2):
        advance(house, replay_id)
        house.settle(connection)
        house.clock.advance(seconds=2)

    with house.db.read() as session:
        replay = replays.find_replay(session, replay_id)
        assert replay.status == "done"
        assert {name: count for name, count in replays.results(session, replay).items() if count} == {"failed": 1}
        assert [(one.id, why) for one, why in replays.failures(session, replay)] == [
            (taken.id, BEFORE + "400 invalid /data")
        ]
    assert house.delivery().status == "accepted"


def test_a_replay_that_is_in_vain_for_three_days_leaves_it_accepted(
    house: House, connection: Connection, klaviyo: Klaviyo, taken: Delivery
) -> None:
    klaviyo.fault("status", status=503, times=None)
    advance(house, replayed(house, connection))
    began = house.clock()
    house.send(connection)
    while (waiting := house.delivery()).status == "retrying":
        house.clock.now = waiting.next_attempt_at or began
        house.send(connection)

    assert house.clock() - began >= timedelta(days=3)
    assert house.delivery().status == "accepted"
    assert "was in vain: 503" in house.delivery().notes[-1]


def test_sent_again_with_success_it_has_no_such_note(
    house: House, connection: Connection, klaviyo: Klaviyo, taken: Delivery
) -> None:
    again(house, taken)
    house.clock.now += timedelta(seconds=1)
    house.send(connection)

    assert (house.delivery().status, house.delivery().notes) == ("accepted", taken.notes)


def test_what_klaviyo_had_taken_stays_accepted_although_sending_again_is_in_vain(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house)
    house.send(connection)
    klaviyo.fault("status", status=503)
    again(house)
    house.send(connection)

    assert (house.delivery().status, house.delivery().reason) == ("accepted", "")
    assert [attempt.response_status for attempt in house.attempts()] == [202, 503]
