"""What matches a replay's filter: how many there are of which kind, and which of them may be sent again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, not_, select
from sqlalchemy.orm import Session, aliased

from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus
from vrio_klaviyo.store.ids import earliest_id
from vrio_klaviyo.store.listing import Wanted, looked_at_or_not
from vrio_klaviyo.store.paging import Condition

_Twin = aliased(Delivery)
# What was not sent does not hold its key, so that another row may have made the same promise since.
_PROMISED_ANEW = and_(
    Delivery.status == DeliveryStatus.SKIPPED,
    select(_Twin.id)
    .where(
        _Twin.connection_id == Delivery.connection_id,
        _Twin.dedup_key == Delivery.dedup_key,
        _Twin.status != DeliveryStatus.SKIPPED,
    )
    .exists(),
)


def causes_like(session: Session, workspace_id: str, beginning: str) -> list[str]:
    """The causes of failed deliveries that begin so, such as "503"."""
    query = select(Delivery.cause).join(Connection, Connection.id == Delivery.connection_id).distinct()
    begins = Delivery.cause.startswith(beginning, autoescape=True)
    failed = query.where(Connection.workspace_id == workspace_id, Delivery.status == DeliveryStatus.FAILED, begins)
    return list(session.scalars(failed.order_by(Delivery.cause)))


def matching(connection_id: str, wanted: Wanted) -> list[Condition]:
    """
    The conditions under which a delivery of this connection is one of those wanted.

    Raises: InvalidInput when it does not say how they must stand: what is queued goes by itself.
    """
    if not wanted.status:
        raise InvalidInput("a replay must say how the deliveries stand: failed, skipped, held or accepted")
    conditions: list[Condition] = [Delivery.connection_id == connection_id, Delivery.status.in_(wanted.status)]
    for column, values in ((Delivery.metric, wanted.event), (Delivery.cause, wanted.causes)):
        if values:
            conditions.append(column.in_(values))
    if wanted.customers is not None:
        conditions.append(Delivery.customer_id.in_(wanted.customers))
    if wanted.ids:
        conditions.append(Delivery.id.in_(wanted.ids))
    conditions += looked_at_or_not(wanted.looked_at)
    # Ids hold the time at which they were made.
    if wanted.since is not None:
        conditions.append(Delivery.id >= earliest_id("dl", wanted.since))
    if wanted.until is not None:
        conditions.append(Delivery.id < earliest_id("dl", wanted.until))
    return conditions


def connections_with(session: Session, workspace_id: str, wanted: Wanted) -> list[Connection]:
    """The connections that have deliveries which are wanted, oldest first."""
    query = select(Connection).where(Connection.workspace_id == workspace_id)
    if wanted.connections:
        query = query.where(Connection.id.in_(wanted.connections))
    one = select(Delivery.id).limit(1)
    found = list(session.scalars(query.order_by(Connection.id)))
    return [each for each in found if session.scalar(one.where(*matching(each.id, wanted))) is not None]


def sendable(connection_id: str, wanted: Wanted, hopeless: Sequence[str]) -> list[Condition]:
    """The conditions for those that may be sent again; `hopeless` are the reasons against which that is no help."""
    skipped = Delivery.status == DeliveryStatus.SKIPPED
    return [
        *matching(connection_id, wanted),
        Delivery.bodies_removed_at.is_(None),
        not_(and_(skipped, Delivery.cause.in_(hopeless))),
        not_(_PROMISED_ANEW),
    ]


@dataclass(frozen=True, slots=True)
class Counted:
    """How many of the deliveries that are wanted are alike."""

    status: str
    cause: str
    metric: str
    with_bodies: bool
    promised_anew: bool
    number: int


def counted(session: Session, connection_id: str, wanted: Wanted) -> list[Counted]:
    """The deliveries of a connection that are wanted, by what matters for sending them again."""
    alike = (Delivery.status, Delivery.cause, Delivery.metric, Delivery.bodies_removed_at.is_(None), _PROMISED_ANEW)
    labelled: list[Any] = [column.label(f"c{place}") for place, column in enumerate(alike)]
    each = select(*labelled).where(*matching(connection_id, wanted)).subquery()
    query = select(*each.c, func.count()).group_by(*each.c)
    return [Counted(*row[:3], bool(row[3]), bool(row[4]), row[5]) for row in session.execute(query)]


def oldest(session: Session, connection_id: str, wanted: Wanted, hopeless: Sequence[str]) -> datetime | None:
    """When the oldest of those that would be sent again was made."""
    first = select(Delivery.created_at).where(*sendable(connection_id, wanted, hopeless))
    return session.scalar(first.order_by(Delivery.id).limit(1))
