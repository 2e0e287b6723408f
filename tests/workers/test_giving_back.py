"""What a job held when the database went away is given back when that is there again."""

import pytest

from tests.building import House
from vrio_klaviyo.store import leases
from workers.clock import Clock


def test_a_lane_says_what_it_left_open_while_it_is_still_held(
    clock: Clock, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools, held = clock._tools, []

    def look() -> None:
        with house.db.read() as session:
            held.append(leases.owners(session))

    monkeypatch.setattr(tools.lane, "own_up", look)
    leases.acquire(house.db, "lane/ka_1", tools.owner, house.clock())
    tools.left_behind = True
    tools.give_back()
    look()

    assert held == [{tools.owner}, set()]
