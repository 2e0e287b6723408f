"""
What follows from one webhook: remember → complete → build → gate → open, and how it ended.

It is the part of the intake that runs within one transaction; nothing in it waits for anybody.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from vrio_klaviyo import gate
from vrio_klaviyo.assembling import JUDGED, Assembler, as_of_webhook
from vrio_klaviyo.klaviyo.requests import ProfileRequest, Request, dumps
from vrio_klaviyo.recollection import Recollection, things_named
from vrio_klaviyo.store import inbound
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import Customer as CustomerRow
from vrio_klaviyo.store.customers import customers_by_id, meet_customer
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.inbound import InboundEvent, InboundStatus
from vrio_klaviyo.store.opening import Opening, open_delivery
from vrio_klaviyo.store.sources import Source
from vrio_klaviyo.vrio import routes
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.records import Customer, Order, Record, Webhook
from vrio_klaviyo.wanted import for_connection, notes_on_address

NO_CONNECTION = "no_connection"
TOLD_OTHERWISE = "Another webhook with this id came before and said something else."
ASKED_AGAIN = "Vrio's REST API does not answer; it is asked again."

# How long a webhook waits for what it cannot do without; then what there is goes.
PATIENCE = timedelta(hours=24)


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

    def __init__(
        self, session: Session, source: Source, connections: list[Connection], now: datetime, known: Recollection
    ) -> None:
        self._session = session
        self._source = source
        self._connections = connections
        self._now = now
        self._assembler = Assembler(session, source, connections, known)
        self._customers: dict[str, CustomerRow | None] = {}
        self._told_otherwise: set[str] = set()

    def finish(self, events: list[Loaded], is_over: Callable[[], bool], at_most: int | None) -> list[Ended]:
        """
        Remember what these events tell, open what follows from it, and write how each ended.

        Shape:  of the first one at least, and of no more as soon as it is over.
        Raises: LongHistory when more than `at_most` things of their customers would have to be read; nothing is done.
        """
        self._expect(events, at_most)
        ended: list[Ended] = []
        for event in events:
            if ended and is_over():
                break
            ended.append(self._finish(event))
        return ended

    def _expect(self, events: list[Loaded], at_most: int | None) -> None:
        """Look together for what each would look for alone."""
        things = things_told(events)
        self._assembler.memory.expect(things | {(JUDGED, event.inbound.id) for event in events}, at_most)
        self._told_otherwise = inbound.told_otherwise(
            self._session, self._source.id, [event.inbound for event in events]
        )
        self._assembler.waited_for = inbound.waited_for(self._session, self._source.id, map("/".join, things))
        people = {vrio_id for kind, vrio_id in things if kind == "customer"}
        self._customers = customers_by_id(self._session, self._source.id, people)

    def _finish(self, event: Loaded) -> Ended:
        arrived, webhook = event.inbound, event.webhook
        if event.again_at is not None:
            inbound.wait(self._session, arrived, "", ASKED_AGAIN, until=event.again_at)
            return Ended(InboundStatus.WAITING)
        notes = event.notes + (webhook.notes if webhook else ())
        if arrived.id in self._told_otherwise:
            notes = (TOLD_OTHERWISE, *notes)
        if webhook is None:
            return self._end(arrived, event.status, event.reason, notes)
        if webhook.record is None:
            return self._end(arrived, *_verdict(webhook.event, None), notes)
        as_of = as_of_webhook(webhook, arrived)
        late = self._now >= arrived.received_at + PATIENCE
        told = self._assembler.completed(webhook.event, webhook.record, as_of, arrived)
        if told.waits_for and not late and _matters(webhook.event, told.record):
            reason = waits_because(told.waits_for)
            inbound.wait(self._session, arrived, told.waits_for, reason, until=arrived.received_at + PATIENCE)
            self._assembler.waited_for.add(told.waits_for)
            return Ended(InboundStatus.WAITING)
        record, assumed = self._assembler.ready(told, as_of)
        follows = [(record, routes.requests_for(webhook.event, record, self._assembler.beyond))]
        for metric, earlier in told.again:
            known, _ = self._assembler.ready(earlier, as_of)
            follows.append((known, routes.told_of(known, routes.BEYOND[metric])))
        people = self._assembler.people(told, record, as_of)
        return self._tell(arrived, webhook.event, follows, people, as_of, notes, assumed)

    def _tell(
        self,
        arrived: InboundEvent,
        event: str,
        follows: list[tuple[Record, list[Request]]],
        people: tuple[Customer, Order],
        as_of: datetime,
        notes: tuple[str, ...],
        assumed: tuple[str, ...],
    ) -> Ended:
        """
        Open what follows from a completed record; what had to be assumed for it matters only then.

        Shape:  follows begins with that record; after it comes what is told once more because of it.
        """
        record, customer, order = follows[0][0], *people
        row = self._met(customer, as_of)
        anything = any(requests for _, requests in follows)
        status, reason = (InboundStatus.PROCESSED, "") if anything else _verdict(event, record)
        profile = ProfileRequest(profile=customer_profile(customer, order))
        shown = hashlib.sha256(dumps(profile)).hexdigest()
        changed = row is not None and bool(customer.email) and shown != row.profile_hash
        alone: list[tuple[Record, Request]] = [(record, profile)] if changed and status != InboundStatus.UNKNOWN else []
        if alone and not anything:
            notes += (reason,) if reason in routes.UNCLEAR else ()
            anything, status, reason = True, InboundStatus.PROCESSED, ""
        notes += assumed if anything else ()
        if anything and not self._connections:
            status, reason = InboundStatus.IGNORED, NO_CONNECTION

        def opened(connection: Connection, told: list[tuple[Record, Request]]) -> list[Opening]:
            openings = [
                Opening(
                    connection_id=connection.id,
                    source_id=self._source.id,
                    customer_id=row.id if row else None,
                    inbound_event_id=arrived.id,
                    request=request,
                    as_of=row.as_of if row else as_of,
                    skip_reason=gate.skip_reason(request, about, connection, arrived.received_at),
                    notes=notes + notes_on_address(request),
                )
                for about, request in told
            ]
            return [opening for opening in openings if open_delivery(self._session, opening, self._now)]

        lanes: set[str] = set()
        for connection in self._connections:
            wanted = [(about, one) for about, requests in follows for one in for_connection(requests, connection)]
            # Who wants none of it, or was promised all of it before, is still told of a profile that has changed.
            new = opened(connection, wanted) or opened(connection, alone)
            if any(opening.skip_reason is None for opening in new):
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
            known_by_id=self._customers,
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


def things_told(events: Iterable[Loaded]) -> set[tuple[str, str]]:
    """The kind and id of everything that these events tell of or refer to."""
    records = [event.webhook.record for event in events if event.webhook and event.webhook.record]
    return set[tuple[str, str]]().union(*map(things_named, records))


def waits_because(waits_for: str) -> str:
    """Why a webhook waits, a sentence for staff."""
    what, _, which = waits_for.partition("/")
    return f"It waits for {what} {which}, of which Vrio has told nothing yet."


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
