"""Findings: in words that people read at a glance."""

from datetime import timedelta

from vrio_klaviyo.findings import ago


def test_a_length_of_time_is_told_in_its_largest_unit() -> None:
    told = [ago(timedelta(seconds=seconds)) for seconds in (-1, 4, 61, 7300, 200_000)]

    assert told == ["0 s", "4 s", "1 min", "2 h", "2 d"]
