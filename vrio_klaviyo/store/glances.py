"""Customers at a glance, for the rows of a list: when Vrio last told of them, how it ended, and what is amiss."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customer_words import phone_end
from vrio_klaviyo.store.customers import Customer, ProfileLink
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus
from vrio_klaviyo.store.ids import moment_of_id
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.listing import WITHOUT_REQUEST

AMISS = (DeliveryStatus.FAILED, DeliveryStatus.HELD, DeliveryStatus.SKIPPED)


@dataclass(frozen=True, slots=True)
class Glance:
    """
    One customer in a line.

    Shape:  last is the newest delivery, without its request. amiss are the states, of those that stand still, in which
            they have deliveries.
    """

    heard_at: datetime | None
    last: Delivery | None
    amiss: tuple[DeliveryStatus, ...]
    phone_refused: bool


def glances_at(session: Session, customers: Sequence[Customer]) -> dict[str, Glance]:
    """
    What a list tells of these customers, by their ids.

    Shape:  each figure is the end of an index, so that somebody with ten thousand requests costs what anybody does.
    """
    ids = [customer.id for customer in customers]
    heard = select(func.max(InboundEvent.id)).where(InboundEvent.customer_id == Customer.id).scalar_subquery()
    newest = [
        select(func.max(Delivery.id))
        .where(Delivery.customer_id == Customer.id, Delivery.status == status)
        .scalar_subquery()
        .label(f"newest_{status}")
        for status in DeliveryStatus
    ]
    ends = {row[0]: row[1:] for row in session.execute(select(Customer.id, heard, *newest).where(Customer.id.in_(ids)))}
    lasts = {customer_id: max(filter(None, end[1:]), default=None) for customer_id, end in ends.items()}
    wanted = select(Delivery).where(Delivery.id.in_([last for last in lasts.values() if last]))
    deliveries = {delivery.id: delivery for delivery in session.scalars(wanted.options(WITHOUT_REQUEST))}
    refused = _refused_phones(session, customers)
    return {
        customer.id: Glance(
            heard_at=moment_of_id(ends[customer.id][0]) if ends[customer.id][0] else None,
            last=deliveries.get(lasts[customer.id] or ""),
            amiss=tuple(
                status
                for status, end in zip(DeliveryStatus, ends[customer.id][1:], strict=True)
                if end and status in AMISS
            ),
            phone_refused=bool(customer.phone) and phone_end(customer.phone) in refused.get(customer.id, ()),
        )
        for customer in customers
        if customer.id in ends
    }


def _refused_phones(session: Session, customers: Sequence[Customer]) -> dict[str, set[str]]:
    """The ends of the numbers that some connection refused, by customer."""
    workspaces = {customer.workspace_id for customer in customers}
    connections = list(session.scalars(select(Connection.id).where(Connection.workspace_id.in_(workspaces))))
    told = select(ProfileLink.customer_id, ProfileLink.refused_phone).where(
        ProfileLink.connection_id.in_(connections),
        ProfileLink.customer_id.in_([customer.id for customer in customers]),
        ProfileLink.refused_phone.is_not(None),
    )
    found: dict[str, set[str]] = {}
    for customer_id, phone in session.execute(told):
        found.setdefault(customer_id, set()).add(phone_end(phone or ""))
    return found


def customers_in_order(session: Session, workspace_id: str, ids: Sequence[str]) -> list[Customer]:
    """The customers of these ids in a workspace, in the order of the ids."""
    own = select(Customer).where(Customer.workspace_id == workspace_id, Customer.id.in_(ids))
    rows = {row.id: row for row in session.scalars(own)}
    return [rows[customer_id] for customer_id in ids if customer_id in rows]
