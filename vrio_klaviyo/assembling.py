"""
Assembling: one webhook put together with all that is remembered, ready for the builders, within one transaction.

remember → complete → fill from the catalogue → give event ids → default.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import cast
from zoneinfo import ZoneInfo

from vrio_klaviyo.complete import Completed, Completer
from vrio_klaviyo.klaviyo.requests import ProfileRequest, Request
from vrio_klaviyo.recollection import Recollection, pictures_of
from vrio_klaviyo.store import inbound
from vrio_klaviyo.store.catalog import kept_catalog
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.event_ids import event_id_of, line_ids_of
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.memory import Memory, Picture
from vrio_klaviyo.store.sources import Source
from vrio_klaviyo.vrio import catalog, event_ids, keeping, routes
from vrio_klaviyo.vrio.changes import UPCOMING, by_which_changes_are_told
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

# What an order offer was when a webhook came that had to wait; this picture is the webhook's own.
JUDGED = "judged"


class Assembler:
    """
    Puts webhooks of one source together with what is remembered of it.

    Shape:  beyond are the metrics beyond the published page that some connection wants. waited_for are the things that
            some event waits for, as far as anybody looked. known is given by who has been reading before.
    """

    def __init__(
        self, session: Session, source: Source, connections: Iterable[Connection], known: Recollection | None = None
    ) -> None:
        self._session = session
        self._source = source
        self._known = known or Recollection(Memory(session, source.id))
        self.memory = self._known.memory
        self.beyond = frozenset(metric for connection in connections for metric in connection.metrics_on)
        self.waited_for: set[str] = set()
        self._defaults = defaults_of(source)
        self._catalog = catalog.opened(kept_catalog(session, source.id))

    def completed(self, event: str, record: Record, as_of: datetime, arrived: InboundEvent) -> Completed:
        """The record, remembered and put together with what was remembered before; whoever waits for it is woken."""
        before = judged_by(self.memory, record, as_of, arrived)
        if event == UPCOMING:
            # It was made of what is remembered, and says nothing new.
            return self._put_together(event, record, as_of, arrived, before)
        pictures = list(pictures_of(record, as_of, arrived.received_at))
        self.memory.remember(pictures)
        if heard_of := self.waited_for.intersection(f"{picture.kind}/{picture.vrio_id}" for picture in pictures):
            inbound.wake(self._session, self._source.id, list(heard_of))
        completed = self._put_together(event, record, as_of, arrived, before)
        if isinstance(record, OrderOffer) and completed.waits_for:
            # By the time it is looked at again, what it changed from is not what is remembered any more.
            keep_judgement(self.memory, before, as_of, arrived)
        return completed

    def again(self, arrived: InboundEvent, webhook: Webhook) -> tuple[Record, list[Request]]:
        """
        What an event would say by what is known today, the profile last; nothing is remembered or opened.

        Shape:  what it changed from is not known any more, so that of a subscription's changes only those can be told
                that the webhook itself dates.
        """
        if webhook.record is None:
            return Customer(), []
        as_of = as_of_webhook(webhook, arrived)
        return self._said(webhook, self._put_together(webhook.event, webhook.record, as_of, arrived, None), as_of)

    def ahead(self, arrived: InboundEvent, webhook: Webhook) -> tuple[Record, list[Request], str]:
        """
        What an event that was not worked off yet will say, the profile last, and what it will wait for.

        Shape:  it is remembered for that, so it is only for a transaction of which nothing stays.
        """
        if webhook.record is None:
            return Customer(), [], ""
        as_of = as_of_webhook(webhook, arrived)
        told = self.completed(webhook.event, webhook.record, as_of, arrived)
        return *self._said(webhook, told, as_of), told.waits_for

    def _said(self, webhook: Webhook, told: Completed, as_of: datetime) -> tuple[Record, list[Request]]:
        record, _ = self.ready(told, as_of)
        profile = ProfileRequest(profile=customer_profile(*self.people(told, record, as_of)))
        return record, [*routes.requests_for(webhook.event, record, self.beyond), profile]

    def people(self, told: Completed, record: Record, as_of: datetime) -> tuple[Customer, Order]:
        """Who it is about, and by which order."""
        if told.customer is None:
            return people_of(record)
        return cast(Customer, with_defaults(told.customer, self._defaults, as_of)[0]), told.order or Order()

    def _put_together(
        self, event: str, record: Record, as_of: datetime, arrived: InboundEvent, before: OrderOffer | None
    ) -> Completed:
        return self._filled(self._completer(as_of, arrived).completed(event, record, before))

    def _completer(self, as_of: datetime, arrived: InboundEvent) -> Completer:
        return Completer(self._known, self._defaults, told_at=as_of, now=arrived.received_at, beyond=self.beyond)

    def _filled(self, told: Completed) -> Completed:
        again = tuple((metric, self._filled(earlier)) for metric, earlier in told.again)
        return replace(told, record=catalog.filled(told.record, self._catalog), again=again)

    def ready(self, told: Completed, as_of: datetime) -> tuple[Record, tuple[str, ...]]:
        """The record with its event ids and all defaults, and what had to be assumed."""
        record, assumed = with_defaults(self._with_event_id(told, as_of), self._defaults, as_of)
        if isinstance(record, Transaction) and record.approved and record.kind in ("sale", "capture"):
            ids = dict(zip(event_ids.places(record), event_ids.of_products(record), strict=True))
            given = line_ids_of(self._session, self._source.id, f"product of {record.transaction_id}", ids)
            record = replace(record, product_ids=tuple(given.values()))
            record = replace(record, told_starts=tuple(self._told_starts(record)))
        return record, assumed

    def _told_starts(self, sale: Transaction) -> Iterator[str]:
        """The event ids of the subscriptions that another payment of their first cycle was the start of."""
        for event_id, (line, *_) in event_ids.of_subscriptions(sale).items() if sale.cycle == 1 else ():
            thing = f"started/{line.order_offer_id}"
            if line.order_offer_id and self._event_id(thing, thing, partial(_same, event_id)) != event_id:
                yield event_id

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


def judged_by(memory: Memory, record: Record, as_of: datetime, arrived: InboundEvent) -> OrderOffer | None:
    """What an order offer was before its webhook; None when that is nothing or newer, and for all other things."""
    if not isinstance(record, OrderOffer):
        return None
    if judged := memory.recall(JUDGED, arrived.id):
        return keeping.loads(OrderOffer, judged.body)
    picture = memory.recall("order_offer", record.order_offer_id)
    known = picture is not None and picture.as_of <= (record.modified_at or as_of)
    return keeping.loads(OrderOffer, picture.body) if picture and known else None


def keep_judgement(memory: Memory, before: OrderOffer | None, as_of: datetime, arrived: InboundEvent) -> None:
    """Keep what a webhook is to be judged by, because something newer is about to be remembered."""
    body = keeping.dumps(by_which_changes_are_told(before))
    memory.remember([Picture(JUDGED, arrived.id, "", as_of, body)])


def as_of_webhook(webhook: Webhook, arrived: InboundEvent) -> datetime:
    """From when a webhook's news is: dated ahead of its arrival, it would make all that comes after it old."""
    return min(webhook.event_at or arrived.received_at, arrived.received_at)


def _same(event_id: str, number: int) -> str:
    """An id that does not count, as there is no second one."""
    return event_id


def _parcel_id(parcel: Shipment, number: int) -> str:
    return event_ids.of_parcel(parcel, is_first=number == 1)


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


def defaults_of(source: Source) -> SourceDefaults:
    """What a source says for payloads that do not say it."""
    return SourceDefaults(zone=ZoneInfo(source.time_zone), country=source.country, currency=source.currency)
