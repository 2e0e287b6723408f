"""Deliveries that are opened past the intake, and are due at once."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from tests.faults.town import Town
from tests.faults.vrio import profile
from vrio_klaviyo.klaviyo.requests import EventRequest, Profile
from vrio_klaviyo.store import inbound
from vrio_klaviyo.store.connections import list_connections
from vrio_klaviyo.store.customers import meet_customer
from vrio_klaviyo.store.opening import Opening, open_delivery


def owe(town: Town, customer: str, numbers: Iterable[int]) -> None:
    """One customer's deliveries, that have been due for an hour; some webhook must have come before."""
    now, email = datetime.now(UTC), f"{customer}@acme.test"
    town.vrio.people.add(profile({"email": email}))
    with town.db.write() as session:
        webhook, *_ = inbound.list_inbound(session)
        (connection,) = list_connections(session)
        person = meet_customer(
            session,
            workspace_id=connection.workspace_id,
            source_id=webhook.source_id,
            vrio_id=customer,
            email=email,
            first_name="John",
            last_name="Doe",
            phone="",
            as_of=now,
        )
        assert person is not None
        for number in numbers:
            request = EventRequest(
                metric="Declined Order",
                unique_id=f"{number}",
                time=now,
                profile=Profile(email=email),
                properties={},
            )
            opening = Opening(
                connection_id=connection.id,
                source_id=webhook.source_id,
                customer_id=person.id,
                inbound_event_id=webhook.id,
                request=request,
                as_of=now,
                skip_reason=None,
                notes=(),
            )
            open_delivery(session, opening, now - timedelta(hours=1))
            town.vrio.owed.add((request.metric, request.unique_id))
