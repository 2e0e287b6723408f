"""
Erasure: everything that tells who a person is, taken out of every table at once.

The rows stay, with their times, codes, ids and keys: figures do not change, and what comes a second time is still seen
to have come before. What had not been sent yet is given up.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.customer_words import CustomerWord
from vrio_klaviyo.store.customers import Customer, ProfileLink
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus
from vrio_klaviyo.store.inbound import InboundEvent, InboundStatus
from vrio_klaviyo.store.retention import empty_deliveries, empty_inbound, forget_records
from vrio_klaviyo.store.sources import Source

ERASED = "The customer's data was erased."

_OWED = (DeliveryStatus.QUEUED, DeliveryStatus.RETRYING, DeliveryStatus.HELD)
_TO_DO = (InboundStatus.RECEIVED, InboundStatus.WAITING)
_PAGE = 200


def customers_of(session: Session, workspace_id: str, email: str) -> list[str]:
    """The rows of this person in a workspace, by e-mail: the address kept, or one that was kept before."""
    theirs = Customer.workspace_id == workspace_id, Customer.email == email.strip().lower()
    return list(session.scalars(select(Customer.id).where(*theirs).order_by(Customer.id)))


def deliveries_of(session: Session, customer_ids: list[str], limit: int = _PAGE) -> list[str]:
    """The next of their deliveries that still have bodies."""
    with_bodies = Delivery.customer_id.in_(customer_ids), Delivery.bodies_removed_at.is_(None)
    return list(session.scalars(select(Delivery.id).where(*with_bodies).order_by(Delivery.id).limit(limit)))


def being_sent(session: Session, delivery_ids: list[str]) -> int:
    """How many of these deliveries Klaviyo is being told of at this moment. Asked by who has shut out their lanes."""
    under_way = Attempt.delivery_id.in_(delivery_ids), Attempt.duration_ms.is_(None), Attempt.error.is_(None)
    return len(set(session.scalars(select(Attempt.delivery_id).where(*under_way))))


def erase_deliveries(session: Session, delivery_ids: list[str], now: datetime) -> None:
    """Empty these deliveries and their attempts; what was owed is given up."""
    theirs = Delivery.id.in_(delivery_ids)
    owed = update(Delivery).where(theirs, Delivery.status.in_(_OWED))
    session.execute(owed.values(status=DeliveryStatus.FAILED, reason=ERASED, next_attempt_at=None, finished_at=now))
    # Of a failure that was ours the reason is a traceback, and that may hold what it stumbled over.
    traces = update(Delivery).where(theirs, Delivery.reason.startswith("Traceback"))
    session.execute(traces.values(reason=ERASED))
    empty_deliveries(session, delivery_ids, now)


def webhooks_of(session: Session, customer_ids: list[str], limit: int = _PAGE) -> list[str]:
    """The next of their webhooks that still have a body."""
    with_body = InboundEvent.customer_id.in_(customer_ids), InboundEvent.body_removed_at.is_(None)
    return list(session.scalars(select(InboundEvent.id).where(*with_body).order_by(InboundEvent.id).limit(limit)))


def webhooks_of_nobody(session: Session, workspace_id: str, email: str) -> Iterator[str]:
    """The webhooks that belong to no customer, because nobody could read or has read them, and name this address."""
    own = InboundEvent.source_id.in_(select(Source.id).where(Source.workspace_id == workspace_id))
    nobody = own, InboundEvent.customer_id.is_(None), InboundEvent.body_removed_at.is_(None)
    last = ""
    while True:
        page = select(InboundEvent.id, InboundEvent.body).where(*nobody, InboundEvent.id > last)
        rows = session.execute(page.order_by(InboundEvent.id).limit(_PAGE)).all()
        yield from (row.id for row in rows if email.strip().lower() in _text(row.body))
        if len(rows) < _PAGE:
            return
        last = rows[-1].id


def _text(body: bytes) -> str:
    """A body in small letters, also where it spells a sign by its number."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False).lower()
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace").lower()


def erase_webhooks(session: Session, inbound_ids: list[str], now: datetime) -> None:
    """Empty these webhooks; what nobody has looked at yet is not looked at any more."""
    theirs = InboundEvent.id.in_(inbound_ids)
    ended: dict[str, Any] = {"status": InboundStatus.IGNORED, "waits_for": "", "wait_until": None, "finished_at": now}
    session.execute(update(InboundEvent).where(theirs, InboundEvent.status.in_(_TO_DO)).values(ended | _NO_REASON))
    session.execute(update(InboundEvent).where(theirs, InboundEvent.status == InboundStatus.FAILED).values(_NO_REASON))
    empty_inbound(session, inbound_ids, now)


_NO_REASON = {"reason": ERASED}


def erase_customers(session: Session, customer_ids: list[str]) -> None:
    """Empty these customers' rows, and forget what is remembered of their things and told Klaviyo's accounts."""
    people = session.execute(
        select(Customer.id, Customer.source_id, Customer.vrio_id).where(Customer.id.in_(customer_ids))
    )
    for customer_id, source_id, vrio_id in people.all():
        forget_records(session, source_id, vrio_id)
        session.execute(delete(CustomerWord).where(CustomerWord.customer_id == customer_id))
        links = update(ProfileLink).where(ProfileLink.customer_id == customer_id)
        session.execute(links.values(refused_phone=None, accepted_phone=None))
    nameless = {"email": "", "first_name": "", "last_name": "", "phone": "", "profile_hash": ""}
    session.execute(update(Customer).where(Customer.id.in_(customer_ids)).values(nameless))
