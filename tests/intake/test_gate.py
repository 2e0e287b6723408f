"""What a connection lets through, by the time at which it is told."""

from datetime import timedelta

import pytest

from tests.bodies import declined
from tests.building import NOON, House
from tests.intake.taken import events_promised, promised, taken_in
from vrio_klaviyo.store.connections import Connection


@pytest.mark.requirement("003-13", "003-53")
def test_what_was_skipped_goes_when_it_is_told_again_and_may_go(house: House, connection: Connection) -> None:
    house.change(connection, active=False)
    taken_in(house, declined(1))
    taken_in(house, declined(1) | {"webhook_event_id": "still paused"})
    assert events_promised(house) == [("Declined Order", "1001", "skipped", "connection_paused")]

    house.change(connection, active=True)
    taken_in(house, declined(1) | {"webhook_event_id": "active again"})
    taken_in(house, declined(1) | {"webhook_event_id": "once more"})
    assert events_promised(house) == [
        ("Declined Order", "1001", "skipped", "connection_paused"),
        ("Declined Order", "1001", "queued", ""),
    ]


@pytest.mark.requirement("003-12")
def test_what_came_before_the_connection_was_activated_is_skipped(house: House, connection: Connection) -> None:
    house.change(connection, activated_at=NOON + timedelta(seconds=1))
    taken_in(house, declined(1))
    house.clock.advance(seconds=1)
    taken_in(house, declined(2))

    assert [(status, reason) for _, _, status, reason in promised(house)] == [
        ("skipped", "before_activation"),
        ("queued", ""),
    ]


@pytest.mark.requirement("003-11")
def test_a_filter_lets_its_campaigns_through(house: House) -> None:
    chosen, all_of_them = house.connect("Chosen", campaigns=["7"]), house.connect("All")
    unknown = declined(3)
    unknown["webhook_data"]["transaction"].pop("campaign")
    unknown["webhook_data"]["transaction"]["order"].pop("campaign_id")
    unknown["webhook_data"]["transaction"]["order"]["id"] = "9999"
    taken_in(house, declined(1, campaign="7"), declined(2, campaign="8"), unknown)

    assert [(one.status, one.reason) for one in house.deliveries(chosen)] == [
        ("queued", ""),
        ("skipped", "campaign_not_selected"),
        ("skipped", "campaign_unknown"),
    ]
    assert [one.status for one in house.deliveries(all_of_them)] == ["queued"] * 3
