"""A connection is made well again at the very moment at which its lane looks at it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from tests.building import House
from tests.steered import Klaviyo
from vrio_klaviyo.store import holding
from vrio_klaviyo.store.connections import Connection, KeyStatus
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.holding import CONNECTION_PAUSED, KEY_REJECTED

# SQLite lets nobody write while the lane does.
pytestmark = pytest.mark.parametrize("standing", ["postgresql"], indirect=True)

SWITCHES = pytest.mark.parametrize(
    ("switch", "ill", "well"),
    [
        ("key_status", KeyStatus.REJECTED, KeyStatus.ACCEPTED),
        ("active", False, True),
        ("push_events", False, True),
    ],
)


def make_well(session: Session, house: House, connection: Connection, switch: str, well: object) -> None:
    """What a person does, or a check of the key: the switch, and then what was held by it."""
    setattr(session.get_one(Connection, connection.id), switch, well)
    session.flush()
    holding.resume_held(session, [connection.id], [KEY_REJECTED, CONNECTION_PAUSED], house.clock())


@contextmanager
def once_the_lane_has_looked(house: House) -> Iterator[list[Any]]:
    """What is put into this list is done between the lane's look at its connections and what it makes of it."""
    acts: list[Any] = []

    def look(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if acts and "key_sealed" in statement:
            acts.pop()()

    event.listen(house.db.engine, "after_cursor_execute", look)
    yield acts
    event.remove(house.db.engine, "after_cursor_execute", look)


@SWITCHES
def test_what_is_let_go_while_the_lane_looks_is_not_kept_for_ever(
    house: House, connection: Connection, klaviyo: Klaviyo, switch: str, ill: object, well: object
) -> None:
    house.owe(connection)
    house.change(connection, **{switch: ill})

    def let_go() -> None:
        with house.db.write() as session:
            make_well(session, house, connection, switch, well)

    with once_the_lane_has_looked(house) as acts:
        acts.append(let_go)
        house.settle(connection)

    assert acts == []
    assert house.delivery().status == "accepted"


@SWITCHES
def test_while_somebody_is_about_to_let_go_the_lane_neither_sends_nor_holds_nor_waits(
    house: House, connection: Connection, klaviyo: Klaviyo, switch: str, ill: object, well: object
) -> None:
    house.owe(connection)
    house.change(connection, **{switch: ill})
    with house.db.write() as session:
        make_well(session, house, connection, switch, well)
        house.bells.clear()
        house.send(connection)
        assert klaviyo.requests() == []
        assert house.delivery().status == "queued"
        assert house.bells == [("lane", connection.account_id)]
    house.settle(connection)

    assert house.delivery().status == "accepted"
