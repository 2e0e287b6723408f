"""The charges that nobody was told of ahead: when each active subscription is charged next, until it is announced."""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ForeignKey, Index, delete, select, tuple_
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.store.db import Base
from vrio_klaviyo.store.upserts import dialect_of, insert


class NextCharge(Base):
    """
    The next charge of one subscription.

    Shape:  it is there from when its date is known until it was announced, and again when the date is moved. Beside the
            memory and not in it, so that what is due is found by an index and not by reading what is remembered.
    """

    __tablename__ = "next_charges"
    __table_args__ = (Index("ix_next_charges_due_at", "source_id", "due_at"),)

    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"), primary_key=True)
    order_offer_id: Mapped[str] = mapped_column(primary_key=True)
    vrio_customer_id: Mapped[str]
    due_at: Mapped[datetime]


def due_of(body: bytes) -> datetime | None:
    """When a remembered order offer, as `vrio.keeping` writes it, is charged next; None when it is not."""
    offer = json.loads(body)
    goes_on = offer.get("status") == "active" and offer.get("is_recurring") and not offer.get("is_gift")
    at = offer.get("next_charge_at")
    return datetime.fromisoformat(at) if goes_on and at else None


def plan(session: Session, source_id: str, changed: Iterable[tuple[str, str, bytes | None, bytes]]) -> None:
    """
    Write down which charges are due when, of order offers that changed.

    Shape:  changed has the id of each, whose it is, and what was remembered of it before and is now. A date that is the
            same as before was planned before, and may have been announced.
    """
    ahead, over = [], []
    for order_offer_id, vrio_customer_id, before, now in changed:
        was, due_at = due_of(before) if before else None, due_of(now)
        if due_at is None and was is not None:
            over.append(order_offer_id)
        if due_at is not None and due_at != was:
            keys = {"source_id": source_id, "order_offer_id": order_offer_id}
            ahead.append(keys | {"vrio_customer_id": vrio_customer_id, "due_at": due_at})
    if ahead:
        session.connection().execute(_planning(dialect_of(session)), ahead)
    if over:
        forgotten = delete(NextCharge).where(NextCharge.source_id == source_id)
        session.execute(forgotten.where(NextCharge.order_offer_id.in_(over)))


@cache
def _planning(dialect: str) -> Any:
    """The statement of `plan`, made once: building it takes longer than doing it."""
    planned = insert(dialect, NextCharge)
    news = {name: planned.excluded[name] for name in ("vrio_customer_id", "due_at")}
    return planned.on_conflict_do_update(index_elements=["source_id", "order_offer_id"], set_=news)


def take_due(session: Session, source_id: str, after: datetime, until: datetime, limit: int) -> list[NextCharge]:
    """The charges between these moments that were not announced, the first one first; they are announced by now."""
    query = select(NextCharge).where(
        NextCharge.source_id == source_id, NextCharge.due_at > after, NextCharge.due_at <= until
    )
    found = list(session.scalars(query.order_by(NextCharge.due_at).limit(limit)))
    taken = [(one.order_offer_id, one.due_at) for one in found]
    if taken:
        gone = delete(NextCharge).where(NextCharge.source_id == source_id)
        # By their ids as well, because SQLite finds no index for pairs.
        gone = gone.where(NextCharge.order_offer_id.in_([order_offer_id for order_offer_id, _ in taken]))
        session.execute(gone.where(tuple_(NextCharge.order_offer_id, NextCharge.due_at).in_(taken)))
    return found
