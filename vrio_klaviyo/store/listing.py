"""
Reading lists: connections, webhooks and deliveries of one workspace, the newest first, and what happened to a customer.

Every list is bound to its workspace, and none loads a body.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Any

from sqlalchemy import false, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, defer

from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import Customer
from vrio_klaviyo.store.deliveries import CAUSED, LOOKED_AT, OPEN, Delivery, DeliveryStatus
from vrio_klaviyo.store.ids import earliest_id
from vrio_klaviyo.store.inbound import InboundEvent, InboundStatus
from vrio_klaviyo.store.paging import Condition, Page, Place, Stream, count_up_to_many, page_of_ids
from vrio_klaviyo.store.sources import Source

# A body that a list has left out is never fetched by accident.
WITHOUT_REQUEST = defer(Delivery.request, raiseload=True)
WITHOUT_BODY = defer(InboundEvent.body, raiseload=True)
WITHOUT_BODIES = (
    defer(Attempt.request_body, raiseload=True),
    defer(Attempt.response_body, raiseload=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """
    What is asked of a list: within one field any value will do, and all fields must be met; an empty one is open.

    Shape:  event is the metric of deliveries ("" for a profile) and Vrio's word of webhooks. customers are ids; None
            leaves them open, and an empty list means nobody; webhooks are the ids of the webhooks of customers, alike.
            connections and causes are for deliveries, sources for webhooks. ids are deliveries'; looked_at parts
            failures by whether somebody looked at them, None leaves it open. since is met by what was made then, until
            by what was made before.
    """

    status: Sequence[str] = ()
    event: Sequence[str] = ()
    connections: Sequence[str] = ()
    sources: Sequence[str] = ()
    causes: Sequence[str] = ()
    customers: Sequence[str] | None = None
    webhooks: Sequence[str] | None = None
    ids: Sequence[str] = ()
    looked_at: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


def page_of_connections(
    session: Session, workspace_id: str, *, archived: bool = False, place: Place | None = None, limit: int = 50
) -> Page[Connection]:
    """Connections; the archived ones are a list of their own."""
    own = [Connection.workspace_id == workspace_id, Connection.archived_at.is_not(None) == archived]
    page = page_of_ids(session, Connection.id, [own], place, limit)
    return page.of(_in_order(page.rows, session.scalars(select(Connection).where(Connection.id.in_(page.rows)))))


def page_of_deliveries(
    session: Session, workspace_id: str, wanted: Wanted, *, place: Place | None = None, limit: int = 50
) -> Page[Delivery]:
    """Deliveries, without their requests."""
    page = page_of_ids(session, Delivery.id, deliveries_wanted(session, workspace_id, wanted), place, limit)
    rows = session.scalars(select(Delivery).where(Delivery.id.in_(page.rows)).options(WITHOUT_REQUEST))
    return page.of(_in_order(page.rows, rows))


def count_of_deliveries(session: Session, workspace_id: str, wanted: Wanted) -> int | None:
    """How many deliveries a list has in all its pages; None when they are many."""
    return count_up_to_many(session, Delivery.id, deliveries_wanted(session, workspace_id, wanted))


def deliveries_wanted(session: Session, workspace_id: str, wanted: Wanted) -> list[Stream]:
    """The streams of deliveries that are asked for, each within one index."""
    owned = select(Connection.id).where(Connection.workspace_id == workspace_id)
    if wanted.connections:
        owned = owned.where(Connection.id.in_(wanted.connections))
    connections = list(session.scalars(owned))
    statuses = wanted.status or list(DeliveryStatus)
    rest = [*_made_between(Delivery.id, "dl", wanted), *_any_of(Delivery.id, wanted.ids)]
    rest += looked_at_or_not(wanted.looked_at)
    if wanted.customers is not None:
        # SQLite: would take an index of the connection, which has far more rows than its customer.
        of_these = func.coalesce(Delivery.connection_id, "").in_(connections)
        rest += [of_these, *_any_of(Delivery.metric, wanted.event)]
        rest += _any_of(Delivery.cause, wanted.causes)
        if wanted.webhooks is not None:
            rest.append(Delivery.inbound_event_id.in_(wanted.webhooks))
        return _streams({Delivery.customer_id: wanted.customers, Delivery.status: statuses}, rest)
    if wanted.causes:
        rest += [CAUSED, *_any_of(Delivery.metric, wanted.event)]
        fixed = {Delivery.connection_id: connections, Delivery.status: statuses, Delivery.cause: wanted.causes}
        return _streams(fixed, rest)
    metrics = {Delivery.metric: wanted.event} if wanted.event else {}
    return _streams({Delivery.connection_id: connections, Delivery.status: statuses} | metrics, rest)


def page_of_webhooks(
    session: Session, workspace_id: str, wanted: Wanted, *, place: Place | None = None, limit: int = 50
) -> Page[InboundEvent]:
    """Webhooks from Vrio, without their bodies."""
    page = page_of_ids(session, InboundEvent.id, webhooks_wanted(session, workspace_id, wanted), place, limit)
    return page.of(_webhooks(session, page.rows))


def webhooks_wanted(session: Session, workspace_id: str, wanted: Wanted) -> list[Stream]:
    """The streams of webhooks that are asked for, each within one index."""
    owned = select(Source.id).where(Source.workspace_id == workspace_id)
    if wanted.sources:
        owned = owned.where(Source.id.in_(wanted.sources))
    sources = list(session.scalars(owned))
    rest = _made_between(InboundEvent.id, "in", wanted)
    if wanted.customers is not None:
        rest += [InboundEvent.source_id.in_(sources), *_any_of(InboundEvent.status, wanted.status)]
        rest += _any_of(InboundEvent.event, wanted.event)
        return _streams({InboundEvent.customer_id: wanted.customers}, rest)
    statuses = wanted.status or list(InboundStatus)
    events = {InboundEvent.event: wanted.event} if wanted.event else {}
    return _streams({InboundEvent.source_id: sources, InboundEvent.status: statuses} | events, rest)


def attempts_of(session: Session, delivery_ids: Sequence[str]) -> list[Attempt]:
    """All attempts of these deliveries without their bodies, the first one first."""
    query = select(Attempt).where(Attempt.delivery_id.in_(delivery_ids)).order_by(Attempt.id)
    return list(session.scalars(query.options(*WITHOUT_BODIES)))


@dataclass(frozen=True, slots=True)
class Happening:
    """
    One webhook from Vrio, and what followed from it.

    Shape:  deliveries and attempts in the order in which they were made, without bodies; attempts by delivery.
    """

    webhook: InboundEvent
    deliveries: list[Delivery] = field(default_factory=list)
    attempts: dict[str, list[Attempt]] = field(default_factory=dict)

    @property
    def statuses(self) -> Counter[str]:
        """How many of its deliveries stand how."""
        return Counter(delivery.status for delivery in self.deliveries)


def page_of_happenings(
    session: Session, workspace_id: str, wanted: Wanted, *, place: Place | None = None, limit: int = 50
) -> Page[Happening]:
    """
    What happened to the customers that are wanted, grouped by webhook.

    Shape:  status, event, connections and causes are those of deliveries: a webhook is shown, with all that followed
            from it, when it has at least one that meets them all.
    """
    page = page_of_ids(session, InboundEvent.id, _happenings_wanted(session, workspace_id, wanted), place, limit)
    happenings = {webhook.id: Happening(webhook) for webhook in _webhooks(session, page.rows)}
    owed = select(Delivery).where(Delivery.inbound_event_id.in_(page.rows)).order_by(Delivery.id)
    deliveries = list(session.scalars(owed.options(WITHOUT_REQUEST)))
    of = {delivery.id: happenings[delivery.inbound_event_id] for delivery in deliveries}
    for delivery in deliveries:
        of[delivery.id].deliveries.append(delivery)
    for attempt in attempts_of(session, list(of)):
        of[attempt.delivery_id].attempts.setdefault(attempt.delivery_id, []).append(attempt)
    return page.of(happenings.values())


def count_of_happenings(session: Session, workspace_id: str, wanted: Wanted) -> int | None:
    """How many webhooks such a list has in all its pages; None when they are many."""
    return count_up_to_many(session, InboundEvent.id, _happenings_wanted(session, workspace_id, wanted))


def webhooks_about(
    session: Session, customer_ids: Sequence[str], names: Sequence[str], event_id: str = "", most: int = 500
) -> list[str]:
    """
    The webhooks of these customers from which an event of one of these names followed, or whose own id it is.

    Shape:  the newest first, of each kind up to a limit: an order has few. A name is an event's whole id, or what
            stands before a `_` in it: 1668 is that of 1668_2_sub, too.
    """
    called = (
        or_(Delivery.unique_id == name, Delivery.unique_id.startswith(f"{name}_", autoescape=True)) for name in names
    )
    # Neither is sorted by the database: SQLite would read the whole table in that order to save the sorting.
    followed = select(Delivery.inbound_event_id).where(Delivery.customer_id.in_(customer_ids), or_(false(), *called))
    found = set(session.scalars(followed.limit(most)))
    if event_id:
        own = InboundEvent.customer_id.in_(customer_ids), InboundEvent.event_id == event_id
        found |= set(session.scalars(select(InboundEvent.id).where(*own).limit(most)))
    return sorted(found, reverse=True)


def _happenings_wanted(session: Session, workspace_id: str, wanted: Wanted) -> list[Stream]:
    meets = [
        *_any_of(Delivery.status, wanted.status),
        *_any_of(Delivery.metric, wanted.event),
        *_any_of(Delivery.connection_id, wanted.connections),
        *_any_of(Delivery.cause, wanted.causes),
    ]
    own = select(Customer.id).where(Customer.workspace_id == workspace_id, Customer.id.in_(wanted.customers or []))
    rest = _made_between(InboundEvent.id, "in", wanted)
    if wanted.webhooks is not None:
        rest.append(InboundEvent.id.in_(wanted.webhooks))
    if meets:
        rest.append(select(Delivery.id).where(Delivery.inbound_event_id == InboundEvent.id, *meets).exists())
    return _streams({InboundEvent.customer_id: list(session.scalars(own))}, rest)


def _webhooks(session: Session, ids: Sequence[str]) -> list[InboundEvent]:
    rows = session.scalars(select(InboundEvent).where(InboundEvent.id.in_(ids)).options(WITHOUT_BODY))
    return _in_order(ids, rows)


def _streams(fixed: dict[Any, Sequence[str]], rest: list[Condition]) -> list[Stream]:
    """One stream for each combination of the values of these columns."""
    combinations = product(*(dict.fromkeys(values) for values in fixed.values()))
    return [[*(column == value for column, value in zip(fixed, values, strict=True)), *rest] for values in combinations]


def _any_of(column: InstrumentedAttribute[Any], values: Sequence[str]) -> list[Condition]:
    return [column.in_(values)] if values else []


def looked_at_or_not(looked_at: bool | None) -> list[Condition]:
    """The condition for failures that somebody has looked at, or that nobody has."""
    return [] if looked_at is None else [LOOKED_AT if looked_at else OPEN]


def _made_between(column: InstrumentedAttribute[str], prefix: str, wanted: Wanted) -> list[Condition]:
    """Ids hold the time at which they were made, so that no index needs it beside them."""
    bounds: list[Condition] = []
    if wanted.since is not None:
        bounds.append(column >= earliest_id(prefix, wanted.since))
    if wanted.until is not None:
        bounds.append(column < earliest_id(prefix, wanted.until))
    return bounds


def _in_order(ids: Sequence[str], rows: Any) -> list[Any]:
    by_id = {row.id: row for row in rows}
    # Between the two queries one may have gone for good.
    return [by_id[row_id] for row_id in ids if row_id in by_id]
