"""The timeline of a request says of each attempt what is true of it."""

from tests.bodies import declined
from tests.building import House
from tests.console.pages.conftest import words
from tests.steered import Klaviyo


def test_what_was_in_vain_without_its_phone_was_not_refused_for_it(visit, house: House, klaviyo: Klaviyo) -> None:
    house.klaviyo_url = klaviyo.url
    connection = house.connect("Shop")
    klaviyo.fault("status", status=409)
    klaviyo.fault("status", status=503)
    house.post(declined())
    house.take_in()
    house.send(connection)
    house.clock.advance(minutes=1)
    house.send(connection)
    page = words(visit("viewer").get(f"/requests/{house.delivery().id}"))

    assert page.count("Klaviyo refused the phone number (409") == 1
    assert "Klaviyo refused the phone number (503" not in page
    assert page.count("sent again without the phone number") == 2
