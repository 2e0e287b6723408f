"""`flask connection …`: the Klaviyo accounts that we send to."""

from collections.abc import Iterator, Mapping
from typing import Any

import click
from marshmallow import ValidationError

from console import steering
from console.commands import shapes
from console.commands.desk import Desk, Noun, at_desk
from console.commands.output import json_option, limit_option, listing, show
from console.commands.rate import Rate
from console.commands.secret_file import SecretFile
from console.schemas.connections import ConnectionSchema
from vrio_klaviyo.connecting import KeyCheck, Verdict
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store.connections import Connection, find_connection, list_connections
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
    told = {"name": name, "key": key, "push_events": not no_push_events, "campaigns": _ids(campaigns)}
    wanted = _checked(told)
    with desk.db.write() as session:
        made = steering.connect(desk.hand, session, find_workspace(session, workspace).id, wanted)
    check = None
    if not no_check:
        check = steering.ask(desk.hand, made) if paused else steering.activate(desk.hand, made)[0]
    elif not paused:
        steering.let_go(desk.hand, made)
    tell(desk, made.id, check, as_json)


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
    tell(desk, found(desk, connection, workspace).id, None, as_json)


@command.command()
@named
@of_workspace
@json_option
@at_desk
def check(desk: Desk, connection: str, workspace: str | None, as_json: bool) -> None:
    """Ask Klaviyo whether the key is good. If it is, what was held because of it goes out."""
    asked = found(desk, connection, workspace)
    tell(desk, asked.id, steering.verify(desk.hand, asked), as_json)


@command.command()
@named
@of_workspace
@json_option
@at_desk
def pause(desk: Desk, connection: str, workspace: str | None, as_json: bool) -> None:
    """Send nothing more. What is queued is held until it is activated; what comes meanwhile is not sent."""
    paused = found(desk, connection, workspace)
    steering.pause(desk.hand, paused)
    tell(desk, paused.id, None, as_json, follow=f"flask connection activate {paused.id}")


@command.command()
@named
@of_workspace
@unchecked
@json_option
@at_desk
def activate(desk: Desk, connection: str, workspace: str | None, no_check: bool, as_json: bool) -> None:
    """Send, also what was held by the pause. A key that Klaviyo does not take leaves the connection as it was."""
    wanted = found(desk, connection, workspace)
    check = None
    if no_check:
        steering.let_go(desk.hand, wanted)
    else:
        check, _ = steering.activate(desk.hand, wanted)
    tell(desk, wanted.id, check, as_json)


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
    told: dict[str, Any] = {
        "push_events": push_events,
        "campaigns": _ids(campaigns) if campaigns or all_campaigns else None,
        "additional_properties": additional_properties,
        "values": values,
        "one_time_as_placed_order": one_time_as_placed_order,
        "test_orders": test_orders,
        "phone": phone,
    }
    wanted = _checked({name: value for name, value in told.items() if value is not None})
    if rate is not None:
        wanted["rate_per_minute"] = rate or None
    if not (key or off or on or wanted):
        raise InvalidInput("no setting is named; --help lists them")
    meant = found(desk, connection, workspace)
    check = steering.give_key(desk.hand, meant, key) if key else None
    if check is None or check.verdict == Verdict.ACCEPTED:
        with desk.db.write() as session:
            current = find_connection(session, meant.id)
            wanted["metrics_off"] = [
                name for name in METRICS if name not in on and name in (*off, *current.metrics_off)
            ]
            wanted["metrics_on"] = [name for name in BEYOND if name not in off and name in (*on, *current.metrics_on)]
            steering.change(desk.hand, session, current, wanted)
    tell(desk, meant.id, check, as_json, follow=f"flask connection show {meant.id}")


def _ids(typed: tuple[str, ...]) -> list[str]:
    return [campaign.strip() for campaign in typed]


def _checked(told: Mapping[str, Any]) -> dict[str, Any]:
    """
    What was typed, by the rules that the pages and the API have too.

    Raises: InvalidInput.
    """
    try:
        wanted: dict[str, Any] = ConnectionSchema().load(told)
    except ValidationError as error:
        raise InvalidInput(" ".join(dict.fromkeys(_sentences(error.messages)))) from error
    return wanted


def _sentences(messages: Any) -> Iterator[str]:
    """What marshmallow says, wherever in its tree."""
    for inner in messages.values() if isinstance(messages, dict) else messages:
        yield from [inner] if isinstance(inner, str) else _sentences(inner)


def found(desk: Desk, name_or_id: str, workspace: str | None) -> Connection:
    """The connection that was named. Raises NotFound."""
    with desk.db.read() as session:
        return find_connection(session, name_or_id, find_workspace(session, workspace).id if workspace else None)


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
