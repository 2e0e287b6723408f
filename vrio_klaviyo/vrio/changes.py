"""
What an order offer's webhook says that changed, which Vrio tells only between the lines.

Source: requirements 003-45 to 003-48; ends and moved dates are our choice. Vrio: the webhook has no previous status,
        comes for any change, may come late, twice or before an earlier one, and a cancellation may be told by two of
        them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from vrio_klaviyo.vrio.records import ChangeKind, OrderOffer

# The clock's own, in Vrio's envelope: the next charge is near.
UPCOMING = "order_offer_upcoming"

# Vrio: expired is what somebody or a date has ended, complete what ran out of its cycles, declined what could not be
# charged any more.
ENDS: Mapping[str, ChangeKind] = {"expired": "expired", "complete": "expired", "declined": "failed"}

# A date on the offer and the webhook that was sent because of it lie so close together.
SAME_MOMENT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one subscription; the same kind at the same moment is the same change, however often it is told."""

    kind: ChangeKind
    at: datetime
    previous_status: str
    previous_charge_at: datetime | None = None


def change_of(event: str, offer: OrderOffer, told_at: datetime, before: OrderOffer | None) -> Change | None:
    """
    The change that a webhook is about; None when it is about nothing that Klaviyo is told of.

    Shape:  before is what we remembered of the offer, None when that is nothing or newer than the webhook. What was
            remembered decides; where it cannot, a date on the offer does that lies right before the webhook's.
    """
    known = before.status if before else ""
    if event == "order_offer_cancelled":
        return Change("cancelled", offer.cancelled_at or told_at, known)
    if event == UPCOMING:
        ahead = before is not None and before.status == "active" and before.next_charge_at == offer.next_charge_at
        return Change("upcoming", told_at, known) if ahead else None
    if event != "order_offer_updated":
        return None
    if offer.status in ENDS and (known in ("active", "paused") or _just_then(offer.expires_at, told_at)):
        return Change(ENDS[offer.status], ended_at(offer, told_at), known)
    if offer.status == "paused":
        if known == "active" or _just_then(offer.paused_at, told_at):
            return Change("paused", offer.paused_at or told_at, known)
    elif offer.status == "active":
        if known == "cancelled" or _just_then(offer.reactivated_at, told_at):
            return Change("reactivated", offer.reactivated_at or told_at, known)
        # Vrio: a date of the end of a pause may be the one that is planned.
        ended = offer.unpause_at if offer.unpause_at and offer.unpause_at <= told_at else None
        if known == "paused" or _just_then(ended, told_at):
            return Change("unpaused", ended or told_at, known)
        if before and known == "active" and _was_moved(before, offer, told_at):
            return Change("rescheduled", offer.modified_at or told_at, known, before.next_charge_at)
    return None


def ended_as(offer: OrderOffer) -> ChangeKind | None:
    """What an order offer came to its end by; None when it goes on."""
    return "cancelled" if offer.status == "cancelled" else ENDS.get(offer.status)


def ended_at(offer: OrderOffer, told_at: datetime) -> datetime:
    """When a subscription came to its end; one that was not cancelled may have an end that is only planned."""
    if offer.status == "cancelled":
        return offer.cancelled_at or offer.modified_at or told_at
    expired = offer.expires_at if offer.expires_at and offer.expires_at <= told_at else None
    return expired or offer.modified_at or told_at


def _was_moved(before: OrderOffer, offer: OrderOffer, told_at: datetime) -> bool:
    """
    Whether the next charge has another date without having taken place.

    Source: our choice. An ordinary renewal moves a date that has come, and leaves the date of the charge behind.
    """
    was, is_now = before.next_charge_at, offer.next_charge_at
    if was is None or is_now is None or before.last_charge_at != (offer.last_charge_at or before.last_charge_at):
        return False
    return was.date() != is_now.date() and was > told_at and is_now > told_at


def by_which_changes_are_told(before: OrderOffer | None) -> OrderOffer:
    """What `change_of` looks at of an order offer as it was, and nothing of whose it is."""
    if before is None:
        return OrderOffer()
    return OrderOffer(status=before.status, next_charge_at=before.next_charge_at, last_charge_at=before.last_charge_at)


def _just_then(at: datetime | None, told_at: datetime) -> bool:
    return at is not None and timedelta(0) <= told_at - at <= SAME_MOMENT
