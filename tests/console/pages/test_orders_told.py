"""Which order a webhook is about, read from the ids of what was made from it."""

import pytest

from console.pages.orders_told import order_told, orders_told
from tests.bodies import SALE, declined, sample
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.listing import Happening

TOLD = sample(SALE)["webhook_data"]["transaction"]
ORDER, PAYMENT = str(TOLD["order"]["id"]), str(TOLD["id"])


@pytest.fixture
def remembered(house):
    """What the webhook of a sale tells."""
    house.post(sample(SALE))
    house.take_in()
    return house.source.id


@pytest.mark.parametrize(
    ("unique_id", "order"),
    [
        (PAYMENT, ORDER),
        (f"{PAYMENT}_1", ORDER),
        (f"{PAYMENT}_1_sub_2", ORDER),
        ("order1253_4501", "1253"),
        ("1270_abandoned", "1270"),
        ("4001_2025-09-15", ""),
        ("", ""),
    ],
)
def test_an_id_tells_the_order(house, remembered, unique_id, order):
    with house.db.read() as session:
        assert order_told(session, remembered, unique_id) == order


def test_each_webhook_has_the_orders_of_its_requests(house, remembered):
    def happening(number, *unique_ids):
        webhook = InboundEvent(id=f"in_{number}", source_id=remembered)
        return Happening(webhook, [Delivery(unique_id=one) for one in unique_ids])

    page = [happening(1, PAYMENT, f"{PAYMENT}_1", ""), happening(2, "order9_1", "8_abandoned"), happening(3, "77_x")]
    with house.db.read() as session:
        assert orders_told(session, page) == {"in_1": [ORDER], "in_2": ["8", "9"]}
        assert orders_told(session, []) == {}


def test_what_another_source_calls_so_is_not_meant(house, remembered):
    other = house.add_source("Other")
    house.post(declined(1), other)
    house.take_in(other)
    with house.db.read() as session:
        assert order_told(session, other.id, PAYMENT) == ""
