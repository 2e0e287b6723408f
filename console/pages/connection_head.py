"""What stands at the head of every page of a connection."""

from typing import Any

from console.pages import guard
from vrio_klaviyo.store.accounts import account_of
from vrio_klaviyo.store.connections import Connection, KlaviyoAccount, list_connections
from vrio_klaviyo.store.db import Session


def about_connection(session: Session, connection_id: str) -> dict[str, Any]:
    """What the head of every page of a connection needs. Raises NotFound."""
    connection = guard.find(session, Connection, connection_id)
    return {
        "connection": connection,
        "account": account_of(session, connection),
        "twins": twins(session, connection),
    }


def twins(session: Session, connection: Connection) -> list[str]:
    """The names of other connections that send to the same Klaviyo account: its customers get all events twice."""
    if not connection.active:
        return []
    account = account_of(session, connection)
    return [
        other.name
        for other in list_connections(session, connection.workspace_id)
        if other.active and other.id != connection.id and _same(account, account_of(session, other))
    ]


def _same(one: KlaviyoAccount, other: KlaviyoAccount) -> bool:
    # Until its lane has run, a connection has an account of its own, whichever Klaviyo account it is.
    return one.id == other.id or (one.klaviyo_id is not None and one.klaviyo_id == other.klaviyo_id)
