"""The box of a customer's Webhooks tab: an order, a payment, or the id of an event leads to the webhooks about it."""

import re
from collections.abc import Iterable

from vrio_klaviyo.recollection import Recollection
from vrio_klaviyo.store.customers import Customer
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.listing import webhooks_about
from vrio_klaviyo.store.memory import Memory

# No id is longer.
_LONGEST = 200
_TYPED = re.compile(r"(?:(order|transaction)\s*[:#]?\s*)?#?(\S+)", re.ASCII | re.IGNORECASE)


def webhooks_meant(session: Session, customers: Iterable[Customer], typed: str) -> list[str] | None:
    """
    The ids of the webhooks of these customers that what was typed means; None when nothing was.

    Shape:  `order:1253` and `transaction 1668` are what they say; without such a word it may be either, or an event's
            id, or Vrio's id of a webhook.
    """
    text = " ".join(typed.split())
    if not text:
        return None
    understood = _TYPED.fullmatch(text)
    if understood is None or not text.isprintable() or len(text) > _LONGEST:
        return []
    kind, vrio_id = (understood[1] or "").lower(), understood[2]
    who = list(customers)
    names = set() if kind == "order" else {vrio_id}
    if kind != "transaction":
        names |= {name for customer in who for name in _names_of_order(session, customer, vrio_id)}
    return webhooks_about(session, [one.id for one in who], sorted(names), event_id="" if kind else vrio_id)


def _names_of_order(session: Session, customer: Customer, order_id: str) -> set[str]:
    """What the ids of the order's events begin with: its payments, its subscriptions, and itself where it has none."""
    known = Recollection(Memory(session, customer.source_id))
    payments = (one for one in known.transactions_of(customer.vrio_id) if one.order.order_id == order_id)
    offers = (one for one in known.offers_of(customer.vrio_id) if one.order_id == order_id)
    names = {*(one.transaction_id for one in payments), *(one.order_offer_id for one in offers)}
    return names | {f"{order_id}_abandoned", f"order{order_id}"}
