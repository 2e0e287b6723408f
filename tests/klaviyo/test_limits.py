"""The pacer: as many as Klaviyo takes, never one more, and the count survives whoever kept it."""

import json
from collections import deque
from datetime import UTC, datetime, timedelta

import pytest

from vrio_klaviyo.klaviyo.limits import LIMITS, MINUTE_S, Limit, Pacer

NOON = datetime(2026, 8, 30, 12, tzinfo=UTC)
EVENTS, PROFILES, BULK = "/api/events", "/api/profile-import", "/api/event-bulk-create-jobs"


# Klaviyo's OpenAPI description of 2026-07-15, x-klaviyo-ratelimit of each operation: burst a second, steady a minute.
PUBLISHED = {EVENTS: (350, 3500), PROFILES: (75, 750), BULK: (10, 150)}


def pacer(kept: object = None, cap: int | None = None, limits: dict[str, Limit] | None = None) -> Pacer:
    return Pacer(kept or {}, cap, limits or LIMITS)  # type: ignore[arg-type]


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def let_go(pacer: Pacer, path: str, seconds: float, step_s: float = 0.05) -> list[float]:
    """When each went, with more waiting all the time."""
    went: list[float] = []
    for number in range(int(seconds / step_s)):
        went += [number * step_s] * pacer.take(path, 10_000, at(number * step_s))
    return went


def most_within(went: list[float], window_s: float) -> int:
    """The most of them in any window of that length, wherever it begins."""
    inside: deque[float] = deque()
    most = 0
    for moment in went:
        inside.append(moment)
        while inside[0] <= moment - window_s:
            inside.popleft()
        most = max(most, len(inside))
    return most


def test_the_limits_are_those_that_klaviyo_publishes() -> None:
    assert dict(LIMITS) == {path: Limit(burst, steady, daily=None) for path, (burst, steady) in PUBLISHED.items()}


@pytest.mark.parametrize(("path", "published"), PUBLISHED.items())
def test_no_window_wherever_it_begins_has_more_than_klaviyo_takes(path: str, published: tuple[int, int]) -> None:
    went = let_go(pacer(), path, 200)
    burst, steady = published

    assert 0.9 * steady <= most_within(went, MINUTE_S) <= steady
    assert most_within(went, 1) <= burst


def test_seven_thousand_events_take_hardly_longer_than_klaviyo_s_minutes() -> None:
    went = let_go(pacer(), EVENTS, 140)

    assert went[6999] <= 120 * 1.05


def test_after_a_pause_a_handful_goes_at_once() -> None:
    paced = pacer()

    assert paced.take(EVENTS, 1000, NOON) == LIMITS[EVENTS].at_once == 140
    assert paced.take(EVENTS, 1, NOON) == 0


def test_each_endpoint_has_its_own_limit() -> None:
    paced = pacer()
    paced.take(EVENTS, 1000, NOON)

    assert paced.take(PROFILES, 5, NOON) == 5
    assert paced.take(BULK, 1, NOON) == 1


def test_the_count_survives_a_change_of_worker() -> None:
    first = pacer()
    first.take(EVENTS, 1000, NOON)
    second = pacer(json.loads(json.dumps(first.kept)))

    assert second.take(EVENTS, 1000, NOON) == 0
    assert second.take(EVENTS, 1000, at(1)) == pytest.approx(LIMITS[EVENTS].per_s, abs=1)


def test_the_wait_is_until_a_good_handful_may_go() -> None:
    paced = pacer()
    assert paced.wait_s(EVENTS, NOON) == 0
    paced.take(EVENTS, 1000, NOON)
    wait_s = paced.wait_s(EVENTS, NOON)

    assert wait_s == pytest.approx(1, abs=0.1)
    assert paced.take(EVENTS, 1000, at(wait_s)) >= 50


def test_what_did_not_go_is_given_back() -> None:
    paced = pacer()
    paced.take(EVENTS, 1000, NOON)
    for _ in range(3):
        paced.give_back(EVENTS, NOON)

    assert paced.take(EVENTS, 1000, NOON) == 3


@pytest.mark.parametrize(("cap", "steady"), [(None, 3500), (600, 600), (1, 1), (10_000, 3500)])
def test_a_merchant_s_own_cap_holds_below_klaviyo_s_limit(cap: int | None, steady: int) -> None:
    went = let_go(pacer(cap=cap), EVENTS, 200)

    assert 0 < most_within(went, MINUTE_S) <= steady


@pytest.mark.parametrize(("burst", "steady"), [(10, 100), (3500, 35_000)])
def test_klaviyo_s_own_word_for_its_limit_counts(burst: int, steady: int) -> None:
    paced = pacer()
    paced.learn(EVENTS, {"ratelimit-limit": f"{burst}, {burst};w=1, {steady};w=60"}, NOON)

    assert paced.limit(EVENTS) == Limit(burst, steady)
    assert pacer(json.loads(json.dumps(paced.kept))).limit(EVENTS) == Limit(burst, steady)
    assert pacer(paced.kept, cap=7).limit(EVENTS) == Limit(burst, 7)


@pytest.mark.parametrize(
    "header", ["", "350", "350, 350", "x, 350;w=1, 3500;w=60", "9" * 400, ",,,;w=,", "350, 350;w=1", "1, 0;w=1, 0;w=60"]
)
def test_a_header_that_says_nothing_changes_nothing(header: str) -> None:
    paced = pacer()
    paced.learn(EVENTS, {"ratelimit-limit": header, "ratelimit-remaining": "0", "ratelimit-reset": "9" * 400}, NOON)

    assert paced.limit(EVENTS) == LIMITS[EVENTS]
    assert paced.take(EVENTS, 1, NOON) == 1


def test_a_minute_that_others_have_used_up_is_left_to_them() -> None:
    paced = pacer()
    headers = {"ratelimit-limit": "3500, 350;w=1, 3500;w=60", "ratelimit-remaining": "12", "ratelimit-reset": "20"}
    paced.learn(EVENTS, headers, NOON)

    assert paced.take(EVENTS, 1, at(19)) == 0
    assert paced.take(EVENTS, 1, at(23)) == 1


def test_a_second_that_is_used_up_is_no_news() -> None:
    paced = pacer()
    headers = {"ratelimit-limit": "350, 350;w=1, 3500;w=60", "ratelimit-remaining": "0", "ratelimit-reset": "0"}
    paced.learn(EVENTS, headers, NOON)

    assert paced.take(EVENTS, 5, NOON) == 5


def test_a_day_s_limit_is_counted_by_the_day() -> None:
    paced = pacer(limits={EVENTS: Limit(10, 600, daily=30)})
    went = sum(paced.take(EVENTS, 100, at(seconds)) for seconds in range(0, 600, 10))

    assert went == 30
    assert paced.take(EVENTS, 1, at(12 * 3600)) == 1


@pytest.mark.parametrize("seconds", [0, 3600, 12 * 3600 - 1])
def test_when_a_day_s_limit_is_used_up_the_wait_is_until_the_next_day(seconds: float) -> None:
    paced = pacer(limits={EVENTS: Limit(10, 600, daily=3), PROFILES: Limit(10, 600, daily=3)})
    midnight = 12 * 3600
    assert paced.take(EVENTS, 2, at(seconds)) == 2
    assert paced.wait_s(EVENTS, at(seconds)) < 1
    assert paced.take(EVENTS, 10, at(seconds)) == 1

    for kept in (paced, pacer(json.loads(json.dumps(paced.kept)), limits={EVENTS: Limit(10, 600, daily=3)})):
        assert kept.wait_s(EVENTS, at(seconds)) == midnight - seconds
        assert kept.take(EVENTS, 1, at(midnight - 0.001)) == 0
    assert paced.wait_s(PROFILES, at(seconds)) == 0
    assert paced.wait_s(EVENTS, at(midnight)) < 1
    paced.give_back(EVENTS, at(seconds))
    assert paced.wait_s(EVENTS, at(seconds)) < 1
    assert paced.take(EVENTS, 1, at(midnight)) == 1


def test_a_clock_that_was_set_back_does_not_stop_the_lane() -> None:
    paced = pacer()
    paced.take(EVENTS, 1000, NOON + timedelta(days=365))

    assert paced.wait_s(EVENTS, NOON) == 0
    assert paced.take(EVENTS, 1, NOON) == 1


def test_clocks_that_differ_a_little_owe_no_more_than_can_be_owed() -> None:
    paced = pacer()
    paced.take(EVENTS, 1000, at(2 * MINUTE_S))

    assert not paced.take(EVENTS, 1, NOON)
    assert paced.wait_s(EVENTS, NOON) <= 2 * MINUTE_S


def test_a_request_that_was_too_long_makes_the_next_ones_half_as_long_for_a_day() -> None:
    paced = pacer()
    assert paced.longest(BULK, 1000, NOON) == 1000
    paced.too_long(BULK, 800, NOON)
    paced.too_long(BULK, 900, NOON)

    assert paced.longest(BULK, 1000, at(24 * 3600 - 1)) == 400
    assert paced.longest(BULK, 1000, at(24 * 3600)) == 1000
    assert paced.longest(EVENTS, 1000, NOON) == 1000


def test_a_clock_that_was_set_back_does_not_keep_requests_short() -> None:
    paced = pacer()
    paced.too_long(BULK, 800, NOON + timedelta(days=365))

    assert paced.longest(BULK, 1000, NOON) == 1000
