"""What went wrong, grouped by its cause."""

from datetime import UTC, datetime

from sqlalchemy import update

from tests.building import House
from vrio_klaviyo.store.causes import groups_by_cause
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.ids import moment_of_id
from vrio_klaviyo.store.resending import look_at
from vrio_klaviyo.store.workspaces import add_workspace


def stuck(house: House, connection: Connection, number: int, reason: str, status: str = "failed") -> str:
    delivery = house.owe(connection, number)
    with house.db.write() as session:
        session.execute(update(Delivery).where(Delivery.id == delivery.id).values(status=status, reason=reason))
    return delivery.id


def test_deliveries_are_grouped_by_status_and_cause_over_all_connections(house: House) -> None:
    first, second = house.connect("First"), house.connect("Second")
    refused = [stuck(house, first, 1, "503"), stuck(house, second, 2, "503")]
    held = stuck(house, first, 3, "key_rejected", "held")
    house.owe(first, 4)
    with house.db.read() as session:
        groups = groups_by_cause(session, house.source.workspace_id)
        of_second = groups_by_cause(session, house.source.workspace_id, connections=[second.id])
        only_held = groups_by_cause(session, house.source.workspace_id, statuses=["held"])

    assert [(group.status, group.cause, group.count) for group in groups] == [
        ("held", "key_rejected", 1),
        ("failed", "503", 2),
    ]
    assert (groups[1].sample, groups[1].first_at) == (refused[1], moment_of_id(refused[0]))
    assert [(group.cause, group.count) for group in of_second] == [("503", 1)]
    assert [group.sample for group in only_held] == [held]


def test_a_traceback_is_a_cause_by_its_beginning(house: House) -> None:
    """An index takes no whole page, and what failed alike shall stand together."""
    connection = house.connect()
    for number in (1, 2):
        stuck(house, connection, number, "Traceback (most recent call last):\n" + "x" * 9000 + str(number))
    with house.db.read() as session:
        (group,) = groups_by_cause(session, house.source.workspace_id)

    assert (group.count, len(group.cause)) == (2, 200)


def test_only_what_was_made_since_is_counted(house: House) -> None:
    connection = house.connect()
    first = stuck(house, connection, 1, "503")
    second = stuck(house, connection, 2, "400 invalid /data")
    with house.db.read() as session:
        groups = groups_by_cause(session, house.source.workspace_id, since=moment_of_id(second))

    assert second in [group.sample for group in groups]
    assert first not in [group.sample for group in groups] or moment_of_id(first) == moment_of_id(second)


def test_failures_are_parted_by_whether_somebody_looked_at_them(house: House) -> None:
    connection = house.connect()
    looked, other = stuck(house, connection, 1, "503"), stuck(house, connection, 2, "503")
    with house.db.write() as session:
        look_at(session, [looked], house.clock())
    with house.db.read() as session:
        workspace = house.source.workspace_id
        still_open = groups_by_cause(session, workspace, statuses=["failed"], looked_at=False)
        put_aside = groups_by_cause(session, workspace, statuses=["failed"], looked_at=True)
        (both,) = groups_by_cause(session, workspace)

    assert [(group.sample, group.count) for group in still_open] == [(other, 1)]
    assert [(group.sample, group.count) for group in put_aside] == [(looked, 1)]
    assert both.count == 2


def test_only_what_was_made_before_is_counted(house: House) -> None:
    connection = house.connect()
    stuck(house, connection, 1, "503")
    with house.db.read() as session:
        assert groups_by_cause(session, house.source.workspace_id, until=datetime(2000, 1, 1, tzinfo=UTC)) == []
        assert groups_by_cause(session, house.source.workspace_id, until=datetime(2100, 1, 1, tzinfo=UTC)) != []


def test_nothing_of_another_workspace_is_grouped(house: House) -> None:
    connection = house.connect()
    stuck(house, connection, 1, "503")
    with house.db.write() as session:
        other = add_workspace(session, "Another").id
        assert groups_by_cause(session, other) == []
        assert groups_by_cause(session, other, connections=[connection.id]) == []
