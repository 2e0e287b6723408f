"""Ids: what they look like, that they ascend, and what they make of a clock that does not."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from freezegun import freeze_time

from tests.building import NOON
from vrio_klaviyo.store.ids import earliest_id, moment_of_id, new_id


@pytest.fixture(autouse=True)
def last_id_is_old() -> None:
    """Whatever this process made before, nothing of it draws along what is made now."""
    with freeze_time(NOON - timedelta(days=1)):
        new_id("dl")


def test_an_id_is_a_prefix_and_26_characters() -> None:
    assert re.fullmatch(r"dl_[0-9A-HJKMNP-TV-Z]{26}", new_id("dl"))


def test_ids_ascend_also_within_a_millisecond() -> None:
    ids = [new_id("dl") for _ in range(5000)]

    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("seconds", [0.001, 1, 5])
def test_ids_ascend_when_the_clock_is_corrected(seconds: float) -> None:
    with freeze_time(NOON):
        before = new_id("dl")
    with freeze_time(NOON - timedelta(seconds=seconds)):
        after = [new_id("dl") for _ in range(100)]

    assert [before, *after] == sorted({before, *after})


def test_children_that_begin_with_the_same_id_never_make_the_same_one() -> None:
    with freeze_time(NOON):
        new_id("dl")
    with freeze_time(NOON - timedelta(seconds=1)):
        made = [ids_of_a_child() for _ in range(2)]

    assert len({one for ids in made for one in ids}) == 200


def ids_of_a_child() -> list[str]:
    """What a process makes that begins with the last id of this one."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writer, " ".join(new_id("dl") for _ in range(100)).encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as told:
        return told.read().split()


@pytest.mark.parametrize("ahead", [timedelta(seconds=6), timedelta(hours=30), timedelta(days=365_000)])
def test_a_clock_that_was_ahead_is_forgotten_as_soon_as_it_is_right(ahead: timedelta) -> None:
    with freeze_time(NOON + ahead):
        new_id("dl")
    with freeze_time(NOON):
        made = [new_id("dl") for _ in range(100)]

    assert {moment_of_id(one) for one in made} == {NOON}
    assert made == sorted(set(made))
    assert all(earliest_id("dl", NOON) <= one < earliest_id("dl", NOON + timedelta(milliseconds=1)) for one in made)


def test_ids_of_several_threads_are_never_alike() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: [new_id("dl") for _ in range(500)], range(8)))

    assert len({one for ids in made for one in ids}) == 4000
    assert all(ids == sorted(ids) for ids in made)


def test_an_id_of_a_later_time_is_greater() -> None:
    with freeze_time(NOON):
        earlier = new_id("dl")
    with freeze_time(NOON + timedelta(seconds=1)):
        later = new_id("dl")

    assert earlier[:13] < later[:13]
