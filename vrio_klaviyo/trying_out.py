"""Try a connection out: one test event, on the same way as everything else."""

from datetime import datetime
from typing import Any

from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.gate import is_email
from vrio_klaviyo.klaviyo.requests import EventRequest, Profile
from vrio_klaviyo.store import tryouts
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.vrio.routes import BEYOND, METRICS

# What a test event can be called: a metric of its own would only fill the merchant's list of metrics.
METRICS_TO_TRY = (*METRICS, *BEYOND)
MARK = "VrioTest"


def send_test_event(
    session: Session, connection: Connection, metric: str, email: str, now: datetime, *, marked: bool = True
) -> Delivery:
    """
    Owe Klaviyo one test event; the caller rings the connection's lane after the commit.

    Shape:  it goes out while the connection is paused too, whatever its filters say. It has no value, so that it adds
            nothing to a merchant's revenue; `marked` puts VrioTest on it, which flows can leave out.
    Raises: InvalidInput when the e-mail cannot be one, or there is no such metric; Refused without a source.
    """
    email = email.strip().lower()
    if not is_email(email):
        raise InvalidInput("the test event's e-mail address cannot be one")
    if metric not in METRICS_TO_TRY:
        raise InvalidInput(f"{metric} is no event that we send")
    properties: dict[str, Any] = {MARK: True} if marked else {}
    request = EventRequest(
        metric=metric,
        unique_id=tryouts.new_test_id(),
        time=now,
        profile=Profile(email=email),
        properties=properties | {"Message": "A test event of the Vrio connection."},
    )
    return tryouts.open_test_event(session, connection, request, now)
