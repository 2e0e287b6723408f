"""Key checks: what Klaviyo said of a connection's key, and which connections it is to be asked about again."""

from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from vrio_klaviyo.store.connections import Connection, KeyStatus
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus
from vrio_klaviyo.store.holding import ENDPOINT_REFUSED


def record_key(
    session: Session,
    connection_id: str,
    status: KeyStatus,
    reason: str,
    now: datetime,
    *,
    scopes: dict[str, str] | None = None,
) -> None:
    """Write what Klaviyo said of the key; the scopes only when they were asked for."""
    news = {"key_status": status, "key_reason": reason, "checked_at": now}
    asked = {} if scopes is None else {"scopes": scopes}
    session.execute(update(Connection).where(Connection.id == connection_id).values(news | asked))


def note_scope_refused(session: Session, connection_id: str, scope: str) -> None:
    """Write that the key may not do this: nothing else tells what a key may write."""
    connection = session.get_one(Connection, connection_id)
    connection.scopes = connection.scopes | {scope: "no"}


def connections_to_recheck(session: Session, checked_before: datetime) -> list[str]:
    """The connections that Klaviyo refused, by their key or by its endpoint, and was not asked about since then."""
    refused = Delivery.status == DeliveryStatus.HELD, Delivery.reason == ENDPOINT_REFUSED
    by_endpoint = select(Delivery.id).where(Delivery.connection_id == Connection.id, *refused).exists()
    long_ago = or_(Connection.checked_at.is_(None), Connection.checked_at < checked_before)
    query = select(Connection.id).where(Connection.active, long_ago)
    return list(session.scalars(query.where(or_(Connection.key_status == KeyStatus.REJECTED, by_endpoint))))
