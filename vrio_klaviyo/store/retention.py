"""
Retention: bodies go after some weeks, rows after some months, a few at a time.

A body goes when all that it was needed for has ended long enough ago: what is still owed keeps its own and that of its
webhook. The row then says since when it is without. What a customer's things came to is remembered for as long as
anything of the customer is.

What is chosen is kept from others until it is gone, and what they are writing is passed over: just now somebody may be
sending it again.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.customer_words import CustomerWord
from vrio_klaviyo.store.customers import Customer, ProfileLink
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus
from vrio_klaviyo.store.ids import earliest_id
from vrio_klaviyo.store.inbound import InboundEvent, InboundStatus
from vrio_klaviyo.store.memory import RecordRow
from vrio_klaviyo.store.next_charges import NextCharge
from vrio_klaviyo.store.replays import Replay, ReplayItem, ReplayStatus
from vrio_klaviyo.store.sources import Source

_ENDED = (DeliveryStatus.ACCEPTED, DeliveryStatus.FAILED, DeliveryStatus.SKIPPED)
_UNFINISHED = (InboundStatus.RECEIVED, InboundStatus.WAITING)


def remove_bodies(session: Session, before: datetime, now: datetime, limit: int) -> int:
    """Empty the bodies of what had ended by then; how many rows lost theirs."""
    deliveries = _chosen(session, _with_bodies(before).limit(limit))
    empty_deliveries(session, deliveries, now)
    inbound = [] if deliveries else _chosen(session, _with_body(before).limit(limit))
    empty_inbound(session, inbound, now)
    return len(deliveries) + len(inbound)


def bodies_to_remove(session: Session, before: datetime) -> int:
    """How many deliveries and webhooks would lose their bodies."""
    return _count(session, _with_bodies(before)) + _count(session, _with_body(before))


def _with_bodies(before: datetime) -> Any:
    ended = Delivery.finished_at < before, Delivery.status.in_(_ENDED)
    return select(Delivery.id).where(Delivery.bodies_removed_at.is_(None), *ended).order_by(Delivery.finished_at)


def _with_body(before: datetime) -> Any:
    needed = exists().where(Delivery.inbound_event_id == InboundEvent.id, Delivery.bodies_removed_at.is_(None))
    ended = InboundEvent.finished_at < before, InboundEvent.status.not_in(_UNFINISHED), ~needed
    with_body = select(InboundEvent.id).where(InboundEvent.body_removed_at.is_(None), *ended)
    return with_body.order_by(InboundEvent.finished_at)


def empty_deliveries(session: Session, delivery_ids: list[str], now: datetime) -> None:
    """Take the request of these deliveries, and the bodies of their attempts."""
    if not delivery_ids:
        return
    # Deliveries before their attempts, as everywhere: who takes them in another order ends in a deadlock.
    owed = update(Delivery).where(Delivery.id.in_(delivery_ids))
    session.execute(owed.values(request=b"", same_as=None, bodies_removed_at=now))
    made = update(Attempt).where(Attempt.delivery_id.in_(delivery_ids))
    session.execute(made.values(request_body=b"", response_body=None))


def empty_inbound(session: Session, inbound_ids: list[str], now: datetime) -> None:
    """Take the body of these webhooks."""
    if inbound_ids:
        came = update(InboundEvent).where(InboundEvent.id.in_(inbound_ids))
        session.execute(came.values(body=b"", body_removed_at=now))


def remove_rows(session: Session, before: datetime, limit: int) -> int:
    """Delete the webhooks that had ended by then, with all that followed from each; how many webhooks that were."""
    found = _chosen(session, _old_inbound(before).limit(limit))
    theirs = _chosen(session, select(Delivery.id).where(Delivery.inbound_event_id.in_(found)))
    elsewhere = exists().where(Delivery.inbound_event_id == InboundEvent.id, Delivery.id.not_in(theirs))
    gone = list(session.scalars(_old_inbound(before).where(InboundEvent.id.in_(found), ~elsewhere)))
    if gone:
        owed = select(Delivery.id).where(Delivery.inbound_event_id.in_(gone)).scalar_subquery()
        session.execute(delete(ReplayItem).where(ReplayItem.delivery_id.in_(owed)))
        session.execute(delete(Attempt).where(Attempt.delivery_id.in_(owed)))
        session.execute(delete(Delivery).where(Delivery.inbound_event_id.in_(gone)))
        session.execute(delete(InboundEvent).where(InboundEvent.id.in_(gone)))
    return len(gone)


def rows_to_remove(session: Session, before: datetime) -> int:
    """How many webhooks would be deleted, with all that followed from each."""
    return _count(session, _old_inbound(before))


def _old_inbound(before: datetime) -> Any:
    # Ids hold the time at which they were made, so that this looks at the oldest rows only.
    old = InboundEvent.id < earliest_id("in", before), InboundEvent.status.not_in(_UNFINISHED)
    recent = or_(Delivery.status.not_in(_ENDED), Delivery.finished_at >= before)
    needed = exists().where(Delivery.inbound_event_id == InboundEvent.id, recent)
    on_a_list = Delivery.inbound_event_id == InboundEvent.id, ReplayItem.delivery_id == Delivery.id
    replayed = exists().where(*on_a_list, Replay.id == ReplayItem.replay_id, Replay.status == ReplayStatus.RUNNING)
    ended = InboundEvent.finished_at < before, ~needed, ~replayed
    return select(InboundEvent.id).where(*old, *ended).order_by(InboundEvent.id)


def forget_customers(session: Session, before: datetime, limit: int) -> int:
    """Delete the customers of whom nothing is left and nothing was heard since then; how many that were."""
    old = _old_customers(before).limit(limit).with_for_update(skip_locked=True)
    gone = session.execute(old).all()
    for customer_id, source_id, vrio_id in gone:
        for told in (ProfileLink, CustomerWord):
            session.execute(delete(told).where(told.customer_id == customer_id))
        forget_records(session, source_id, vrio_id)
    session.execute(delete(Customer).where(Customer.id.in_([row.id for row in gone])))
    return len(gone)


def customers_to_forget(session: Session, before: datetime) -> int:
    """How many customers would be deleted."""
    return _count(session, _old_customers(before))


def _old_customers(before: datetime) -> Any:
    left = (exists().where(rows.customer_id == Customer.id) for rows in (InboundEvent, Delivery, Attempt))
    old = Customer.id < earliest_id("cu", before), Customer.as_of < before
    return select(Customer.id, Customer.source_id, Customer.vrio_id).where(*old, *(~some for some in left))


def forget_records(session: Session, source_id: str, vrio_customer_id: str) -> None:
    """Delete what is remembered of a customer's things, and the charges that nobody was told of ahead."""
    if vrio_customer_id:
        theirs = RecordRow.source_id == source_id, RecordRow.vrio_customer_id == vrio_customer_id
        offers = select(RecordRow.vrio_id).where(*theirs, RecordRow.kind == "order_offer")
        ahead = delete(NextCharge).where(NextCharge.source_id == source_id)
        session.execute(ahead.where(NextCharge.order_offer_id.in_(offers.scalar_subquery())))
        session.execute(delete(RecordRow).where(*theirs))


def remove_strays(session: Session, before: datetime, limit: int) -> int:
    """Delete what is remembered of nobody's things, and the charges of before then; how many that were."""
    things = session.execute(_nobodys(before).limit(limit)).all()
    charges = session.execute(_past_charges(before).limit(limit)).all()
    for source_id, kind, vrio_id in things:
        thing = RecordRow.source_id == source_id, RecordRow.kind == kind, RecordRow.vrio_id == vrio_id
        session.execute(delete(RecordRow).where(*thing, RecordRow.vrio_customer_id == "", RecordRow.as_of < before))
    for source_id, order_offer_id in charges:
        charge = NextCharge.source_id == source_id, NextCharge.order_offer_id == order_offer_id
        session.execute(delete(NextCharge).where(*charge, NextCharge.due_at < before))
    return len(things) + len(charges)


def strays_to_remove(session: Session, before: datetime) -> int:
    """How many of those would be deleted."""
    return _count(session, _nobodys(before)) + _count(session, _past_charges(before))


def _nobodys(before: datetime) -> Any:
    # By source, because the index begins with it.
    ours = RecordRow.source_id.in_(select(Source.id)), RecordRow.vrio_customer_id == ""
    # What a webhook is judged by stays as long as the webhook.
    needed = exists().where(InboundEvent.id == RecordRow.vrio_id)
    keys = select(RecordRow.source_id, RecordRow.kind, RecordRow.vrio_id)
    return keys.where(*ours, RecordRow.as_of < before, ~needed)


def _past_charges(before: datetime) -> Any:
    ours = NextCharge.source_id.in_(select(Source.id)), NextCharge.due_at < before
    return select(NextCharge.source_id, NextCharge.order_offer_id).where(*ours)


def remove_replays(session: Session, before: datetime, limit: int) -> int:
    """Delete the replays that were over by then and whose lists are gone; how many that were."""
    listed = exists().where(ReplayItem.replay_id == Replay.id)
    over = Replay.id < earliest_id("rp", before), Replay.status != ReplayStatus.RUNNING, Replay.ended_at < before
    gone = list(session.scalars(select(Replay.id).where(*over, ~listed).limit(limit)))
    session.execute(delete(Replay).where(Replay.id.in_(gone)))
    return len(gone)


def _chosen(session: Session, ids: Any) -> list[str]:
    """Of these rows those that nobody else is writing, and nobody else writes while this transaction lasts."""
    return list(session.scalars(ids.with_for_update(skip_locked=True)))


def _count(session: Session, query: Any) -> int:
    return session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
