"""
What went wrong, grouped by its cause: how many deliveries stand still for which reason, since when, and one of each.

Causes are few and deliveries may be many, so an index is asked for one cause after the other: what this costs depends
on the number of causes alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import CAUSED, Delivery, DeliveryStatus
from vrio_klaviyo.store.ids import earliest_id, moment_of_id
from vrio_klaviyo.store.listing import looked_at_or_not
from vrio_klaviyo.store.paging import MANY, Condition, count_up_to_many

# Of a connection and status. Klaviyo's pointers hold places in lists, so there may be more; the rest is in the lists.
_MOST_CAUSES = 100

STANDING_STILL = (DeliveryStatus.FAILED, DeliveryStatus.HELD, DeliveryStatus.SKIPPED)


@dataclass(frozen=True, slots=True)
class Group:
    """
    The deliveries that stand still for one cause.

    Shape:  count is None when they are many. sample is the newest one's id.
    """

    status: str
    cause: str
    count: int | None
    first_at: datetime
    last_at: datetime
    sample: str


def groups_by_cause(
    session: Session,
    workspace_id: str,
    *,
    statuses: Sequence[str] = STANDING_STILL,
    connections: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    looked_at: bool | None = None,
) -> list[Group]:
    """The groups of a workspace, the one heard of last first; looked_at parts them as it does in `Wanted`."""
    owned = select(Connection.id).where(Connection.workspace_id == workspace_id)
    if connections:
        owned = owned.where(Connection.id.in_(connections))
    part = looked_at_or_not(looked_at)
    made: list[Condition] = [] if since is None else [Delivery.id >= earliest_id("dl", since)]
    made += [] if until is None else [Delivery.id < earliest_id("dl", until)]
    found = [
        group
        for connection_id in session.scalars(owned).all()
        for status in statuses
        for group in _groups(session, status, [*_standing(connection_id, status), *part], made)
    ]
    alike = groupby(sorted(found, key=_what), key=_what)
    return sorted((_together(list(groups)) for _, groups in alike), key=lambda group: group.sample, reverse=True)


def _groups(session: Session, status: str, standing: list[Condition], made: list[Condition]) -> Iterator[Group]:
    for cause in _causes(session, standing):
        rows = [*standing, Delivery.cause == cause, *made]
        # Each by itself: SQLite reads all rows for two of them at once.
        oldest, newest = (session.scalar(select(end(Delivery.id)).where(*rows)) for end in (func.min, func.max))
        if oldest is not None and newest is not None:
            count = count_up_to_many(session, Delivery.id, [rows])
            yield Group(status, cause, count, moment_of_id(oldest), moment_of_id(newest), newest)


def _causes(session: Session, standing: list[Condition]) -> Iterator[str]:
    """The causes there are, each found by what comes after the last one."""
    last: list[Condition] = []
    for _ in range(_MOST_CAUSES):
        least = select(Delivery.cause).where(*standing, *last)
        cause = session.scalar(least.order_by(Delivery.cause).limit(1))
        if cause is None:
            return
        yield cause
        last = [Delivery.cause > cause]


def _standing(connection_id: str, status: str) -> list[Condition]:
    return [Delivery.connection_id == connection_id, Delivery.status == status, CAUSED]


def _together(groups: list[Group]) -> Group:
    """One group of those that several connections have of one cause."""
    counts = [group.count for group in groups]
    known = sum(count for count in counts if count is not None)
    newest = max(groups, key=lambda group: group.sample)
    return Group(
        newest.status,
        newest.cause,
        None if None in counts or known > MANY else known,
        min(group.first_at for group in groups),
        newest.last_at,
        newest.sample,
    )


def _what(group: Group) -> tuple[str, str]:
    return group.status, group.cause
