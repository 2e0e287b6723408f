"""What came of each delivery of a replay."""

from sqlalchemy import update

from tests.building import House
from tests.replaying.replayed import failures, results, run, start, status
from tests.steered import Klaviyo
from vrio_klaviyo.sending_again import send_again
from vrio_klaviyo.store import replays
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.memory import RecordRow


def test_what_fails_again_is_counted_and_listed(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    failures(house, connection, range(3))
    klaviyo.fault("status", status=400)
    replay = run(house, connection, start(house, connection))

    assert (replay.summary["accepted"], replay.summary["failed"]) == (2, 1)
    (failed,) = [one for one in house.deliveries() if one.status == "failed"]
    with house.db.read() as session:
        listed = [(one.id, reason) for one, reason in replays.failures(session, replay)]
    assert listed == [(failed.id, failed.reason)]


def test_what_cannot_pass_now_is_retried_like_anything_else(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    failures(house, connection, range(1))
    klaviyo.fault("status", status=503)
    replay = run(house, connection, start(house, connection))
    assert replay.summary["retrying"] == 1
    house.clock.advance(minutes=1)
    house.settle(connection)

    assert house.delivery().status == "accepted"
    assert [attempt.trigger for attempt in house.attempts()] == ["replay", "backoff"]
    # It was over when each had had its turn; what comes later is another story.
    assert results(house, replay) == {"retrying": 1}


def test_what_stands_otherwise_by_then_is_left_out(house: House, connection: Connection) -> None:
    first, second = failures(house, connection, range(2))
    replay = start(house, connection, rate=1)
    with house.db.write() as session:
        send_again(session, second.id, house.clock())
    house.settle(connection)
    run(house, connection, replay)

    assert results(house, replay) == {"accepted": 1, "left_out": 1}
    assert [len(house.attempts(one)) for one in (first, second)] == [1, 1]
    with house.db.read() as session:
        (missed,) = replays.failures(session, status(house, replay))
    assert missed[1] == "It stands otherwise since the list was made: it is accepted."


def test_one_that_cannot_be_built_does_not_stop_the_others(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    first, *_ = failures(house, connection, range(1, 4))
    with house.db.write() as session:
        session.execute(update(RecordRow).where(RecordRow.vrio_customer_id == "1").values(body=b"nonsense"))
    replay = run(house, connection, start(house, connection, rebuild=True))

    assert (replay.summary["accepted"], replay.summary["left_out"]) == (2, 1)
    with house.db.read() as session:
        assert [(one.id, why) for one, why in replays.failures(session, replay)] == [
            (first.id, "Building it again failed (JSONDecodeError).")
        ]


def test_a_row_that_cannot_be_read_fails_in_the_lane_and_shows_why(house: House, connection: Connection) -> None:
    first, *_ = failures(house, connection, range(2))
    house.change(first, request=b"nonsense")
    replay = run(house, connection, start(house, connection))

    assert (replay.summary["accepted"], replay.summary["failed"]) == (1, 1)
    assert house.deliveries()[0].reason.startswith("Traceback")
