"""What is owed or has failed, and is sent once more by a person or refused."""

from typing import Any

import pytest

from tests.bodies import declined
from tests.building import House
from tests.steered import Klaviyo
from vrio_klaviyo.errors import Refused
from vrio_klaviyo.sending_again import send_again
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import Delivery


def owe(house: House, *bodies: dict[str, Any]) -> None:
    """Post these webhooks and take them in."""
    for body in bodies or [declined()]:
        house.post(body)
    house.take_in()


def again(house: House, delivery: Delivery | None = None, **how: bool) -> None:
    """Send a delivery once more; the only one when none is named."""
    with house.db.write() as session:
        send_again(session, (delivery or house.delivery()).id, house.clock(), **how)


def failed(house: House, connection: Connection, klaviyo: Klaviyo) -> Delivery:
    """One delivery that Klaviyo has refused once, for good."""
    klaviyo.fault("status", status=400)
    owe(house, declined(phone=""))
    house.send(connection)
    delivery = house.delivery()
    assert delivery.status == "failed"
    return delivery


def refusal(house: House, delivery: Delivery | None = None, **how: bool) -> str:
    """What is said when that is refused."""
    with pytest.raises(Refused) as refused:
        again(house, delivery, **how)
    return str(refused.value)
