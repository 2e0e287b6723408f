"""Klaviyo has a bad day; the processes and their database stand for all of these tests."""

from typing import Any

import pytest

from sandbox.klaviyo import GOOD_KEY
from tests.faults.town import Town
from tests.faults.vrio import mixed, sale

SALES = 4


@pytest.fixture(scope="module")
def standing(lasting_town: Town) -> Town:
    """A town whose processes run, until the last test of this module."""
    lasting_town.product.start("web", "worker", "clock")
    return lasting_town


@pytest.fixture
def town(standing: Town) -> Town:
    """The town, with a Klaviyo that has no faults yet."""
    standing.heal_klaviyo()
    return standing


# Less is spoiled than there are first tries, so that next to nothing goes wrong twice: its third try would come half a
# minute later.
@pytest.mark.parametrize(
    "faults",
    [
        [
            {"fault": "status", "status": 503, "times": 3},
            {"fault": "status", "status": 504, "processed": True, "times": 2},
            {"fault": "garbage", "status": 500},
        ],
        [{"fault": "html", "times": 3}, {"fault": "html", "status": 502, "times": 2}],
        [{"fault": "reset", "times": 3}, {"fault": "reset", "processed": True, "times": 3}],
        [{"fault": "hang", "seconds": 11, "processed": True}],
        [{"fault": "latency", "ms": 1500, "times": 3}],
        [{"fault": "throttle", "times": 4}, {"fault": "throttle", "retry_after": None}],
        [{"fault": "garbage", "processed": True, "times": 3}, {"fault": "partial_failure", "times": 3}],
    ],
    ids=["5xx", "proxy", "reset", "hanging", "slow", "throttled", "odd"],
)
def test_klaviyo_goes_wrong(town: Town, faults: list[dict[str, Any]]) -> None:
    for fault in faults:
        town.klaviyo.fault(**fault)
    town.vrio.insist(mixed(town.vrio.next_sales(SALES)))
    town.keeps_its_promise()


def test_a_phone_that_klaviyo_refuses_costs_no_event(town: Town) -> None:
    first, *others = town.vrio.next_sales(SALES)
    assert town.vrio.post(first, sale(first, phone="(555) 000-1234"))
    town.vrio.insist(others)
    town.keeps_its_promise()


def test_a_revoked_key_holds_everything_until_it_is_taken_again(town: Town) -> None:
    town.klaviyo.key("good", GOOD_KEY, revoked=True)
    town.vrio.insist(town.vrio.next_sales(SALES))
    town.keeps_its_promise(still=("held",))
    town.klaviyo.key("good", GOOD_KEY)
    town.product.flask("connection", "check", "Klaviyo")
    town.keeps_its_promise()
