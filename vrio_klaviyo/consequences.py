"""
What follows from one webhook: remember → complete → build → gate → open, and how it ended.

It is the part of the intake that runs within one transaction; nothing in it waits for anybody.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import cast
from zoneinfo import ZoneInfo

from vrio_klaviyo import gate
from vrio_klaviyo.complete import Completed, Completer
from vrio_klaviyo.klaviyo.requests import EventRequest, ProfileRequest, Request, dumps
from vrio_klaviyo.recollection import Recollection, pictures_of
from vrio_klaviyo.store import deliveries, inbound
from vrio_klaviyo.store.catalog import kept_catalog
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import Customer as CustomerRow
from vrio_klaviyo.store.customers import meet_customer
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import Opening
from vrio_klaviyo.store.event_ids import event_id_of
from vrio_klaviyo.store.inbound import InboundEvent, InboundStatus
from vrio_klaviyo.store.memory import Memory
from vrio_klaviyo.store.sources import Source
from vrio_klaviyo.vrio import catalog, event_ids, keeping, routes
from vrio_klaviyo.vrio.completing import SourceDefaults, with_defaults
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.records import (
    Customer,
    Order,
    OrderOffer,
    Record,
    Shipment,
    SubscriptionChange,
    Transaction,
    Webhook,
)

NO_CONNECTION = "no_connection"
TOLD_OTHERWISE = "Another webhook with this id came before and said something else."
TEST_ADDRESS = "Klaviyo takes requests for addresses at example.com and test.com, and drops them without a word."
ONE_TIME = "Placed Non-Recurring Order"
ASKED_AGAIN = "Vrio's REST API does not answer; it is asked again."

# How long a webhook waits for what it cannot do without; then what there is goes.
PATIENCE = timedelta(hours=24)

_TEST_DOMAINS = ("@example.com", "@test.com")


@dataclass(frozen=True, slots=True)
class Loaded:
    """
    One inbound event as far as it can be read; without a webhook, how it ends instead.

    Shape:  again_at is given when it must wait because Vrio could not be asked; notes tell what was not to be had.
    """

    inbound: InboundEvent
    webhook: Webhook | None = None
    status: InboundStatus = InboundStatus.PROCESSED
    reason: str = ""
    again_at: datetime | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """How one inbound event ended, and the lanes that have something to send for it."""

    status: InboundStatus
    lanes: frozenset[str] = frozenset()


class Finisher:
    """Turns loaded events into deliveries, one after the other within one transaction."""

    def __init__(self, session: Session, source: Source, connections: list[Connection], now: datetime) -> None:
        self._session = session
        self._source = source
        self._connections = connections
        self._now = now
        self._memory = Memory(session, source.id)
        self._defaults = defaults_of(source)
        self._catalog = catalog.opened(kept_catalog(session, source.id))

    def finish(self, event: Loaded) -> Ended:
        """Remember what the event tells, open what follows from it, and write how it ended."""
        arrived, webhook = event.inbound, event.webhook
        if event.again_at is not None:
            inbound.wait(self._session, arrived, "", ASKED_AGAIN, until=event.again_at)
            return Ended(InboundStatus.WAITING)
        notes = event.notes + (webhook.notes if webhook else ())
        if inbound.told_otherwise(self._session, arrived):
            notes = (TOLD_OTHERWISE, *notes)
        if webhook is None:
            return self._end(arrived, event.status, event.reason, notes)
        if webhook.record is None:
            return self._end(arrived, *_verdict(webhook.event, None), notes)
        # What is dated ahead of its arrival would make everything that comes after it old news.
        as_of = min(webhook.event_at or arrived.received_at, arrived.received_at)
        told = self._completed(webhook.event, webhook.record, as_of, arrived)
        late = self._now >= arrived.received_at + PATIENCE
        if told.waits_for and not late and _matters(webhook.event, told.record):
            what, _, which = told.waits_for.partition("/")
            reason = f"It waits for {what} {which}, of which Vrio has told nothing yet."
            inbound.wait(self._session, arrived, told.waits_for, reason, until=arrived.received_at + PATIENCE)
            return Ended(InboundStatus.WAITING)
        record, assumed = with_defaults(self._with_event_id(told, as_of), self._defaults, as_of)
        return self._tell(arrived, webhook.event, record, self._people(told, record, as_of), as_of, notes, assumed)

    def _people(self, told: Completed, record: Record, as_of: datetime) -> tuple[Customer, Order]:
        """Who it is about, and by which order."""
        if told.customer is None:
            return people_of(record)
        return cast(Customer, with_defaults(told.customer, self._defaults, as_of)[0]), told.order or Order()

    def _completed(self, event: str, record: Record, as_of: datetime, arrived: InboundEvent) -> Completed:
        before = None
        if isinstance(record, OrderOffer):
            picture = self._memory.recall("order_offer", record.order_offer_id)
            if picture and picture.as_of <= (record.modified_at or as_of):
                before = keeping.loads(OrderOffer, picture.body)
        pictures = list(pictures_of(record, as_of, arrived.received_at))
        self._memory.remember(pictures)
        inbound.wake(self._session, self._source.id, [f"{picture.kind}/{picture.vrio_id}" for picture in pictures])
        known = Recollection(self._memory)
        completer = Completer(known, self._defaults, told_at=as_of, now=arrived.received_at)
        completed = completer.completed(event, record, before)
        return replace(completed, record=catalog.filled(completed.record, self._catalog))

    def _with_event_id(self, told: Completed, as_of: datetime) -> Record:
        """The record with its event id, where that counts among its like."""
        match told.record, told.counted:
            case Shipment() as parcel, (thing, series):
                return replace(parcel, event_id=self._event_id(thing, series, partial(_parcel_id, parcel)))
            case SubscriptionChange() as change, (thing, series):
                known = cast(SubscriptionChange, with_defaults(change, self._defaults, as_of)[0])
                return replace(change, event_id=self._event_id(thing, series, partial(event_ids.of_change, known)))
        return told.record

    def _event_id(self, thing: str, series: str, make: Callable[[int], str]) -> str:
        return event_id_of(self._session, self._source.id, thing, series, make)

    def _tell(
        self,
        arrived: InboundEvent,
        event: str,
        record: Record,
        people: tuple[Customer, Order],
        as_of: datetime,
        notes: tuple[str, ...],
        assumed: tuple[str, ...],
    ) -> Ended:
        """Open what follows from a completed record; what had to be assumed for it matters only then."""
        customer, order = people
        row = self._met(customer, as_of)
        requests = routes.requests_for(event, record)
        status, reason = _verdict(event, record)
        profile = ProfileRequest(profile=customer_profile(customer, order))
        shown = hashlib.sha256(dumps(profile)).hexdigest()
        changed = row is not None and bool(customer.email) and shown != row.profile_hash
        if changed and not requests and status != InboundStatus.UNKNOWN:
            requests, status, reason = [profile], InboundStatus.PROCESSED, ""
        notes += assumed if requests else ()
        if requests and not self._connections:
            status, reason = InboundStatus.IGNORED, NO_CONNECTION
        lanes: set[str] = set()
        for connection in self._connections:
            for request in for_connection(requests, connection):
                opening = Opening(
                    connection_id=connection.id,
                    source_id=self._source.id,
                    customer_id=row.id if row else None,
                    inbound_event_id=arrived.id,
                    request=request,
                    as_of=row.as_of if row else as_of,
                    skip_reason=gate.skip_reason(request, record, connection, arrived.received_at),
                    notes=notes + _of_address(request),
                )
                if deliveries.open_delivery(self._session, opening, self._now) and opening.skip_reason is None:
                    lanes.add(connection.account_id)
        if row is not None and lanes:
            row.profile_hash = shown
        return self._end(arrived, status, reason, notes, row.id if row else None, frozenset(lanes))

    def _met(self, who: Customer, as_of: datetime) -> CustomerRow | None:
        return meet_customer(
            self._session,
            workspace_id=self._source.workspace_id,
            source_id=self._source.id,
            vrio_id=who.customer_id,
            email=who.email,
            first_name=who.first_name,
            last_name=who.last_name,
            phone=who.phone,
            as_of=as_of,
        )

    def _end(
        self,
        arrived: InboundEvent,
        status: InboundStatus,
        reason: str,
        notes: tuple[str, ...],
        customer_id: str | None = None,
        lanes: frozenset[str] = frozenset(),
    ) -> Ended:
        inbound.finish(self._session, arrived, status, self._now, reason=reason, notes=notes, customer_id=customer_id)
        return Ended(status, lanes)


def _parcel_id(parcel: Shipment, number: int) -> str:
    return event_ids.of_parcel(parcel, is_first=number == 1)


def _verdict(event: str, record: Record | None) -> tuple[InboundStatus, str]:
    """How a readable inbound event ends, and why when nothing follows from it."""
    ignored = routes.ignored_because(event, record)
    if ignored is not None:
        return InboundStatus.IGNORED, ignored
    if not routes.is_known(event, record):
        return InboundStatus.UNKNOWN, f"Vrio's event {event} is not one that we know."
    return InboundStatus.PROCESSED, ""


def _matters(event: str, record: Record) -> bool:
    """Whether anything would follow, so that waiting for the rest is worth it."""
    return routes.is_known(event, record) and routes.ignored_because(event, record) is None


def people_of(record: Record) -> tuple[Customer, Order]:
    """Who a record is about, and by which order."""
    match record:
        case Customer():
            return record, Order()
        case Order():
            return record.customer or Customer(customer_id=record.customer_id), record
        case OrderOffer():
            return Customer(customer_id=record.customer_id), Order()
        case Transaction() | Shipment() | SubscriptionChange():
            return record.customer, record.order


def for_connection(requests: Iterable[Request], connection: Connection) -> list[Request]:
    """The requests as this connection wants them: some merchants count one-time orders among the others too."""
    wanted = list(requests)
    if connection.one_time_as_placed_order:
        one_time = [request for request in wanted if isinstance(request, EventRequest)]
        wanted += [replace(request, metric="Placed Order") for request in one_time if request.metric == ONE_TIME]
    return wanted


def defaults_of(source: Source) -> SourceDefaults:
    """What a source says for payloads that do not say it."""
    return SourceDefaults(zone=ZoneInfo(source.time_zone), country=source.country, currency=source.currency)


def _of_address(request: Request) -> tuple[str, ...]:
    return (TEST_ADDRESS,) if request.profile.email.endswith(_TEST_DOMAINS) else ()
