"""Which order a webhook is about: the number that a customer has in hand when they write to support."""

from collections.abc import Iterable, Sequence

from vrio_klaviyo.recollection import Recollection
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.listing import Happening
from vrio_klaviyo.store.memory import Memory

# What the ids of events begin with that are named after an order, because no payment of it was known.
_ORDER = "order"


def orders_told(session: Session, happenings: Sequence[Happening]) -> dict[str, list[str]]:
    """
    The orders of the requests that were made from each webhook, by the webhook's id.

    Shape:  read from the ids of the requests and from what is remembered of the payments that they are named after; a
            webhook whose requests are named after a subscription, or after nothing, is left out.
    """
    names = {one.webhook.id: {_name(delivery.unique_id) for delivery in one.deliveries} - {""} for one in happenings}
    sources = {one.webhook.source_id for one in happenings}
    paid = {source: _orders_paid(session, source, _of(source, happenings, names)) for source in sources}
    told = {
        one.webhook.id: sorted({_order(name, paid[one.webhook.source_id]) for name in names[one.webhook.id]} - {""})
        for one in happenings
    }
    return {webhook: orders for webhook, orders in told.items() if orders}


def order_told(session: Session, source_id: str, unique_id: str) -> str:
    """The order of one request; "" when its id tells none."""
    name = _name(unique_id)
    return _order(name, _orders_paid(session, source_id, {name} - {""}))


def _of(source: str, happenings: Iterable[Happening], names: dict[str, set[str]]) -> set[str]:
    return {name for one in happenings if one.webhook.source_id == source for name in names[one.webhook.id]}


def _name(unique_id: str) -> str:
    """What an event is named after: 1668 of 1668_2_sub, order1253 of order1253_4501, order1270 of 1270_abandoned."""
    name, _, rest = unique_id.partition("_")
    return f"{_ORDER}{name}" if rest == "abandoned" else name


def _order(name: str, paid: dict[str, str]) -> str:
    return name.removeprefix(_ORDER) if name.startswith(_ORDER) else paid.get(name, "")


def _orders_paid(session: Session, source_id: str, names: Iterable[str]) -> dict[str, str]:
    """The orders of these payments, as far as they are remembered."""
    return Recollection(Memory(session, source_id)).orders_paid(names)
