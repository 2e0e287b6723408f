"""
What a person does to a connection: the same from a page, a program or the command line, and noted under their name.

Whoever calls has found the connection in the person's own workspace.
"""

from collections.abc import Mapping
from typing import Any

from console.connection_words import differences, settings_now
from console.hand import Hand
from vrio_klaviyo import replaying
from vrio_klaviyo.connecting import KeyCheck, Verdict, check_connection, replace_key
from vrio_klaviyo.errors import Refused
from vrio_klaviyo.store import holding
from vrio_klaviyo.store.accounts import cap_rate
from vrio_klaviyo.store.connections import (
    Connection,
    add_connection,
    archive_connection,
    change_connection,
    rename_connection,
    switch,
)
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.tenancy import find_in
from vrio_klaviyo.store.workspaces import find_workspace
from vrio_klaviyo.trying_out import send_test_event

# The settings that schemas and the store call alike.
SAME_NAMES = (
    "push_events",
    "metrics_off",
    "metrics_on",
    "additional_properties",
    "one_time_as_placed_order",
    "test_orders",
)


def connect(hand: Hand, session: Session, workspace_id: str, wanted: Mapping[str, Any]) -> Connection:
    """
    A new connection, paused: nothing goes out with a key that nobody has asked about.

    Raises: InvalidInput.
    """
    connection = add_connection(
        session,
        hand.tools.vault,
        find_workspace(session, workspace_id),
        wanted["name"],
        wanted["key"],
        push_events=wanted.get("push_events", True),
        active=False,
    )
    change_connection(connection, **settings_of(wanted))
    cap_rate(session, connection, wanted.get("rate_per_minute"))
    hand.note(session, connection.workspace_id, "connection.added", connection.id, name=connection.name)
    return connection


def settings_of(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The settings among what a schema has loaded, in the words of `change_connection`."""
    settings = {name: wanted[name] for name in SAME_NAMES if name in wanted}
    if "campaigns" in wanted:
        settings["campaigns"] = list(dict.fromkeys(campaign.strip() for campaign in wanted["campaigns"]))
    if "values" in wanted:
        settings["typed"] = wanted["values"] == "typed"
    if "phone" in wanted:
        settings["phone_placement"] = wanted["phone"]
    return settings


def change(hand: Hand, session: Session, connection: Connection, wanted: Mapping[str, Any]) -> bool:
    """
    Change what is named; the key is none of it. Whether anything is another now.

    Raises: InvalidInput when the name is taken.
    """
    before = settings_now(session, connection)
    if "name" in wanted:
        rename_connection(session, connection, wanted["name"])
    if "rate_per_minute" in wanted:
        cap_rate(session, connection, wanted["rate_per_minute"])
    change_connection(connection, **settings_of(wanted))
    changed = differences(before, settings_now(session, connection))
    if changed:
        old, new = {name: was for name, was, _ in changed}, {name: now for name, _, now in changed}
        hand.note(session, connection.workspace_id, "connection.changed", connection.id, before=old, after=new)
    return bool(changed)


def ask(hand: Hand, connection: Connection) -> KeyCheck:
    """Ask Klaviyo about the key, as a part of something else. If it is good, what was held because of it goes out."""
    tools = hand.tools
    url = tools.settings.klaviyo_api_url
    check = check_connection(tools.db, tools.vault, tools.http, url, connection.id, tools.now())
    if check.verdict == Verdict.ACCEPTED:
        ring(hand, connection)
    return check


def verify(hand: Hand, connection: Connection) -> KeyCheck:
    """Ask Klaviyo about the key. If it is good, what was held because of it goes out."""
    with hand.tools.db.write() as session:
        hand.note(session, connection.workspace_id, "connection.verified", connection.id)
    return ask(hand, connection)


def give_key(hand: Hand, connection: Connection, key: str) -> KeyCheck:
    """
    Put another key in the old one's place, if Klaviyo takes it; else nothing is changed.

    Raises: InvalidInput when it cannot be a key.
    """
    tools = hand.tools
    url = tools.settings.klaviyo_api_url
    check = replace_key(tools.db, tools.vault, tools.http, url, connection.id, key, tools.now())
    if check.verdict == Verdict.ACCEPTED:
        with tools.db.write() as session:
            hints = {"before": connection.key_hint, "after": session.get_one(Connection, connection.id).key_hint}
            hand.note(session, connection.workspace_id, "connection.key_replaced", connection.id, **hints)
        ring(hand, connection)
    return check


def pause(hand: Hand, connection: Connection) -> int:
    """Send nothing more; how many deliveries are held by it."""
    with hand.tools.db.write() as session:
        switch(session, session.get_one(Connection, connection.id), active=False, now=hand.tools.now())
        held = holding.hold_owed(session, [connection.id], holding.CONNECTION_PAUSED)
        hand.note(session, connection.workspace_id, "connection.paused", connection.id, held=held)
    return held


def activate(hand: Hand, connection: Connection) -> tuple[KeyCheck, int]:
    """
    Ask Klaviyo about the key and, if it takes it, `let_go`; what it said, and how many deliveries go.

    Raises: Refused when the connection was archived.
    """
    _refuse_archived(connection)
    check = ask(hand, connection)
    return check, let_go(hand, connection) if check.verdict == Verdict.ACCEPTED else 0


def let_go(hand: Hand, connection: Connection) -> int:
    """
    Send, also what was held by the pause; how many deliveries that are.

    Raises: Refused when the connection was archived.
    """
    now = hand.tools.now()
    with hand.tools.db.write() as session:
        found = session.get_one(Connection, connection.id)
        _refuse_archived(found)
        switch(session, found, active=True, now=now)
        resumed = holding.resume_held(session, [found.id], [holding.CONNECTION_PAUSED], now)
        hand.note(session, found.workspace_id, "connection.activated", found.id, resumed=resumed)
    ring(hand, connection)
    return resumed


def _refuse_archived(connection: Connection) -> None:
    if connection.archived_at is not None:
        raise Refused(f"{connection.name} is archived.")


def archive(hand: Hand, connection: Connection) -> None:
    """Put a connection away: it sends nothing any more, its log stays, and its name is free again."""
    now = hand.tools.now()
    with hand.tools.db.write() as session:
        # Before what it owes, as everybody does, so that none waits for another in a circle. PostgreSQL: a key share is
        # left to the attempts that a lane opens meanwhile, because they refer to it.
        found = session.get_one(Connection, connection.id, with_for_update={"key_share": True})
        if stopped := replaying.put_away(session, connection, now):
            hand.note(session, connection.workspace_id, "replay.stopped", stopped.id, released=stopped.released)
        archive_connection(found, now)
        hand.note(session, connection.workspace_id, "connection.archived", connection.id)


def try_out(hand: Hand, connection: Connection, metric: str, email: str, *, marked: bool) -> Delivery:
    """
    Send one test event, also while the connection is paused.

    Raises: InvalidInput when the e-mail cannot be one; Refused without a source, or when the connection was archived.
    """
    with hand.tools.db.write() as session:
        found = session.get_one(Connection, connection.id)
        _refuse_archived(found)
        sent = send_test_event(session, found, metric, email, hand.tools.now(), marked=marked)
        hand.note(session, connection.workspace_id, "connection.tested", connection.id, delivery=sent.id)
    ring(hand, connection)
    return sent


def ring(hand: Hand, connection: Connection) -> None:
    """Have the connection's lane looked at, whichever it is by now: the lanes of one account merge."""
    with hand.tools.db.read() as session:
        account_id = session.get_one(Connection, connection.id).account_id
    hand.tools.bells.ring("lane", account_id)


def connection_of(session: Session, workspace_id: str, connection_id: str) -> Connection:
    """The connection of that id in this workspace. Raises NotFound."""
    return find_in(session, workspace_id, Connection, connection_id)
