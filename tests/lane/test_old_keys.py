"""What Klaviyo says of a key that was replaced meanwhile says nothing of the one in its place."""

import pytest

from sandbox.klaviyo import GOOD_KEY, REVOKED_KEY
from tests.building import House
from tests.lane.owed import told
from tests.steered import Klaviyo
from vrio_klaviyo.connecting import replace_key
from vrio_klaviyo.store.connections import Connection, KeyStatus


@pytest.fixture
def revoked(house: House, klaviyo: Klaviyo) -> Connection:
    """A connection whose key is replaced by a good one while Klaviyo is asked with it."""
    revoked = house.connect("Revoked", REVOKED_KEY)

    def replace() -> None:
        replace_key(house.db, house.vault, house.http, klaviyo.url, revoked.id, GOOD_KEY, house.clock())

    klaviyo.while_asked(replace, path="/api/events")
    return revoked


def test_a_late_refusal_of_the_old_key_leaves_the_new_one_alone(house: House, revoked: Connection) -> None:
    house.owe(revoked)
    house.settle(revoked)

    assert house.connection(revoked).key_status == KeyStatus.ACCEPTED
    assert house.delivery().status == "accepted"
    assert [told(attempt)[1] for attempt in house.attempts()] == [401, 202]


def test_what_waits_behind_it_goes_out_with_the_new_key(house: House, revoked: Connection, klaviyo: Klaviyo) -> None:
    for number in range(5):
        house.owe(revoked, number, customer=number)
    house.settle(revoked, senders=1)

    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}
    assert len([request for request in klaviyo.requests() if request["key"] == "revoked"]) == 1
