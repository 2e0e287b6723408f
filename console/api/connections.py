"""`/connections`: the Klaviyo accounts that are sent to."""

from typing import Any

from flask import json
from marshmallow import ValidationError, validates_schema

from console import steering
from console.api.answering import etag_of
from console.api.deliveries import shapes
from console.api.filters import ConnectionsQuery
from console.api.operations import Call, Operations, Strict
from console.api.problems import Problem
from console.api.schemas import ConnectionAnswer, DeliveryAnswer, KeyCheckAnswer
from console.api.trail import hand
from console.schemas.connections import ConnectionSchema, NewConnectionSchema, TestEventSchema
from vrio_klaviyo.connecting import KeyCheck, Verdict
from vrio_klaviyo.errors import Refused
from vrio_klaviyo.store.accounts import account_of
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.listing import page_of_connections
from vrio_klaviyo.store.paging import Page
from vrio_klaviyo.store.tenancy import find_in
from vrio_klaviyo.store.tokens import Scope

operations = Operations("connections")


class NewConnection(NewConnectionSchema, Strict):
    """A connection to make."""


class TestEvent(TestEventSchema, Strict):
    """A test event to send."""


class ChangedConnection(ConnectionSchema, Strict):
    """What is to change of a connection; what is left out stays as it is."""

    @validates_schema
    def _says_something(self, told: dict[str, Any], **_rest: object) -> None:
        if not told:
            raise ValidationError("Name what is to change.")


@operations.list("/connections", ConnectionAnswer, ConnectionsQuery)
def list_connections(call: Call) -> Page[dict[str, Any]]:
    """The connections, the newest first."""
    asked = call.asked
    with call.site.db.read() as session:
        page = page_of_connections(
            session, call.workspace_id, archived=asked["archived"], place=asked["place"], limit=asked["limit"]
        )
        return page.of(shape(session, connection) for connection in page.rows)


@operations.post(
    "/connections",
    ConnectionAnswer,
    Scope.MANAGE,
    status=201,
    body=NewConnection,
    has_etag=True,
    problems=("conflict",),
)
def create_connection(call: Call) -> dict[str, Any]:
    """
    Make a connection and check its key.

    It is active when Klaviyo takes the key and `paused` was not asked for; else it is saved paused, and key_status and
    key_reason say why.
    """
    with call.site.db.write() as session:
        connection = steering.connect(hand(call), session, call.workspace_id, call.told)
    if call.told["paused"]:
        steering.ask(hand(call), connection)
    else:
        steering.activate(hand(call), connection)
    return _told(call, connection.id)


@operations.get("/connections/{connection_id}", ConnectionAnswer, has_etag=True)
def show_connection(call: Call, connection_id: str) -> dict[str, Any]:
    """One connection; its ETag is what a change of it must name."""
    return _told(call, connection_id)


@operations.patch(
    "/connections/{connection_id}",
    ConnectionAnswer,
    Scope.MANAGE,
    body=ChangedConnection,
    has_etag=True,
    needs_etag=True,
    problems=("conflict",),
)
def change_connection(call: Call, connection_id: str) -> dict[str, Any]:
    """
    Change a connection.

    Another key is checked first; if Klaviyo does not take it, nothing is changed at all.
    """
    with call.site.db.read() as session:
        connection = steering.connection_of(session, call.workspace_id, connection_id)
        _unchanged(call, session, connection)
    if "key" in call.told:
        check = steering.give_key(hand(call), connection, call.told["key"])
        if check.verdict != Verdict.ACCEPTED:
            raise Refused(check.sentence)
    with call.site.db.write() as session:
        connection = steering.connection_of(session, call.workspace_id, connection_id)
        if "key" not in call.told:
            _unchanged(call, session, connection)
        steering.change(hand(call), session, connection, call.told)
    return _told(call, connection_id)


@operations.post("/connections/{connection_id}/verify", KeyCheckAnswer, Scope.MANAGE)
def verify_connection(call: Call, connection_id: str) -> dict[str, Any]:
    """
    Ask Klaviyo whether the key is good.

    If it is, what was held because of it goes out.
    """
    check: KeyCheck = steering.verify(hand(call), _connection(call, connection_id))
    told = {"verdict": check.verdict, "sentence": check.sentence, "scopes": check.scopes}
    return told | {"connection": _told(call, connection_id)}


@operations.post("/connections/{connection_id}/pause", ConnectionAnswer, Scope.MANAGE, has_etag=True)
def pause_connection(call: Call, connection_id: str) -> dict[str, Any]:
    """
    Send nothing more.

    What is queued is held until it is activated; what comes meanwhile is not sent.
    """
    steering.pause(hand(call), _connection(call, connection_id))
    return _told(call, connection_id)


@operations.post(
    "/connections/{connection_id}/activate", ConnectionAnswer, Scope.MANAGE, has_etag=True, problems=("conflict",)
)
def activate_connection(call: Call, connection_id: str) -> dict[str, Any]:
    """
    Send, also what was held by a pause.

    The key is checked first; one that Klaviyo does not take leaves the connection as it was.
    """
    check, _ = steering.activate(hand(call), _connection(call, connection_id))
    if check.verdict != Verdict.ACCEPTED:
        raise Refused(check.sentence)
    return _told(call, connection_id)


@operations.post(
    "/connections/{connection_id}/test",
    DeliveryAnswer,
    Scope.MANAGE,
    status=202,
    body=TestEvent,
    problems=("conflict",),
)
def test_connection(call: Call, connection_id: str) -> dict[str, Any]:
    """
    Send one test event.

    It goes while the connection is paused, too, and counts in no figure; the delivery tells what became of it.
    """
    told = call.told
    connection = _connection(call, connection_id)
    sent = steering.try_out(hand(call), connection, told["event"], told["email"], marked=told["mark"])
    with call.site.db.read() as session:
        return next(iter(shapes(session, [find_in(session, call.workspace_id, Delivery, sent.id)])))


@operations.post("/connections/{connection_id}/archive", ConnectionAnswer, Scope.MANAGE, has_etag=True)
def archive_connection(call: Call, connection_id: str) -> dict[str, Any]:
    """
    Put a connection away.

    It sends nothing any more, its log stays, and its name may be given to another one.
    """
    steering.archive(hand(call), _connection(call, connection_id))
    return _told(call, connection_id)


def shape(session: Session, connection: Connection) -> dict[str, Any]:
    """A connection as its answer's schema dumps it."""
    account = account_of(session, connection)
    same = {name: getattr(connection, name) for name in ConnectionAnswer().fields if hasattr(connection, name)}
    return same | {
        "status": "archived" if connection.archived_at else connection.status,
        "account": account,
        "values": "typed" if connection.typed else "strings",
        "phone": connection.phone_placement,
        "rate_per_minute": account.rate_per_minute,
    }


def _connection(call: Call, connection_id: str) -> Connection:
    with call.site.db.read() as session:
        return steering.connection_of(session, call.workspace_id, connection_id)


def _told(call: Call, connection_id: str) -> dict[str, Any]:
    with call.site.db.read() as session:
        return shape(session, steering.connection_of(session, call.workspace_id, connection_id))


def _unchanged(call: Call, session: Session, connection: Connection) -> None:
    """Refuse to write over what somebody else has changed. Raises Problem."""
    current = etag_of(json.dumps(ConnectionAnswer().dump(shape(session, connection))))
    if call.if_match.strip() not in ("*", current):
        raise Problem("stale", "Read the connection again: it was changed since you did.", headers={"ETag": current})
