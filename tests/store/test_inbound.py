"""Inbound events: taken oldest first, and what killed a worker is tried alone."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.bodies import declined
from tests.building import NOON, House
from vrio_klaviyo.errors import NotFound
from vrio_klaviyo.store import inbound
from vrio_klaviyo.store.inbound import InboundEvent, InboundStatus


def began(house: House, inbound_id: str, starts: int) -> None:
    with house.db.write() as session:
        session.execute(update(InboundEvent).where(InboundEvent.id == inbound_id).values(starts=starts))


def claimed(house: House, limit: int = 16) -> list[str]:
    with house.db.write() as session:
        return [event.id for event in inbound.claim_received(session, house.source.id, limit)]


def test_the_oldest_are_taken_first_and_marked_as_begun(house: House) -> None:
    kept = [house.keep(f"{n}").id for n in range(5)]

    assert claimed(house, 3) == kept[:3]
    assert [house.inbound(one).starts for one in kept] == [1, 1, 1, 0, 0]


def test_what_was_begun_before_is_taken_alone(house: House) -> None:
    kept = [house.keep(f"{n}").id for n in range(4)]
    began(house, kept[0], 1)

    assert claimed(house) == kept[:1]
    assert house.inbound(kept[0]).starts == 2
    assert house.inbound(kept[1]).starts == 0


def test_what_came_before_a_suspect_is_taken_without_it(house: House) -> None:
    kept = [house.keep(f"{n}").id for n in range(4)]
    began(house, kept[2], 1)

    assert claimed(house) == kept[:2]


def test_what_is_finished_is_not_taken_again(house: House) -> None:
    kept = [house.keep(f"{n}").id for n in range(2)]
    with house.db.write() as session:
        (event, _) = inbound.claim_received(session, house.source.id, 16)
        inbound.finish(session, event, InboundStatus.IGNORED, NOON, reason="no_connection", notes=("a note",))

    event = house.inbound(kept[0])
    assert (event.status, event.reason, event.notes, event.finished_at) == (
        "ignored",
        "no_connection",
        ["a note"],
        NOON,
    )
    assert claimed(house) == kept[1:]


def test_what_another_source_sent_is_not_taken(house: House) -> None:
    house.keep(source_id=house.add_source("Other").id)

    assert claimed(house) == []


def test_what_killed_two_waits_until_nothing_else_does(house: House) -> None:
    kept = [house.keep(f"{n}").id for n in range(3)]
    began(house, kept[0], 2)

    assert claimed(house) == kept[1:]
    with house.db.write() as session:
        for inbound_id in kept[1:]:
            inbound.finish(session, house.inbound(inbound_id), InboundStatus.PROCESSED, NOON)
    assert claimed(house) == kept[:1]


def test_a_beginning_that_is_taken_back_does_not_count(house: House) -> None:
    kept = [house.keep(f"{n}").id for n in range(3)]
    began(house, kept[0], 2)
    with house.db.write() as session:
        inbound.take_back(session, kept[:2])

    assert [house.inbound(one).starts for one in kept] == [1, 0, 0]


def test_a_crash_is_noted_on_the_first_that_was_begun(house: House) -> None:
    kept = [house.keep(f"{n}").id for n in range(3)]
    with house.db.write() as session:
        inbound.note_crash(session, kept[1:], "Traceback: \x00 boom")
        inbound.note_crash(session, [], "of nobody")

    assert [house.inbound(one).reason for one in kept] == ["", "Traceback: \ufffd boom", ""]


def test_an_earlier_webhook_with_the_same_id_is_seen(house: House) -> None:
    first, second = house.post(declined(1)), house.post(declined(1, email="jane@acme.test"))
    other_type = house.post(declined(1) | {"webhook_type": "order"})
    without = [house.post(declined(1, email=email) | {"webhook_event_id": None}) for email in ("a@b.co", "c@d.co")]
    with house.db.read() as session:
        arrived = [inbound.find_inbound(session, one) for one in (first, second, other_type, *without)]
        told = inbound.told_otherwise(session, house.source.id, arrived)

    assert told == {second}


def test_sources_with_something_new_are_named(house: House) -> None:
    other, third = house.add_source("Other"), house.add_source("Third")
    house.keep("1")
    house.keep("2")
    house.keep(source_id=other.id)
    house.keep(source_id=third.id, unreadable="The body is not JSON.")
    with house.db.read() as session:
        assert set(inbound.sources_to_ring(session)) == {house.source.id, other.id}
        assert inbound.is_waited_for(session, other.id)
        assert not inbound.is_waited_for(session, third.id)


def test_the_newest_are_listed_first(house: House) -> None:
    kept = [house.keep(f"{n}").id for n in range(3)]
    junk = house.keep("junk", unreadable="The body is empty.").id
    with house.db.read() as session:
        assert [event.id for event in inbound.list_inbound(session)] == [junk, *kept[::-1]]
        assert [event.id for event in inbound.list_inbound(session, status="unreadable")] == [junk]
        assert [event.id for event in inbound.list_inbound(session, limit=1)] == [junk]
        assert inbound.list_inbound(session, source_id="so_none") == []
        assert inbound.list_inbound(session, customer_ids=[]) == []
        with pytest.raises(NotFound, match="in_none"):
            inbound.find_inbound(session, "in_none")


def waiting(house: House, inbound_id: str, waits_for: str = "customer/301") -> None:
    with house.db.write() as session:
        event = inbound.find_inbound(session, inbound_id)
        inbound.wait(session, event, waits_for, "It waits.", NOON + timedelta(hours=24))


def test_what_waits_is_not_taken(house: House) -> None:
    kept = [house.keep(f"{n}").id for n in range(2)]
    waiting(house, kept[0])

    event = house.inbound(kept[0])
    assert (event.status, event.reason, event.waits_for) == ("waiting", "It waits.", "customer/301")
    assert claimed(house) == kept[1:]


@pytest.mark.parametrize(
    ("things", "woken"),
    [(["customer/301"], True), (["order/1", "customer/301"], True), (["customer/302"], False), ([], False)],
)
def test_what_waits_is_looked_at_again_when_its_thing_is_heard_of(house: House, things: list[str], woken: bool) -> None:
    inbound_id = house.keep().id
    waiting(house, inbound_id)
    with house.db.write() as session:
        inbound.wake(session, house.source.id, things)

    assert house.inbound(inbound_id).status == ("received" if woken else "waiting")
    assert claimed(house) == ([inbound_id] if woken else [])


def test_what_another_source_tells_wakes_nothing(house: House) -> None:
    inbound_id, other = house.keep().id, house.add_source("Other")
    waiting(house, inbound_id)
    with house.db.write() as session:
        inbound.wake(session, other.id, ["customer/301"])

    assert house.inbound(inbound_id).status == "waiting"


@pytest.mark.parametrize(("hours", "woken"), [(23.9, False), (24, True)])
def test_what_has_waited_for_long_enough_is_looked_at_again(house: House, hours: float, woken: bool) -> None:
    inbound_id = house.keep().id
    waiting(house, inbound_id)
    with house.db.write() as session:
        inbound.wake_overdue(session, NOON + timedelta(hours=hours))

    assert house.inbound(inbound_id).status == ("received" if woken else "waiting")


def test_waiting_is_no_death(house: House) -> None:
    inbound_id = house.keep().id
    for _ in range(5):
        assert claimed(house) == [inbound_id]
        waiting(house, inbound_id)
        with house.db.write() as session:
            inbound.wake(session, house.source.id, ["customer/301"])

    assert house.inbound(inbound_id).starts == 0
