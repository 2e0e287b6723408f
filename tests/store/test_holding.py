"""Holding: what is owed stands still for a reason, and goes on when that is gone."""

from tests.building import NOON, House
from vrio_klaviyo.store import holding, turns
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.holding import CONNECTION_PAUSED, ENDPOINT_REFUSED, KEY_REJECTED


def test_what_is_owed_is_held_and_goes_on(house: House, connection: Connection) -> None:
    owed = [house.owe(connection, number, customer=number) for number in range(1, 7)]
    for delivery, status in zip(owed[1:], ("retrying", "accepted", "failed", "skipped"), strict=False):
        house.change(delivery, status=status)
    house.owe(house.connect("Other"), 9)
    with house.db.write() as session:
        assert holding.hold_owed(session, [connection.id], CONNECTION_PAUSED) == 3
    assert [(one.status, one.reason, one.next_attempt_at) for one in house.deliveries(connection)][:2] == [
        ("held", CONNECTION_PAUSED, None),
        ("held", CONNECTION_PAUSED, None),
    ]
    house.clock.advance(hours=1)
    with house.db.write() as session:
        assert holding.resume_held(session, [connection.id], [KEY_REJECTED, ENDPOINT_REFUSED], house.clock()) == 0
        assert holding.resume_held(session, [connection.id], [CONNECTION_PAUSED], house.clock()) == 3
        due = turns.claim_due(session, connection.account_id, house.clock(), 16)

    assert [one.delivery.unique_id for one in due] == ["1001", "1002", "1006"]
    resumed = house.deliveries(connection)[0]
    # The three days of tries begin anew.
    assert (resumed.status, resumed.reason, resumed.queued_at) == ("queued", "", house.clock())
    assert resumed.created_at == NOON


def test_what_is_owed_is_skipped_when_a_person_switches_off(house: House, connection: Connection) -> None:
    house.owe(connection, 1)
    house.change(house.owe(connection, 2), status="accepted")
    with house.db.write() as session:
        assert holding.skip_owed(session, connection.id, "push_events_off", NOON) == 1

    assert [(one.status, one.reason) for one in house.deliveries()] == [
        ("skipped", "push_events_off"),
        ("accepted", ""),
    ]
    assert house.deliveries()[0].finished_at == NOON
