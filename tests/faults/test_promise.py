"""The assertion itself: each way of breaking the promise is found, and nothing else is taken for one."""

from collections import Counter

import pytest

from tests.faults.promise import Found, State, broken_promises
from tests.faults.vrio import NEWCOMERS, PARCELS, Event, Vrio, events_of, profile, profile_of

ACCEPTED = ("accepted", "")
PLACED = ("Placed Order", "200001")
NEWCOMER = NEWCOMERS + 3


@pytest.fixture
def vrio() -> Vrio:
    """One sale was acknowledged, another one was not."""
    vrio = Vrio("")
    vrio.acknowledged.add(1)
    vrio.doubtful.add(2)
    return vrio


def found(*less: Event, more: tuple[Event, ...] = (), inbound: State = ("processed", ""), **states: State) -> Found:
    """The acknowledged sale as it arrived, without these events and with those; `placed` is how the order stands."""
    held = Counter([event for event in events_of(1) if event not in less] + list(more))
    deliveries = {event: [ACCEPTED] for event in [*events_of(1), *more]} | {
        PLACED: [state for state in [states.get("placed", ACCEPTED)] if state[0]]
    }
    return Found(held, {1: inbound}, {event: told for event, told in deliveries.items() if told})


def test_what_arrived_once_is_kept_and_what_is_doubtful_may_be_there(vrio: Vrio) -> None:
    assert broken_promises(vrio, found()) == []
    assert broken_promises(vrio, found(more=tuple(events_of(2)))) == []


@pytest.mark.parametrize("status", ["retrying", "held", "failed", "skipped"])
def test_what_is_not_there_may_be_seen_with_a_reason(vrio: Vrio, status: str) -> None:
    assert broken_promises(vrio, found(PLACED, placed=(status, "a reason"))) == []
    (complaint,) = broken_promises(vrio, found(PLACED, placed=(status, "")))
    assert "lost" in complaint


@pytest.mark.parametrize("inbound", [("received", ""), ("waiting", "a reason"), ("failed", "a reason")])
def test_a_webhook_may_be_on_its_way(vrio: Vrio, inbound: State) -> None:
    assert broken_promises(vrio, found(PLACED, placed=("", ""), inbound=inbound)) == []


@pytest.mark.parametrize(
    ("seen", "complaint"),
    [
        (found(PLACED, placed=("", "")), "is lost"),
        (found(PLACED, placed=("", ""), inbound=("failed", "")), "is lost"),
        (found(more=(PLACED,)), "2 times"),
        (found(more=(("Placed Order", "200003"),)), "nobody posted"),
        (found(PLACED), "said to be accepted"),
        (found(placed=("", "")), "no delivery tells of it"),
    ],
)
def test_a_broken_promise_is_found(vrio: Vrio, seen: Found, complaint: str) -> None:
    assert any(complaint in told for told in broken_promises(vrio, seen))


def test_a_profile_is_promised_like_an_event(vrio: Vrio) -> None:
    vrio.acknowledged.add(NEWCOMER)
    told = profile_of(NEWCOMER)
    assert broken_promises(vrio, found(more=(told,))) == []
    (complaint,) = broken_promises(vrio, found())
    assert f"{told} is lost" in complaint


def test_a_profile_that_nobody_told_of_is_found(vrio: Vrio) -> None:
    foreign = profile({"email": "customer1@acme.test", "first_name": "John 2"})
    assert broken_promises(vrio, found(more=(profile_of(1), profile_of(2)))) == []
    (complaint,) = broken_promises(vrio, found(more=(foreign,)))
    assert "nobody posted" in complaint


def test_a_parcel_that_waits_for_its_sale_is_seen(vrio: Vrio) -> None:
    vrio.acknowledged.add(PARCELS + 2)
    seen = found()
    seen.inbound[PARCELS + 2] = ("waiting", "It waits for its sale.")
    assert broken_promises(vrio, seen) == []
    seen.inbound[PARCELS + 2] = ("processed", "")
    (complaint,) = broken_promises(vrio, seen)
    assert "is lost" in complaint
