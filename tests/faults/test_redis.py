"""Redis is the bell and no memory: whatever it does, rows are what counts."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.faults.mischief import flushed, frozen, slowed, stopped
from tests.faults.town import Town


@pytest.mark.parametrize("mischief", [stopped, flushed, frozen, slowed])
def test_redis_goes_wrong(town: Town, mischief: Callable[[Town], AbstractContextManager[None]]) -> None:
    town.product.start("web", "worker", "clock")
    town.vrio.insist(range(1, 11))
    with mischief(town):
        for number in range(11, 21):
            answer = town.vrio.post(number)
            assert answer is not None
            assert answer.status_code == 202
    # Before anything else comes that would ring for all of it.
    town.keeps_its_promise()
    town.vrio.insist(range(21, 24))
    town.keeps_its_promise()
    assert town.product.ended() == []


def test_everything_starts_without_redis(town: Town) -> None:
    town.redis.stop()
    town.product.start("web", "worker", "clock")
    town.vrio.insist(range(1, 4))
    town.redis.start()
    town.keeps_its_promise()
    assert town.product.ended() == []


@pytest.mark.parametrize("times", [0, 2])
def test_every_bell_of_web_and_worker_is_lost_or_doubled(town: Town, times: int) -> None:
    """The clock's bells arrive: with none at all nobody would ever work."""
    town.start_with("web", "worker", FAULT_RINGS=f"{times}")
    town.start_with("clock", FAULT_RINGS=f"{max(times, 1)}")
    town.vrio.insist(range(1, 11))
    town.keeps_its_promise()
    assert town.product.ended() == []
