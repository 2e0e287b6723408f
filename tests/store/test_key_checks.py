"""Key checks: a key that Klaviyo refused is asked about again."""

from datetime import timedelta

import pytest

from tests.building import NOON, House
from vrio_klaviyo.store.connections import KeyStatus
from vrio_klaviyo.store.deliveries import DeliveryStatus
from vrio_klaviyo.store.holding import CONNECTION_PAUSED, ENDPOINT_REFUSED
from vrio_klaviyo.store.key_checks import connections_to_recheck, record_key


@pytest.mark.parametrize(
    ("status", "minutes", "active", "asked"),
    [
        (KeyStatus.REJECTED, 61, True, True),
        (KeyStatus.REJECTED, 59, True, False),
        (KeyStatus.REJECTED, 61, False, False),
        (KeyStatus.ACCEPTED, 61, True, False),
        (KeyStatus.UNCHECKED, 61, True, False),
    ],
)
def test_a_refused_key_is_asked_about_again(
    house: House, status: KeyStatus, minutes: int, active: bool, asked: bool
) -> None:
    connection = house.connect(active=active)
    with house.db.write() as session:
        record_key(session, connection.id, status, "401", NOON - timedelta(minutes=minutes))
    with house.db.read() as session:
        assert connections_to_recheck(session, NOON - timedelta(hours=1)) == ([connection.id] if asked else [])


@pytest.mark.parametrize(
    ("reason", "minutes", "active", "asked"),
    [
        (ENDPOINT_REFUSED, 61, True, True),
        (ENDPOINT_REFUSED, 59, True, False),
        (ENDPOINT_REFUSED, 61, False, False),
        (CONNECTION_PAUSED, 61, True, False),
    ],
)
def test_a_connection_whose_endpoint_was_refused_is_asked_about_again(
    house: House, reason: str, minutes: int, active: bool, asked: bool
) -> None:
    connection, other = house.connect(active=active), house.connect("Other")
    house.change(house.owe(connection), status=DeliveryStatus.HELD, reason=reason)
    house.change(house.owe(other), status=DeliveryStatus.ACCEPTED, reason=ENDPOINT_REFUSED)
    for one in (connection, other):
        house.change(one, key_status=KeyStatus.ACCEPTED, checked_at=NOON - timedelta(minutes=minutes))
    with house.db.read() as session:
        assert connections_to_recheck(session, NOON - timedelta(hours=1)) == ([connection.id] if asked else [])
