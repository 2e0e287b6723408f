"""All that ever happened at the merchant's, so that each thing can be looked at as it was at any moment."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast
from zoneinfo import ZoneInfo

from sandbox.vrio.charges import Sale, Shipment, Transaction
from sandbox.vrio.records import Change, Customer, Order, OrderOffer
from sandbox.vrio.words import Currency


class Record(Protocol):
    """What the world keeps: a numbered thing of one customer."""

    @property
    def id(self) -> int: ...

    @property
    def customer_id(self) -> int: ...


R = TypeVar("R", bound=Record)

# The numbers that the first of each thing, and the first webhook of each type, goes on from.
FIRST_IDS: dict[str, int] = {
    "customer": 68440,
    "address": 20492,
    "card": 16763,
    "order": 1252,
    "order_offer": 40540,
    "transaction": 1667,
    "sale": 1233,
    "line_item": 90000,
    "shipment": 134009,
    "shipment_item": 77000,
    "revision": 500,
    "webhook/order": 2866514,
    "webhook/transaction": 5326,
    "webhook/order_offer": 2612,
    "webhook/shipment": 3100,
}


@dataclass(frozen=True)
class Fact:
    """Something that Vrio sends a webhook about; `webhook_id` is unique among those of its type only."""

    number: int
    webhook_id: int
    at: datetime
    thing: str
    event: str
    record: type[Any]
    record_id: int


class World:
    """
    The merchant's account.

    Shape:  what was before `opened_at` is known to REST but no webhook was sent of it. `now` moves while the story is
            told, and again while it is played; otherwise it stands at the end.
    Units:  all times are wall-clock times of the account's zone, without an offset.
    """

    def __init__(
        self,
        opened_at: datetime,
        ends_at: datetime,
        *,
        zone: str = "UTC",
        currency: Currency = Currency.USD,
        seed: int = 0,
    ) -> None:
        self.seed = seed
        self.zone = ZoneInfo(zone)
        self.currency = currency
        self.opened_at = self.now = opened_at
        self.ends_at = ends_at
        self.facts: list[Fact] = []
        self.changes: list[Change] = []
        self._counters = Counter(FIRST_IDS)
        self._versions: dict[type[Any], dict[int, list[Any]]] = {}
        self._times: dict[type[Any], dict[int, list[datetime]]] = {}
        self._owned: dict[tuple[type[Any], int], list[int]] = {}

    def number(self, thing: str) -> int:
        """The next free number for a thing."""
        self._counters[thing] += 1
        return self._counters[thing]

    def keep(self, record: R) -> R:
        """From now on the thing is so."""
        kind = type(record)
        versions = self._versions.setdefault(kind, {})
        if record.id not in versions:
            versions[record.id] = []
            self._times.setdefault(kind, {})[record.id] = []
            self._owned.setdefault((kind, record.customer_id), []).append(record.id)
        versions[record.id].append(record)
        self._times[kind][record.id].append(self.now)
        return record

    def change(self, record: R, **changes: Any) -> R:
        """From now on these fields of the thing are so."""
        return self.keep(cast(R, replace(cast(Any, record), modified_at=self.now, **changes)))

    def tell(self, event: str, record: Record) -> None:
        """Vrio sends a webhook about the thing as it is now."""
        name = WEBHOOK_TYPES[type(record)]
        number = len(self.facts) + 1
        webhook_id = self.number(f"webhook/{name}")
        self.facts.append(Fact(number, webhook_id, self.now, name, event, type(record), record.id))

    def at(self, moment: datetime) -> "Moment":
        return Moment(self, moment)

    @property
    def current(self) -> "Moment":
        return Moment(self, self.now)

    def history(self, kind: type[R], record_id: int) -> list[tuple[datetime, R]]:
        """Since when the thing was how, the oldest first."""
        return list(zip(self._times[kind][record_id], self._versions[kind][record_id], strict=True))

    def version(self, kind: type[R], record_id: int, moment: datetime) -> R | None:
        times = self._times.get(kind, {}).get(record_id, [])
        found = bisect_right(times, moment)
        return cast(R, self._versions[kind][record_id][found - 1]) if found else None

    def ids(self, kind: type[Any], customer_id: int | None) -> Iterable[int]:
        if customer_id is None:
            return self._versions.get(kind, {})
        return self._owned.get((kind, customer_id), [])


WEBHOOK_TYPES: dict[type[Any], str] = {
    Order: "order",
    Transaction: "transaction",
    OrderOffer: "order_offer",
    Shipment: "shipment",
}


@dataclass(frozen=True)
class Moment:
    """The world as it was at one moment."""

    world: World
    at: datetime

    def find(self, kind: type[R], record_id: int) -> R | None:
        """The thing, or None when there was none."""
        return self.world.version(kind, record_id, self.at)

    def get(self, kind: type[R], record_id: int) -> R:
        """
        The thing.

        Raises: KeyError, when there was none.
        """
        found = self.find(kind, record_id)
        if found is None:
            raise KeyError(f"{kind.__name__} {record_id}")
        return found

    def all(self, kind: type[R], customer_id: int | None = None) -> list[R]:
        """All of a kind, or those of one customer, in the order in which they came to be."""
        found = (self.find(kind, record_id) for record_id in self.world.ids(kind, customer_id))
        return [record for record in found if record is not None]

    def customer(self, record: Record) -> Customer:
        return self.get(Customer, record.customer_id)

    def order(self, record: OrderOffer | Transaction | Shipment) -> Order:
        return self.get(Order, record.order_id)

    def offers(self, order: Order) -> list[OrderOffer]:
        return [offer for offer in self.all(OrderOffer, order.customer_id) if offer.order_id == order.id]

    def transactions(self, order: Order) -> list[Transaction]:
        return [paid for paid in self.all(Transaction, order.customer_id) if paid.order_id == order.id]

    def sales(self, order: Order) -> list[Sale]:
        return [sale for sale in self.all(Sale, order.customer_id) if sale.order_id == order.id]

    def shipments(self, transaction: Transaction) -> list[Shipment]:
        parcels = self.all(Shipment, transaction.customer_id)
        return [parcel for parcel in parcels if parcel.transaction_id == transaction.id]
