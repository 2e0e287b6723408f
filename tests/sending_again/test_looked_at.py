"""A failure that somebody has looked at, and when it counts again."""

from tests.building import House
from tests.sending_again.once_more import again, failed
from tests.steered import Klaviyo
from vrio_klaviyo.store import resending
from vrio_klaviyo.store.connections import Connection


def test_a_failure_that_was_looked_at_comes_back_when_it_fails_again(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    delivery = failed(house, connection, klaviyo)
    with house.db.write() as session:
        assert resending.look_at(session, [delivery.id, "dl_none"], house.clock()) == 1
    assert house.delivery().looked_at == house.clock()
    klaviyo.fault("status", status=400)
    again(house)
    house.send(connection)

    assert (house.delivery().status, house.delivery().looked_at) == ("failed", None)


def test_a_failure_that_was_looked_at_can_be_counted_again(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    delivery = failed(house, connection, klaviyo)
    with house.db.write() as session:
        resending.look_at(session, [delivery.id], house.clock())
        assert resending.look_at(session, [delivery.id], None) == 1

    assert house.delivery().looked_at is None
