"""What is history by now says so on the page, too, before it is sent again."""

import pytest

from sandbox.klaviyo import GOOD_KEY
from tests.bodies import declined
from tests.building import House
from tests.console.pages.conftest import words
from tests.steered import Klaviyo
from vrio_klaviyo.sending_again import HISTORY_AFTER

MARKED = "The same body, byte for byte but for the mark that it is history"


@pytest.mark.parametrize("days", [0, HISTORY_AFTER.days])
def test_what_is_sent_again_late_is_marked_as_history(visit, house: House, klaviyo: Klaviyo, days: int) -> None:
    house.klaviyo_url = klaviyo.url
    connection = house.connect("Shop", GOOD_KEY)
    klaviyo.fault("status", status=400)
    house.post(declined())
    house.take_in()
    house.send(connection)
    house.clock.advance(days=days)
    person, path = visit("support"), f"/requests/{house.delivery().id}"
    page = words(person.get(f"{path}/resend"))
    assert "The same body, byte for byte" in page
    assert (MARKED in page) is (days > 0)
    person.post(f"{path}/resend", body="same")
    house.send(connection)

    (event,) = klaviyo.events()
    assert event["backfill"] is (True if days else None)
