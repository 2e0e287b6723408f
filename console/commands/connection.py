"""`flask connection …`: the Klaviyo accounts that we send to."""

from datetime import UTC, datetime
from typing import Any

import click

from console.commands import shapes
from console.commands.desk import Desk, Noun, at_desk
from console.commands.output import json_option, limit_option, listing, show
from console.commands.rate import Rate
from console.commands.secret_file import SecretFile
from vrio_klaviyo.connecting import KeyCheck, Verdict, check_connection, replace_key
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store import deliveries
from vrio_klaviyo.store.connections import (
    Connection,
    add_connection,
    cap_rate,
    change_connection,
    find_connection,
    list_connections,
    switch,
)
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.workspaces import DEFAULT, find_workspace
from vrio_klaviyo.vrio.routes import BEYOND, METRICS

command = Noun("connection", help="The Klaviyo accounts that we send to.")

named = click.argument("connection")
of_workspace = click.option("--workspace", help="The workspace that the name is looked for in.")
metric = click.Choice([*METRICS, *BEYOND])
unchecked = click.option("--no-check", is_flag=True, help="Do not ask Klaviyo whether the key is good.")


@command.command()
@click.argument("name")
@click.option("--workspace", default=DEFAULT, show_default=True, help="The workspace's name or id.")
@click.option("--key-file", "key", type=SecretFile(), required=True, help="A file with the key; - for standard input.")
@click.option("--campaign", "campaigns", multiple=True, metavar="ID", help="Send this campaign only; may be repeated.")
@click.option("--no-push-events", is_flag=True, help="Record what comes in, but send nothing.")
@click.option("--paused", is_flag=True, help="Do not send until it is activated.")
@unchecked
@json_option
@at_desk
def add(
    desk: Desk,
    name: str,
    workspace: str,
    key: str,
    campaigns: tuple[str, ...],
    no_push_events: bool,
    paused: bool,
    no_check: bool,
    as_json: bool,
) -> None:
    """Make a connection and check its key. One that Klaviyo does not take is saved paused."""
    wanted = _campaigns(campaigns)
    with desk.db.write() as session:
        connection = add_connection(
            session,
            desk.vault,
            find_workspace(session, workspace),
            name,
            key,
            campaigns=wanted,
            push_events=not no_push_events,
            # Nothing goes out with a key that nobody has asked about.
            active=no_check and not paused,
        )
    check = None if no_check else _check(desk, connection.id)
    if check and check.verdict == Verdict.ACCEPTED and not paused:
        _activate(desk, connection.id)
    tell(desk, connection.id, check, as_json)


@command.command("list")
@click.option("--workspace", help="Only those of this workspace.")
@limit_option
@json_option
@at_desk
def list_(desk: Desk, workspace: str | None, limit: int, as_json: bool) -> None:
    """All connections."""
    with desk.db.read() as session:
        found = list_connections(session, find_workspace(session, workspace).id if workspace else None)
        told = [shapes.of_connection(session, connection) for connection in found[-limit:][::-1]]
    listing(told, ["id", "name", "workspace", "status", "key_hint", "key_status", "account"], as_json=as_json)


@command.command("show")
@named
@of_workspace
@json_option
@at_desk
def show_(desk: Desk, connection: str, workspace: str | None, as_json: bool) -> None:
    """One connection, by its name or id."""
    tell(desk, id_of(desk, connection, workspace), None, as_json)


@command.command()
@named
@of_workspace
@json_option
@at_desk
def check(desk: Desk, connection: str, workspace: str | None, as_json: bool) -> None:
    """Ask Klaviyo whether the key is good. If it is, what was held because of it goes out."""
    connection_id = id_of(desk, connection, workspace)
    tell(desk, connection_id, _check(desk, connection_id), as_json)


@command.command()
@named
@of_workspace
@json_option
@at_desk
def pause(desk: Desk, connection: str, workspace: str | None, as_json: bool) -> None:
    """Send nothing more. What is queued is held until it is activated; what comes meanwhile is not sent."""
    with desk.db.write() as session:
        paused = _find(session, connection, workspace)
        switch(session, paused, active=False, now=datetime.now(UTC))
        deliveries.hold_owed(session, [paused.id], deliveries.CONNECTION_PAUSED)
    tell(desk, paused.id, None, as_json, follow=f"flask connection activate {paused.id}")


@command.command()
@named
@of_workspace
@unchecked
@json_option
@at_desk
def activate(desk: Desk, connection: str, workspace: str | None, no_check: bool, as_json: bool) -> None:
    """Send, also what was held by the pause. A key that Klaviyo does not take leaves the connection as it was."""
    connection_id = id_of(desk, connection, workspace)
    check = None if no_check else _check(desk, connection_id)
    if check is None or check.verdict == Verdict.ACCEPTED:
        _activate(desk, connection_id)
    tell(desk, connection_id, check, as_json)


@command.command("set")
@named
@of_workspace
@click.option("--push-events/--no-push-events", default=None, help="Whether to send anything.")
@click.option(
    "--campaign", "campaigns", multiple=True, metavar="ID", help="Send these campaigns only; may be repeated."
)
@click.option("--all-campaigns", is_flag=True, help="Send all campaigns.")
@click.option("--metric-off", "off", type=metric, multiple=True, metavar="METRIC", help="Do not send this event.")
@click.option("--metric-on", "on", type=metric, multiple=True, metavar="METRIC", help="Send this event.")
@click.option(
    "--additional-properties/--no-additional-properties",
    default=None,
    help="Whether events also say campaign, total, tax, shipping, currency, and how final a decline is.",
)
@click.option(
    "--values", type=click.Choice(["strings", "typed"]), help="How amounts and counts are written in properties."
)
@click.option(
    "--one-time-as-placed-order/--no-one-time-as-placed-order",
    default=None,
    help="Whether to send one-time orders as Placed Order too, the metric that Klaviyo's revenue figures look at.",
)
@click.option("--test-orders/--no-test-orders", default=None, help="Whether to send test orders.")
@click.option(
    "--phone",
    type=click.Choice(["both", "attribute", "property"]),
    help="Where the phone number goes: Klaviyo's own field, the property $phone_number, or both.",
)
@click.option(
    "--rate",
    type=Rate(),
    help="Requests a minute to each endpoint, at most; none for as many as Klaviyo takes. It holds for every "
    "connection to the same Klaviyo account.",
)
@click.option("--key-file", "key", type=SecretFile(), help="A file with another key; - for standard input.")
@json_option
@at_desk
def set_(
    desk: Desk,
    connection: str,
    workspace: str | None,
    push_events: bool | None,
    campaigns: tuple[str, ...],
    all_campaigns: bool,
    off: tuple[str, ...],
    on: tuple[str, ...],
    additional_properties: bool | None,
    values: str | None,
    one_time_as_placed_order: bool | None,
    test_orders: bool | None,
    phone: str | None,
    rate: int | None,
    key: str | None,
    as_json: bool,
) -> None:
    """
    Change what is named.

    Campaigns take the place of those chosen before. Another key is checked first; if Klaviyo does not take it, nothing
    is changed at all. The metrics that the published page does not have are off until they are switched on. Values,
    additional properties and phone hold for all that is sent from now on, the rest for what comes in from now on.
    """
    if campaigns and all_campaigns:
        raise InvalidInput("--campaign and --all-campaigns say opposite things")
    if both := set(off) & set(on):
        raise InvalidInput(f"--metric-off and --metric-on say opposite things of {', '.join(sorted(both))}")
    settings: dict[str, Any] = {
        "push_events": push_events,
        "campaigns": _campaigns(campaigns) if campaigns or all_campaigns else None,
        "additional_properties": additional_properties,
        "typed": None if values is None else values == "typed",
        "one_time_as_placed_order": one_time_as_placed_order,
        "test_orders": test_orders,
        "phone_placement": phone,
    }
    if not (key or off or on or rate is not None) and all(value is None for value in settings.values()):
        raise InvalidInput("no setting is named; --help lists them")
    connection_id = id_of(desk, connection, workspace)
    check = replaced_key(desk, connection_id, key) if key else None
    if check is None or check.verdict == Verdict.ACCEPTED:
        with desk.db.write() as session:
            found = find_connection(session, connection_id)
            metrics_off = [name for name in METRICS if name not in on and (name in off or name in found.metrics_off)]
            metrics_on = [name for name in BEYOND if name not in off and (name in on or name in found.metrics_on)]
            change_connection(found, metrics_off=metrics_off, metrics_on=metrics_on, **settings)
            if rate is not None:
                cap_rate(session, found, rate or None)
    tell(desk, connection_id, check, as_json, follow=f"flask connection show {connection_id}")


def _campaigns(ids: tuple[str, ...]) -> list[str]:
    """
    The campaigns to choose, each once.

    Raises: InvalidInput when an id is empty, which would choose none.
    """
    if not all(campaign.strip() for campaign in ids):
        raise InvalidInput("a campaign's id is empty; name none to send all campaigns")
    return list(dict.fromkeys(campaign.strip() for campaign in ids))


def _find(session: Session, name_or_id: str, workspace: str | None) -> Connection:
    return find_connection(session, name_or_id, find_workspace(session, workspace).id if workspace else None)


def id_of(desk: Desk, name_or_id: str, workspace: str | None) -> str:
    """The id of the connection that was named. Raises NotFound."""
    with desk.db.read() as session:
        return _find(session, name_or_id, workspace).id


def _check(desk: Desk, connection_id: str) -> KeyCheck:
    url = desk.settings.klaviyo_api_url
    check = check_connection(desk.db, desk.vault, desk.http, url, connection_id, datetime.now(UTC))
    if check.verdict == Verdict.ACCEPTED:
        ring(desk, connection_id)
    return check


def replaced_key(desk: Desk, connection_id: str, key: str) -> KeyCheck:
    """Put another key in the old one's place, if Klaviyo takes it."""
    url = desk.settings.klaviyo_api_url
    check = replace_key(desk.db, desk.vault, desk.http, url, connection_id, key, datetime.now(UTC))
    if check.verdict == Verdict.ACCEPTED:
        ring(desk, connection_id)
    return check


def _activate(desk: Desk, connection_id: str) -> None:
    now = datetime.now(UTC)
    with desk.db.write() as session:
        switch(session, find_connection(session, connection_id), active=True, now=now)
        deliveries.resume_held(session, [connection_id], [deliveries.CONNECTION_PAUSED], now)
    ring(desk, connection_id)


def ring(desk: Desk, connection_id: str) -> None:
    """Have the connection's lane looked at."""
    with desk.db.read() as session:
        account_id = find_connection(session, connection_id).account_id
    desk.ring("lane", account_id)


def tell(desk: Desk, connection_id: str, check: KeyCheck | None, as_json: bool, follow: str = "") -> None:
    """Print the connection as it is now, with the check if one was made; one that failed is the command's failure."""
    with desk.db.read() as session:
        told: dict[str, Any] = shapes.of_connection(session, find_connection(session, connection_id))
    if check is None:
        show(told, as_json=as_json, follow=follow)
        return
    accepted = check.verdict == Verdict.ACCEPTED
    if not (follow or accepted):
        follow = f"flask connection activate {connection_id}"
    show(told | {"verdict": check.verdict, "sentence": check.sentence}, as_json=as_json, follow=follow)
    if not accepted:
        raise click.ClickException(check.sentence)
