"""
What an order offer's webhook says that changed, which Vrio tells only between the lines.

Source: requirements 003-45 to 003-48. Vrio: the webhook has no previous status, comes for any change, may come late,
        twice or before an earlier one, and a cancellation may be told by two of them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from vrio_klaviyo.vrio.records import ChangeKind, OrderOffer

# A date on the offer and the webhook that was sent because of it lie so close together.
SAME_MOMENT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one subscription; the same kind at the same moment is the same change, however often it is told."""

    kind: ChangeKind
    at: datetime
    previous_status: str


def change_of(event: str, offer: OrderOffer, told_at: datetime, before: OrderOffer | None) -> Change | None:
    """
    The change that a webhook is about; None when it is about nothing that Klaviyo is told of.

    Shape:  before is what we remembered of the offer, None when that is nothing or newer than the webhook. What was
            remembered decides; where it cannot, a date on the offer does that lies right before the webhook's.
    """
    known = before.status if before else ""
    if event == "order_offer_cancelled":
        return Change("cancelled", offer.cancelled_at or told_at, known)
    if event != "order_offer_updated":
        return None
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
    return None


def _just_then(at: datetime | None, told_at: datetime) -> bool:
    return at is not None and timedelta(0) <= told_at - at <= SAME_MOMENT
