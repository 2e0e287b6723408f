"""
Figures: how much is under way in the whole installation.

What is at its end is not counted, because that grows for ever, and of what is under way no more than `periods.COUNTED`.
"""

from sqlalchemy.orm import Session

from vrio_klaviyo.store import periods
from vrio_klaviyo.store.connections import list_connections
from vrio_klaviyo.store.sources import list_sources


def owed(session: Session) -> dict[str, int]:
    """How many deliveries are queued, retrying and held; without those of connections that were put away."""
    return dict(periods.standing(session, [connection.id for connection in list_connections(session)]))


def unfinished(session: Session) -> dict[str, int]:
    """How many inbound events are received and waiting."""
    return dict(periods.to_be_read(session, [source.id for source in list_sources(session)]))
