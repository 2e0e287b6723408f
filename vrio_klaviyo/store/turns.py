"""Turns: which of a lane's deliveries go next, and when the next is due."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, aliased

from vrio_klaviyo.klaviyo.requests import Known
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import ProfileLink
from vrio_klaviyo.store.deliveries import LANE_ORDERS, OWED, Delivery, DeliveryStatus

# Deliveries without a customer have a turn of their own.
_TURN = func.coalesce(Delivery.customer_id, Delivery.id)


@dataclass(frozen=True, slots=True)
class Due:
    """
    A delivery whose turn it is, and what its body must mind.

    Shape:  newest is the picture of the customer that Klaviyo has; accepted_phone the number that it took last.
    """

    delivery: Delivery
    connection: Connection
    known: Known
    newest: datetime | None = None
    accepted_phone: str | None = None

    @property
    def turn(self) -> str:
        """Whose turn it is: there is one at a time for each."""
        return self.delivery.customer_id or self.delivery.id


def claim_due(
    session: Session, account_id: str, now: datetime, limit: int, busy: AbstractSet[str] = frozenset()
) -> list[Due]:
    """
    What this lane must send next, at most one for each customer, and none for those who are `busy`.

    One for each customer, so that a customer's first tries go out in order, and what Klaviyo answers to one (a refused
    phone) is known to the next. However many one customer has, the others are found beside them.

    Shape:  by lane_order, then the longest due first.
    """
    chosen: dict[str, str] = {}
    lane = _connections(session, account_id)
    for order in LANE_ORDERS:
        if len(chosen) >= limit:
            break
        skip = busy | chosen.keys()
        heads = [head for one in lane for head in _heads(session, one, order, now, limit - len(chosen), skip)]
        for head in sorted(heads, key=lambda head: (head.next_attempt_at, head.id)):
            chosen.setdefault(head.turn, head.id)
    return _dues(session, list(chosen.values())[:limit])


def claim_all_due(
    session: Session, connection_id: str, now: datetime, limit: int, busy: AbstractSet[str] = frozenset()
) -> list[Due]:
    """What one connection must send next, all of each customer, but for those who are `busy`."""
    ids: list[str] = []
    for order in LANE_ORDERS:
        if len(ids) < limit:
            ids += [row.id for row in _due_rows(session, connection_id, order, now, limit - len(ids), busy)]
    return _dues(session, ids)


def backlog(session: Session, account_id: str, now: datetime, enough: int) -> int:
    """How many deliveries of this lane are due; counted no further than `enough`."""
    found = 0
    for connection_id in _connections(session, account_id):
        for order in LANE_ORDERS:
            if found < enough:
                some = _DUE.order_by(None).subquery()
                asked = {"connection": connection_id, "lane_order": order, "now": now, "most": enough - found}
                found += session.scalar(select(func.count()).select_from(some), asked) or 0
    return found


def next_due_at(session: Session, account_id: str) -> datetime | None:
    """When this lane's next delivery is due; None when it owes nothing."""
    found = []
    for connection_id in session.scalars(select(Connection.id).where(Connection.account_id == account_id)):
        for order in LANE_ORDERS:
            of_this = Delivery.connection_id == connection_id, Delivery.lane_order == order, OWED
            first = select(Delivery.next_attempt_at).where(*of_this).order_by(Delivery.next_attempt_at).limit(1)
            found.append(session.scalar(first))
    return min((at for at in found if at is not None), default=None)


def lanes_to_ring(session: Session, now: datetime) -> list[str]:
    """The Klaviyo accounts that have something due."""
    # The lane orders are named one by one because the index begins with them.
    due = OWED & Delivery.lane_order.in_(LANE_ORDERS) & (Delivery.next_attempt_at <= now)
    query = select(Connection.account_id).where(
        select(Delivery.id).where(Delivery.connection_id == Connection.id, due).exists()
    )
    return list(session.scalars(query.distinct()))


def _connections(session: Session, account_id: str) -> Sequence[str]:
    return session.scalars(select(Connection.id).where(Connection.account_id == account_id)).all()


def _heads(
    session: Session, connection_id: str, order: int, now: datetime, limit: int, busy: AbstractSet[str]
) -> Iterable[Any]:
    """The first due delivery of so many customers, or of all of them."""
    heads: dict[str, Any] = {}
    page = limit * 4
    while len(heads) < limit:
        # What is skipped is read from the index, too: fifty thousand of one customer take some milliseconds.
        rows = _due_rows(session, connection_id, order, now, page, busy | heads.keys())
        for row in rows:
            heads.setdefault(row.turn, row)
        if len(rows) < page:
            break
    return heads.values()


# Made once, because that costs more than asking.
_DUE = (
    select(Delivery.id, Delivery.next_attempt_at, _TURN.label("turn"))
    .where(Delivery.connection_id == bindparam("connection"), Delivery.lane_order == bindparam("lane_order"))
    .where(OWED, Delivery.next_attempt_at <= bindparam("now"))
    .order_by(Delivery.next_attempt_at, Delivery.id)
    .limit(bindparam("most"))
)
_DUE_OF_OTHERS = _DUE.where(_TURN.not_in(bindparam("busy", expanding=True)))
_WHOLE = (
    select(Delivery, ProfileLink)
    .outerjoin(
        ProfileLink,
        (ProfileLink.connection_id == Delivery.connection_id) & (ProfileLink.customer_id == Delivery.customer_id),
    )
    .where(Delivery.id.in_(bindparam("deliveries", expanding=True)))
)
_later = aliased(Delivery, name="later")
# Of these deliveries those after which one of another webhook was opened that shows as new a picture, and was accepted.
_OVERTAKEN = select(Delivery.id).where(
    Delivery.id.in_(bindparam("deliveries", expanding=True)),
    select(_later.id)
    .where(_later.customer_id == Delivery.customer_id, _later.status == DeliveryStatus.ACCEPTED)
    .where(_later.id > Delivery.id, _later.as_of == Delivery.as_of)
    .where(_later.inbound_event_id != Delivery.inbound_event_id)
    # Not as a bare column, by which SQLite would look for it among all that the connection has.
    .where(func.coalesce(_later.connection_id, "") == Delivery.connection_id)
    .exists(),
)


def _due_rows(
    session: Session, connection_id: str, order: int, now: datetime, most: int, busy: AbstractSet[str] = frozenset()
) -> Sequence[Any]:
    """What is due, but for those who are busy: ids, times and turns, read from the index alone."""
    asked = {"connection": connection_id, "lane_order": order, "now": now, "most": most}
    if not busy:
        return session.connection().execute(_DUE, asked).all()
    return session.connection().execute(_DUE_OF_OTHERS, asked | {"busy": list(busy)}).all()


def _dues(session: Session, delivery_ids: list[str]) -> list[Due]:
    """These deliveries, in this order."""
    if not delivery_ids:
        return []
    rows = session.execute(_WHOLE, {"deliveries": delivery_ids}).all()
    overtaken = _overtaken(session, rows)
    # Not joined: each connection would be read once for each of its deliveries.
    found = {
        row.id: _due(row, session.get_one(Connection, row.connection_id), link, row.id in overtaken)
        for row, link in rows
    }
    return [found[delivery_id] for delivery_id in delivery_ids]


def _overtaken(session: Session, rows: Sequence[Any]) -> AbstractSet[str]:
    """Those after which a picture of the same time was told, and taken: Vrio's dates know no less than a second."""
    out_of_turn = [
        row.id
        for row, link in rows
        # What goes in turn has its customer's later ones behind it.
        if (row.asked or row.next_attempt_at != row.created_at) and link and link.accepted_as_of == row.as_of
    ]
    if not out_of_turn:
        return frozenset()
    return set(session.connection().execute(_OVERTAKEN, {"deliveries": out_of_turn}).scalars())


def _due(delivery: Delivery, connection: Connection, link: ProfileLink | None, overtaken: bool) -> Due:
    if link is None:
        return Due(delivery, connection, Known(backfill=delivery.backfill))
    newest = link.accepted_as_of
    overtaken = overtaken or (newest is not None and delivery.as_of < newest)
    known = Known(refused_phone=link.refused_phone, overtaken=overtaken, backfill=delivery.backfill)
    return Due(delivery, connection, known, newest, link.accepted_phone)
