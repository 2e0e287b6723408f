"""Figures: how much is under way. What is at its end is not counted, because that grows for ever."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus
from vrio_klaviyo.store.inbound import InboundEvent, InboundStatus

_UNDER_WAY = (DeliveryStatus.QUEUED, DeliveryStatus.RETRYING, DeliveryStatus.HELD)
_TO_DO = (InboundStatus.RECEIVED, InboundStatus.WAITING)


def owed(session: Session) -> dict[str, int]:
    """How many deliveries are queued, retrying and held."""
    counted = select(Delivery.status, func.count()).where(Delivery.status.in_(_UNDER_WAY)).group_by(Delivery.status)
    return dict.fromkeys(map(str, _UNDER_WAY), 0) | dict(session.execute(counted).all())


def unfinished(session: Session) -> dict[str, int]:
    """How many inbound events are received and waiting."""
    counted = select(InboundEvent.status, func.count()).where(InboundEvent.status.in_(_TO_DO))
    found = session.execute(counted.group_by(InboundEvent.status)).all()
    return dict.fromkeys(map(str, _TO_DO), 0) | dict(found)
