"""Webhooks that are taken in, and what is seen of them afterwards."""

from typing import Any

from tests.bodies import sample
from tests.building import House
from vrio_klaviyo.klaviyo.requests import EventRequest, loads
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.inbound import InboundEvent


def taken_in(house: House, *bodies: bytes | dict[str, Any]) -> list[InboundEvent]:
    """Post these webhooks and run the intake; how each of them ended."""
    ids = [house.post(body) for body in bodies]
    rung = len(house.bells)
    house.take_in()
    # A run ends after its slice of time, and rings.
    while ("intake", house.source.id) in house.bells[rung:]:
        house.bells.remove(("intake", house.source.id))
        rung = len(house.bells)
        house.take_in()
    return [house.inbound(inbound_id) for inbound_id in ids]


def promised(house: House) -> list[tuple[str, str, str, str]]:
    """What is owed, was sent, or was not: metric, id, status, reason."""
    return [(one.metric, one.unique_id, one.status, one.reason) for one in house.deliveries()]


def events_promised(house: House) -> list[tuple[str, str, str, str]]:
    """The same of events alone: a profile may be told once more, when it has changed by then."""
    return [row for row in promised(house) if row[0]]


def request_of(delivery: Delivery) -> EventRequest:
    """The neutral request of a delivery."""
    request = loads(delivery.request)
    assert isinstance(request, EventRequest)
    return request


def changed_offer(at: str, **changes: Any) -> dict[str, Any]:
    """A webhook of the sale's subscription that dates nothing but itself."""
    body = sample("order_offer_updated_paused") | {"webhook_event_id": at, "webhook_event_date": at}
    undated = {"date_pause": None, "date_unpause": None, "date_reactivate": None, "date_modified": None}
    body["webhook_data"]["order_offer"] |= undated | changes
    return body
