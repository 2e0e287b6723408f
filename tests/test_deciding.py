"""What follows from an answer, row by row."""

import pytest

from vrio_klaviyo.deciding import (
    BACKOFF_S,
    CIRCUIT_OPENS_AT,
    CIRCUIT_S,
    GIVE_UP_AFTER_S,
    Accepted,
    AgainIn,
    AgainWithoutPhone,
    ConnectionHeld,
    Failed,
    LaneHeld,
    LaneWaits,
    backoff_s,
    circuit_s,
    decide,
    failures_after,
)
from vrio_klaviyo.errors import (
    CallFailed,
    EndpointRefused,
    NotAuthorized,
    PhoneRejected,
    Rejected,
    Retriable,
    Throttled,
)
from vrio_klaviyo.klaviyo.requests import Rendered
from vrio_klaviyo.sending import Call, Sent


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, Accepted()),
        (PhoneRejected("400"), AgainWithoutPhone()),
        (Throttled("429", 7), LaneWaits(7)),
        (NotAuthorized("401"), ConnectionHeld()),
        (EndpointRefused("404"), LaneHeld()),
        (Rejected("400"), Failed()),
    ],
)
@pytest.mark.parametrize("owed_s", [0, GIVE_UP_AFTER_S * 2])
def test_what_follows_from_an_answer(error: CallFailed | None, outcome: object, owed_s: float) -> None:
    assert decide(error, 1, owed_s) == outcome


@pytest.mark.parametrize(
    ("tries", "seconds"),
    [
        (1, 5),
        (2, 30),
        (3, 2 * 60),
        (4, 10 * 60),
        (5, 30 * 60),
        (6, 3600),
        (7, 2 * 3600),
        (8, 4 * 3600),
        (9, 8 * 3600),
        (10, 12 * 3600),
        (11, 12 * 3600),
        (1000, 12 * 3600),
    ],
)
def test_what_may_pass_later_is_tried_later_and_later(tries: int, seconds: float) -> None:
    waits = [backoff_s(tries) for _ in range(500)]

    assert 0.8 * seconds <= min(waits) < 0.85 * seconds
    assert 1.15 * seconds < max(waits) <= 1.2 * seconds
    outcome = decide(Retriable("503"), tries, 0)
    assert isinstance(outcome, AgainIn)
    assert 0.8 * seconds <= outcome.seconds <= 1.2 * seconds


@pytest.mark.parametrize(("owed_s", "given_up"), [(0, False), (GIVE_UP_AFTER_S - 1, False), (GIVE_UP_AFTER_S, True)])
def test_what_may_pass_later_is_given_up_after_three_days(owed_s: float, given_up: bool) -> None:
    assert GIVE_UP_AFTER_S == 3 * 24 * 3600
    assert (decide(Retriable("503"), 15, owed_s) == Failed()) is given_up


def tried_for_s(waited_s: float) -> float:
    """For how long something that Klaviyo never takes is tried, when it has waited for its first try so long."""
    tries, owed_s = 1, waited_s
    while isinstance(outcome := decide(Retriable("503"), tries, owed_s), AgainIn):
        tries, owed_s = tries + 1, owed_s + outcome.seconds
    return owed_s - waited_s


@pytest.mark.parametrize("waited_s", [0, 3600, GIVE_UP_AFTER_S - 1, GIVE_UP_AFTER_S, GIVE_UP_AFTER_S * 10])
def test_what_waited_for_its_first_try_is_tried_as_often_as_anything_else(waited_s: float) -> None:
    tried = [tried_for_s(waited_s) for _ in range(200)]

    # As long as three days by the shortest of waits, and never longer than what went at once.
    assert min(tried) > 0.7 * GIVE_UP_AFTER_S
    assert max(tried) < GIVE_UP_AFTER_S + 1.2 * BACKOFF_S[-1]


def came(*errors: CallFailed | None) -> list[Sent]:
    """Calls that ended so, one after another."""
    nothing = Rendered(method="POST", path="/api/events", headers={}, body=b"", phone=None)
    return [Sent(Call(NotAuthorized("no key"), nothing, ()), 1, None, error) for error in errors]


DOWN, FINE = Retriable("503"), None


@pytest.mark.parametrize(
    ("before", "errors", "after"),
    [
        (0, [], 0),
        (0, [DOWN], 1),
        (1, [DOWN, DOWN], 3),
        (4, [FINE], 0),
        (4, [Rejected("400")], 0),
        (3, [DOWN, FINE, DOWN], 1),
        # Those that were under way together tell one thing.
        (0, [DOWN] * 10, CIRCUIT_OPENS_AT),
        (CIRCUIT_OPENS_AT, [DOWN], CIRCUIT_OPENS_AT + 1),
        (CIRCUIT_OPENS_AT + 3, [FINE], 0),
    ],
)
def test_failures_are_counted_in_a_row(before: int, errors: list[CallFailed | None], after: int) -> None:
    assert failures_after(before, came(*errors)) == after


def test_the_circuit_is_open_for_longer_and_longer_but_never_for_long() -> None:
    waits = [circuit_s(CIRCUIT_OPENS_AT + number) for number in range(20)]

    assert 0.8 * CIRCUIT_S[0] <= waits[0] <= 1.2 * CIRCUIT_S[0]
    assert waits[3] > waits[0]
    assert max(waits) <= 1.2 * 60
