"""Archiving: nothing goes through the connection any more, whoever asked for it and whatever is under way."""

import pytest

from console import steering
from console.hand import Hand
from console.site import Site
from tests.building import House
from tests.replaying.replayed import advance, failures, owe, results, start, status
from tests.steered import Klaviyo
from vrio_klaviyo.errors import Refused
from vrio_klaviyo.sending_again import send_again
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.journals import page_of_entries


@pytest.fixture
def house(house: House, klaviyo: Klaviyo) -> House:
    house.klaviyo_url = klaviyo.url
    return house


def rounds(house: House, connection: Connection, replay, number: int) -> None:
    for _ in range(number):
        advance(house, replay)
        house.settle(connection)
        house.clock.advance(seconds=1)


@pytest.mark.parametrize("paused", [False, True], ids=["active", "despite a pause"])
def test_a_replay_that_is_under_way_is_stopped(house: House, site: Site, klaviyo: Klaviyo, paused: bool) -> None:
    connection = house.connect()
    failures(house, connection, range(8))
    house.change(connection, active=not paused)
    replay = start(house, house.connection(connection), rate=2, despite_pause=paused)
    rounds(house, connection, replay, 1)
    advance(house, replay)
    steering.archive(Hand(site), connection)
    rounds(house, connection, replay, 5)

    stopped = status(house, replay)
    assert (stopped.status, stopped.released) == ("stopped", 4)
    # What was in the lane already does not go out either.
    assert results(house, replay) == {"accepted": 2, "held": 2}
    assert len(klaviyo.events()) == 2
    with house.db.read() as session:
        entries = page_of_entries(session, connection.workspace_id).rows
    assert [(one.action, one.details) for one in entries[::-1]] == [
        ("replay.stopped", {"released": 4}),
        ("connection.archived", {}),
    ]


def test_what_a_person_asked_for_does_not_go_out_either(house: House, site: Site, klaviyo: Klaviyo) -> None:
    connection = house.connect()
    one, two = failures(house, connection, range(2))
    house.change(connection, active=False)
    for asked in (one, two):
        with house.db.write() as session:
            send_again(session, asked.id, house.clock(), despite_pause=True)
    house.change(two, status="held", reason="key_rejected")
    steering.archive(Hand(site), connection)
    # The key is found good later on.
    house.change(two, status="queued", reason="", next_attempt_at=house.clock())
    house.settle(connection)

    assert klaviyo.requests() == []
    assert [(each.status, each.asked) for each in house.deliveries()] == [("held", ""), ("held", "")]


def test_what_klaviyo_had_taken_before_stays_accepted(house: House, site: Site) -> None:
    connection = house.connect()
    owe(house, range(1))
    house.settle(connection)
    with house.db.write() as session:
        send_again(session, house.delivery().id, house.clock())
    steering.archive(Hand(site), connection)

    assert house.delivery().status == "accepted"
    assert house.delivery().notes[-1].endswith("was in vain: The connection was archived.")


def test_a_replay_that_was_archived_under_earlier_ends(house: House, klaviyo: Klaviyo) -> None:
    connection = house.connect()
    failures(house, connection, range(4))
    replay = start(house, connection, rate=1)
    house.change(connection, active=False, archived_at=house.clock())
    rounds(house, connection, replay, 2)

    assert (status(house, replay).status, status(house, replay).released) == ("stopped", 0)
    assert klaviyo.requests() == []


def test_no_test_event_goes_through_it(house: House, site: Site) -> None:
    connection = house.connect()
    steering.archive(Hand(site), connection)

    with pytest.raises(Refused, match="Klaviyo is archived"):
        steering.try_out(Hand(site), connection, "Placed Order", "mia@acme.test", marked=True)
    assert house.deliveries() == []
