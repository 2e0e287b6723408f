"""What the demo compares with what must be."""

from typing import Any

import pytest

from sandbox.demo.checks import Check, Seen, checks, complaint
from sandbox.demo.visit import Visit


def test_every_check_can_fail() -> None:
    nowhere = Visit("", "", {}, 200)
    lists = dict.fromkeys(("answers", "requests", "events", "profiles", "inbound", "deliveries", "attempts"), ())
    nothing = Seen(**lists, faults=[{}], visit=nowhere)
    passed = [check.name for check in checks(nothing) if check.expected == check.found]

    assert passed == ["none of them was a repeat that Klaviyo had to swallow"]


@pytest.mark.parametrize(
    ("expected", "found", "said"),
    [
        (["1668", "1697"], ["1668"], 'expected ["1697"]\n    found    []'),
        (["1668"], ["1668", "1697"], 'expected []\n    found    ["1697"]'),
        (["1668", "1697"], ["1697", "1668"], 'expected ["1668", "1697"]\n    found    ["1697", "1668"]'),
        (["1668"], ["1668", "1668"], 'expected ["1668"]\n    found    ["1668", "1668"]'),
        ({"value": 24.99}, {"value": None}, 'expected {"value": 24.99}\n    found    {"value": null}'),
    ],
)
def test_a_failed_check_says_where_the_two_differ(expected: Any, found: Any, said: str) -> None:
    assert complaint(Check("Klaviyo holds these events", expected, found)) == (
        f"failed: Klaviyo holds these events\n    {said}"
    )
