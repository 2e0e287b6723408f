"""Redis is the bell and no memory: whatever it does, rows are what counts."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from itertools import count

import pytest

from tests.faults.mischief import Strikes, flushed, frozen, slowed, stopped
from tests.faults.town import Town
from tests.faults.vrio import mixed
from workers.bells import SILENT_AFTER_FAILURE_S

# Redis is waited for once, then it is left alone for a while, and then tried again.
LASTS_S = 1 + SILENT_AFTER_FAILURE_S + 1
PROMPTLY = timedelta(seconds=2)


@pytest.mark.parametrize(("mischief", "often"), [(stopped, 1), (flushed, 20), (frozen, 1), (slowed, 5)])
def test_redis_goes_wrong(town: Town, mischief: Callable[[Town], AbstractContextManager[Strikes]], often: int) -> None:
    town.product.start("web", "worker", "clock")
    town.vrio.insist(range(1, 11))
    numbers, ends = count(11), time.monotonic() + LASTS_S
    with mischief(town) as strikes:
        while time.monotonic() < ends:
            answers = [town.vrio.post(number) for number in mixed([next(numbers)])]
            assert [(answer.status_code, answer.elapsed < PROMPTLY) for answer in answers if answer] == [
                (202, True)
            ] * 3
            time.sleep(0.3)
    assert len(strikes) >= often
    # Before anything else comes that would ring for all of it.
    town.keeps_its_promise()
    town.vrio.insist(mixed([next(numbers)]))
    town.keeps_its_promise()
    assert town.sent_again() == []
    assert town.product.ended() == []


def test_everything_starts_without_redis(town: Town) -> None:
    town.redis.stop()
    town.product.start("web", "worker", "clock")
    town.vrio.insist(range(1, 4))
    town.redis.start()
    town.keeps_its_promise()
    assert town.sent_again() == []
    assert town.product.ended() == []


@pytest.mark.parametrize("times", [0, 2])
def test_every_bell_of_web_and_worker_is_lost_or_doubled(town: Town, times: int) -> None:
    """The clock's bells arrive: with none at all nobody would ever work."""
    town.start_with("web", "worker", FAULT_RINGS=f"{times}")
    town.start_with("clock", FAULT_RINGS=f"{max(times, 1)}")
    town.vrio.insist(mixed(range(1, 6)))
    town.keeps_its_promise()
    assert town.sent_again() == []
    assert town.product.ended() == []
