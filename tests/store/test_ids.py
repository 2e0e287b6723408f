"""Ids: what they look like, and that they ascend whatever the clock does."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from freezegun import freeze_time

from vrio_klaviyo.store.ids import new_id


def test_an_id_is_a_prefix_and_26_characters() -> None:
    assert re.fullmatch(r"dl_[0-9A-HJKMNP-TV-Z]{26}", new_id("dl"))


def test_ids_ascend_also_within_a_millisecond() -> None:
    ids = [new_id("dl") for _ in range(5000)]

    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_ids_ascend_when_the_clock_is_set_back() -> None:
    before = new_id("dl")
    with freeze_time("2020-01-01"):
        after = new_id("dl")

    assert before < after


def test_ids_of_several_threads_are_never_alike() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: [new_id("dl") for _ in range(500)], range(8)))

    assert len({one for ids in made for one in ids}) == 4000
    assert all(ids == sorted(ids) for ids in made)


def test_an_id_of_a_later_time_is_greater() -> None:
    # A millennium ahead, so that what this process made before does not count.
    with freeze_time(datetime(3000, 1, 1, tzinfo=UTC)):
        earlier = new_id("dl")
    with freeze_time(datetime(3000, 1, 1, 0, 0, 1, tzinfo=UTC)):
        later = new_id("dl")

    assert earlier[:13] < later[:13]
