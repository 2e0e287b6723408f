"""
Looking up what webhooks leave out, in Vrio's REST API, before anything is told.

Only sources with a REST key do. What was found is remembered like what a webhook told; nothing is asked for twice. It
happens between two transactions, never inside one.

Source: requirement 003-C.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import requests

from vrio_klaviyo import log
from vrio_klaviyo.errors import CallFailed, InvalidInput, Retriable, Throttled
from vrio_klaviyo.recollection import pictures_of
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.memory import Memory, Picture
from vrio_klaviyo.store.sources import Source
from vrio_klaviyo.vrio import keeping
from vrio_klaviyo.vrio.client import MOST_AT_ONCE, VrioClient
from vrio_klaviyo.vrio.records import Order, OrderOffer, Record, Shipment, Transaction

# After this time what there is goes, and says that it is incomplete.
PATIENCE = timedelta(minutes=10)
AGAIN_AFTER = timedelta(seconds=30)
# A job, and the lease that it holds, must outlive what it waits for.
LONGEST_LOOKUP_S = 10.0

INCOMPLETE = "Vrio's REST API could not be asked: what it would have added is missing."

# What a customer had before we heard of them is asked for once; this picture says that it was.
HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Lookup:
    """One thing to ask for: transaction, customer, order or history, and whose id."""

    kind: str
    vrio_id: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of the lookups: what to remember, and whether asking failed, for now or for good."""

    pictures: tuple[Picture, ...] = ()
    failed: bool = False
    again: bool = False


class Clients:
    """
    The REST clients of the sources that have a key.

    Shape:  one for each key and no more, because Vrio counts how many requests go on at once.
    """

    def __init__(self, vault: Vault, http: requests.Session, base_url: str) -> None:
        self._vault = vault
        self._http = http
        self._base_url = base_url
        self._made: dict[tuple[bytes, str], VrioClient] = {}

    def of(self, source: Source) -> VrioClient | None:
        """The client of this source; None when it has no key, or one that cannot be opened."""
        sealed = source.api_key_sealed
        if sealed is None:
            return None
        which = (sealed, source.time_zone)
        if which not in self._made:
            try:
                key = self._vault.unseal(sealed, source.workspace_id, source.id)
            except InvalidInput:
                log.error("source.key_unreadable", source=source.id)
                return None
            zone = ZoneInfo(source.time_zone)
            self._made[which] = VrioClient(self._base_url, key, self._http, zone, total_timeout_s=LONGEST_LOOKUP_S)
        return self._made[which]


def needed(event: str, record: Record, memory: Memory) -> list[Lookup]:
    """What is worth asking for: what this webhook needs and nobody told yet."""
    lookups: list[Lookup] = []
    customer_id = ""
    match record:
        case Transaction():
            customer_id = record.customer.customer_id
            known = memory.recall("transaction", record.transaction_id)
            own = keeping.loads(Transaction, known.body) if known else record
            if not own.sale_id or not own.line_items:
                lookups.append(Lookup("transaction", record.transaction_id))
            if record.parent_id and memory.recall("transaction", record.parent_id) is None:
                lookups.append(Lookup("transaction", record.parent_id))
        case Shipment():
            customer_id = record.customer_id
            if record.transaction_id and memory.recall("transaction", record.transaction_id) is None:
                lookups.append(Lookup("transaction", record.transaction_id))
        case OrderOffer():
            customer_id = record.customer_id
            if record.order_id and memory.recall("order", record.order_id) is None:
                lookups.append(Lookup("order", record.order_id))
        case Order() if event.startswith("order_abandon"):
            customer_id = record.customer.customer_id if record.customer else record.customer_id
            lookups.append(Lookup("order", record.order_id))
    if customer_id and memory.recall(HISTORY, customer_id) is None:
        lookups += [Lookup("customer", customer_id), Lookup(HISTORY, customer_id)]
    return [lookup for lookup in lookups if lookup.vrio_id]


def look_up(lookups: list[Lookup], client: VrioClient, now: datetime) -> Looked:
    """Ask for all of these, a few at a time; what one of them fails with is true of them all."""
    try:
        with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
            found = list(pool.map(lambda lookup: list(_found(lookup, client, now)), lookups))
    except CallFailed as error:
        log.warning("lookup.failed", reason=error.reason)
        return Looked(failed=True, again=isinstance(error, Retriable | Throttled))
    return Looked(tuple(picture for pictures in found for picture in pictures))


def _found(lookup: Lookup, client: VrioClient, now: datetime) -> Iterator[Picture]:
    match lookup.kind:
        case "transaction":
            told = client.transaction(lookup.vrio_id)
            yield from pictures_of(told.record, now, now) if told else ()
        case "customer":
            customer = client.customer(lookup.vrio_id)
            yield from pictures_of(customer.record, now, now) if customer else ()
        case "order":
            order = client.order(lookup.vrio_id)
            yield from pictures_of(order.record, now, now) if order else ()
        case _:
            yield from _history(lookup.vrio_id, client, now)


def _history(customer_id: str, client: VrioClient, now: datetime) -> Iterator[Picture]:
    """
    All that a customer paid and subscribed to before.

    Shape:  with the orders, which alone say what was a test, as far as there is time for them.
    """
    ends = time.monotonic() + LONGEST_LOOKUP_S
    transactions, offers = client.transactions_of(customer_id), client.order_offers_of(customer_id)
    for order_id in sorted({one.order.order_id for one in transactions.records if one.order.order_id}):
        order = client.order(order_id) if time.monotonic() < ends else None
        yield from pictures_of(order.record, now, now) if order else ()
    things: list[Transaction | OrderOffer] = [*transactions.records, *offers.records]
    for thing in things:
        yield from pictures_of(_whose(thing, customer_id), now, now)
    yield Picture(HISTORY, customer_id, customer_id, now, keeping.dumps(Order(order_id=customer_id)))


def _whose(record: Transaction | OrderOffer, customer_id: str) -> Record:
    if isinstance(record, OrderOffer):
        return replace(record, customer_id=record.customer_id or customer_id)
    return replace(record, customer=replace(record.customer, customer_id=record.customer.customer_id or customer_id))
