"""The database goes away while Klaviyo is being asked: nobody died of that."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest
from sqlalchemy.exc import OperationalError

from tests.building import House
from tests.steered import Klaviyo
from vrio_klaviyo.lane import Lane
from vrio_klaviyo.recording import Standing, Told, record
from vrio_klaviyo.sending import Sent
from vrio_klaviyo.store import leases
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.db import Database, Session
from vrio_klaviyo.store.results import INTERRUPTED

OTHERS = 30


class Fickle(Database):
    """Takes nothing for so many transactions as it was told."""

    away = 0

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session, or none."""
        if self.away:
            self.away -= 1
            raise OperationalError("", {}, Exception("away"))
        with super().write() as session:
            yield session


@pytest.fixture
def fickle(house: House) -> Iterator[Fickle]:
    house.db, db = Fickle(house.db.engine.url), house.db  # type: ignore[arg-type]
    yield house.db
    house.db.close()
    house.db = db


def interrupted(lane: Lane, fickle: Fickle, klaviyo: Klaviyo, connection: Connection, transactions: int) -> None:
    """Work on the lane, while the database goes away for so many of its transactions."""
    klaviyo.while_asked(lambda: setattr(fickle, "away", transactions), unique_id="1001")
    with pytest.raises(OperationalError):
        lane.drain(connection.account_id, "worker/1")
    fickle.away = 0


def test_an_outage_is_nobody_s_death(house: House, fickle: Fickle, connection: Connection, klaviyo: Klaviyo) -> None:
    first = house.owe(connection, 1, customer=1)
    lane = house.lane()
    for _ in range(3):
        interrupted(lane, fickle, klaviyo, connection, 99)
        # As the worker does when the database is back.
        with house.db.write() as session:
            leases.free(session, "worker/1")
    lane.drain(connection.account_id, "worker/1")

    assert (house.delivery().status, house.delivery().deaths) == ("accepted", 0)
    assert [attempt.error for attempt in house.attempts(first)] == [INTERRUPTED] * 3 + [None]
    assert [event["unique_id"] for event in klaviyo.events()] == ["1001"]


def test_who_comes_next_finds_it_told_when_the_lane_is_given_back(
    house: House, fickle: Fickle, connection: Connection, klaviyo: Klaviyo
) -> None:
    first = house.owe(connection, 1, customer=1)
    lane = house.lane()
    for _ in range(3):
        interrupted(lane, fickle, klaviyo, connection, 99)
        lane.own_up()
        with house.db.write() as session:
            leases.free(session, "worker/1")
    house.send(connection, "worker/2")

    assert (house.delivery().status, house.delivery().deaths) == ("accepted", 0)
    assert [attempt.error for attempt in house.attempts(first)] == [INTERRUPTED] * 3 + [None]


def test_what_somebody_else_has_under_way_by_then_is_left_to_it(
    house: House, fickle: Fickle, connection: Connection, klaviyo: Klaviyo
) -> None:
    house.owe(connection, 1, customer=1)
    lane = house.lane()
    interrupted(lane, fickle, klaviyo, connection, 99)
    with house.db.write() as session:
        leases.free(session, "worker/1")
    klaviyo.while_asked(lane.own_up)
    house.send(connection, "worker/2")

    assert house.delivery().status == "accepted"
    assert [attempt.response_status for attempt in house.attempts()] == [None, 202]


def test_what_waited_for_its_turn_meanwhile_has_not_died_either(
    house: House, fickle: Fickle, connection: Connection, klaviyo: Klaviyo
) -> None:
    for number in range(1, OTHERS):
        house.owe(connection, number, customer=number)
    interrupted(house.lane(senders=1), fickle, klaviyo, connection, 1)
    # By now whoever comes finds it told.
    house.send(connection, "worker/2")
    house.settle(connection)

    assert {(one.status, one.deaths) for one in house.deliveries()} == {("accepted", 0)}
    assert {event["repeats"] for event in klaviyo.events()} <= {0, 1}


def test_what_a_worker_died_of_before_an_outage_still_counts(
    house: House, fickle: Fickle, connection: Connection, klaviyo: Klaviyo
) -> None:
    house.owe(connection, 1, customer=1)
    house.begin(connection)
    lane = house.lane()
    interrupted(lane, fickle, klaviyo, connection, 99)
    with house.db.write() as session:
        leases.free(session, "worker/1")
    lane.drain(connection.account_id, "worker/1")

    assert (house.delivery().status, house.delivery().deaths) == ("accepted", 1)


def test_a_fault_in_the_lane_itself_is_blamed_on_what_was_under_way(
    house: House, connection: Connection, klaviyo: Klaviyo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What had not begun yet cannot have caused it."""
    for number in range(1, OTHERS):
        house.owe(connection, number, customer=number)

    def broken(session: Session, standing: Standing, came: list[Sent], now: datetime) -> list[Told]:
        if came:
            raise ZeroDivisionError
        return record(session, standing, came, now)

    monkeypatch.setattr("vrio_klaviyo.lane.record", broken)
    with pytest.raises(ZeroDivisionError):
        house.send(connection, senders=1)
    monkeypatch.undo()

    died = [delivery for delivery in house.deliveries() if delivery.deaths]
    assert 0 < len(died) <= len(klaviyo.requests())
    house.settle(connection)
    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}
