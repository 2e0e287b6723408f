"""Every benchmark runs and ends as it should: what it posts arrives once. How long that takes is not judged here."""

from collections.abc import Iterator

import pytest

from benchmarks.__main__ import BENCHMARKS
from benchmarks.house import Ground, ground
from benchmarks.report import Line, Report, page
from benchmarks.sizes import QUICK


@pytest.fixture(scope="module")
def standing() -> Iterator[Ground]:
    with ground() as made:
        yield made


@pytest.mark.parametrize("name", BENCHMARKS)
def test_it_runs_and_everything_arrives_once(standing: Ground, name: str) -> None:
    report = BENCHMARKS[name].measure(standing, QUICK)

    assert report.lines
    assert report.name == name


def test_the_page_says_which_goals_were_missed() -> None:
    lines = [Line("quick", "1/s", "", "2/s", False), Line("so", "3/s")]
    report = Report("receiving", "Receiving", "How.", "Because.", lines)

    written = page([report], 11.6)

    assert "| quick | 1/s |  | 2/s: **missed** |" in written
    assert "- Receiving: quick. Because." in written
    assert "12 minutes" in written
