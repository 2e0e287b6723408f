"""Deliveries that failed, a replay of them, and how far it has come."""

from typing import Any

from sqlalchemy import update

from tests.bodies import declined
from tests.building import House
from vrio_klaviyo import replaying
from vrio_klaviyo.replaying import Plan, Replayer
from vrio_klaviyo.store import replays
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.listing import Wanted
from vrio_klaviyo.store.replays import Replay

FAILED = Wanted(status=["failed"])


def owe(house: House, numbers: range, *, at: str = "2026-08-30 11:00:00") -> None:
    """One delivery for each of these numbers, due now."""
    for number in numbers:
        house.post(declined(number, customer=number, email=f"j{number}@acme.test", phone="", at=at))
    house.take_in()


def failures(house: House, connection: Connection, numbers: range, **how: Any) -> list[Delivery]:
    """Deliveries that were given up without having reached Klaviyo."""
    owe(house, numbers, **how)
    with house.db.write() as session:
        given_up = {"status": "failed", "reason": "503", "next_attempt_at": None, "finished_at": house.clock()}
        session.execute(update(Delivery).where(Delivery.connection_id == connection.id).values(given_up))
    return house.deliveries(connection)


def start(house: House, connection: Connection, wanted: Wanted = FAILED, **how: Any) -> Replay:
    """Begin a replay."""
    with house.db.write() as session:
        return replaying.start(session, connection, wanted, house.clock(), started_by="command line", **how)


def advance(house: House, replay: Replay, owner: str = "worker/1") -> None:
    """One round of a replay."""
    Replayer(db=house.db, ring=house.ring, now=house.clock).advance(replay.id, owner)


def run(house: House, connection: Connection, replay: Replay) -> Replay:
    """As many rounds as a replay takes, one every second, with the lane after each."""
    for _ in range(100):
        advance(house, replay)
        house.settle(connection)
        if status(house, replay).status != "running":
            return status(house, replay)
        house.clock.advance(seconds=1)
    raise AssertionError(f"it does not end: {results(house, replay)}")


def status(house: House, replay: Replay) -> Replay:
    """A replay as it stands."""
    with house.db.read() as session:
        return replays.find_replay(session, replay.id)


def results(house: House, replay: Replay) -> dict[str, int]:
    """How many of its deliveries stand how, where there are any."""
    with house.db.read() as session:
        told = replays.results(session, replays.find_replay(session, replay.id))
    return {name: number for name, number in told.items() if number}


def planned(house: House, wanted: Wanted) -> list[Plan]:
    """What a replay of these would send."""
    with house.db.read() as session:
        return replaying.plan(session, house.source.workspace_id, wanted)


def queued(house: House) -> list[Delivery]:
    """What waits for the lane."""
    return [delivery for delivery in house.deliveries() if delivery.status == "queued"]
