"""What a person does to a connection: the same from a page, a program or the command line."""

from collections.abc import Mapping
from typing import Any

from console.site import Site
from vrio_klaviyo.connecting import KeyCheck, Verdict, check_connection, replace_key
from vrio_klaviyo.errors import Refused
from vrio_klaviyo.store import deliveries
from vrio_klaviyo.store.connections import (
    Connection,
    add_connection,
    archive_connection,
    cap_rate,
    change_connection,
    rename_connection,
    switch,
)
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.tenancy import find_in
from vrio_klaviyo.store.workspaces import find_workspace

# The settings that schemas and the store call alike.
SAME_NAMES = (
    "push_events",
    "metrics_off",
    "metrics_on",
    "additional_properties",
    "one_time_as_placed_order",
    "test_orders",
)


def connect(site: Site, session: Session, workspace_id: str, wanted: Mapping[str, Any]) -> Connection:
    """
    A new connection, paused: nothing goes out with a key that nobody has asked about.

    Raises: InvalidInput.
    """
    connection = add_connection(
        session,
        site.vault,
        find_workspace(session, workspace_id),
        wanted["name"],
        wanted["key"],
        push_events=wanted.get("push_events", True),
        active=False,
    )
    change_connection(connection, **settings_of(wanted))
    cap_rate(session, connection, wanted.get("rate_per_minute"))
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


def change(session: Session, connection: Connection, wanted: Mapping[str, Any]) -> None:
    """
    Change what is named; the key is none of it.

    Raises: InvalidInput when the name is taken.
    """
    if "name" in wanted:
        rename_connection(session, connection, wanted["name"])
    if "rate_per_minute" in wanted:
        cap_rate(session, connection, wanted["rate_per_minute"])
    change_connection(connection, **settings_of(wanted))


def verify(site: Site, connection_id: str) -> KeyCheck:
    """Ask Klaviyo about the key. If it is good, what was held because of it goes out."""
    check = check_connection(site.db, site.vault, site.http, site.settings.klaviyo_api_url, connection_id, site.now())
    if check.verdict == Verdict.ACCEPTED:
        ring(site, connection_id)
    return check


def give_key(site: Site, connection_id: str, key: str) -> KeyCheck:
    """Put another key in the old one's place, if Klaviyo takes it; else nothing is changed."""
    check = replace_key(site.db, site.vault, site.http, site.settings.klaviyo_api_url, connection_id, key, site.now())
    if check.verdict == Verdict.ACCEPTED:
        ring(site, connection_id)
    return check


def pause(site: Site, session: Session, connection: Connection) -> int:
    """Send nothing more; how many deliveries are held by it."""
    switch(session, connection, active=False, now=site.now())
    return deliveries.hold_owed(session, [connection.id], deliveries.CONNECTION_PAUSED)


def activate(site: Site, session: Session, connection: Connection) -> int:
    """
    Send, also what was held by the pause; how many deliveries that are. The lane is to be rung after the commit.

    Raises: Refused when the connection was archived.
    """
    if connection.archived_at is not None:
        raise Refused(f"{connection.name} is archived.")
    now = site.now()
    switch(session, connection, active=True, now=now)
    return deliveries.resume_held(session, [connection.id], [deliveries.CONNECTION_PAUSED], now)


def archive(site: Site, session: Session, connection: Connection) -> None:
    """Put a connection away: it sends nothing any more, its log stays, and its name is free again."""
    pause(site, session, connection)
    archive_connection(connection, site.now())


def ring(site: Site, connection_id: str) -> None:
    """Have the connection's lane looked at."""
    with site.db.read() as session:
        account_id = session.get_one(Connection, connection_id).account_id
    site.bells.ring("lane", account_id)


def connection_of(session: Session, workspace_id: str, connection_id: str) -> Connection:
    """The connection of that id in this workspace. Raises NotFound."""
    return find_in(session, workspace_id, Connection, connection_id)
