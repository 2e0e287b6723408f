"""`flask source …`: the Vrio accounts that post to us."""

from typing import Any

import click

from console import sourcing
from console.commands import shapes
from console.commands.desk import Desk, Noun, at_desk
from console.commands.output import json_option, limit_option, listing, show
from console.commands.secret_file import SecretFile
from vrio_klaviyo.connecting import Verdict
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store.sources import Source, find_source, list_sources, webhook_path
from vrio_klaviyo.store.workspaces import DEFAULT, find_workspace

command = Noun("source", help="The Vrio accounts that post to us.")

named = click.argument("source")
of_workspace = click.option("--workspace", help="The workspace that the name is looked for in.")


@command.command()
@click.argument("name")
@click.option("--workspace", default=DEFAULT, show_default=True, help="The workspace's name or id.")
@click.option("--time-zone", default="UTC", show_default=True, help="The zone of dates that say none.")
@click.option("--country", default="US", show_default=True, help="The country of addresses that say none.")
@click.option("--currency", default="USD", show_default=True, help="The currency of amounts that say none.")
@click.option("--api-key-file", "api_key", type=SecretFile(), help="A file with Vrio's REST key; - for standard input.")
@json_option
@at_desk
def add(
    desk: Desk,
    name: str,
    workspace: str,
    time_zone: str,
    country: str,
    currency: str,
    api_key: str | None,
    as_json: bool,
) -> None:
    """Make a source, and show the path that Vrio must post to."""
    place = {"time_zone": time_zone, "country": country, "currency": currency}
    with desk.db.read() as session:
        workspace_id = find_workspace(session, workspace).id
    source = sourcing.add(desk.hand, workspace_id, {"name": name, "api_key": api_key, **place})
    told = _told(desk, source) | {"webhook_path": webhook_path(source, desk.vault)}
    show(told, as_json=as_json, follow=f"flask inbound send FILE --source {source.id}")


@command.command("list")
@click.option("--workspace", help="Only those of this workspace.")
@limit_option
@json_option
@at_desk
def list_(desk: Desk, workspace: str | None, limit: int, as_json: bool) -> None:
    """All sources, without their webhook paths."""
    with desk.db.read() as session:
        found = list_sources(session, find_workspace(session, workspace).id if workspace else None)
        told = [shapes.of_source(session, source) for source in found[-limit:][::-1]]
    listing(told, ["id", "name", "workspace", "time_zone", "country", "currency"], as_json=as_json)


@command.command("show")
@named
@of_workspace
@json_option
@at_desk
def show_(desk: Desk, source: str, workspace: str | None, as_json: bool) -> None:
    """One source, by its name or id, with its webhook path."""
    found = _found(desk, source, workspace)
    show(_told(desk, found) | {"webhook_path": webhook_path(found, desk.vault)}, as_json=as_json)


@command.command("set")
@named
@of_workspace
@click.option("--rename", "name", metavar="NAME", help="What it is called from now on.")
@click.option("--time-zone", help="The zone of dates that say none.")
@click.option("--country", help="The country of addresses that say none.")
@click.option("--currency", help="The currency of amounts that say none.")
@click.option(
    "--upcoming-days",
    type=click.IntRange(1, 60),
    help="How many days before a charge the event Upcoming Order is sent, where a connection has it on.",
)
@click.option("--api-key-file", "api_key", type=SecretFile(), help="A file with Vrio's REST key; - for standard input.")
@click.option("--no-api-key", is_flag=True, help="Forget Vrio's REST key.")
@json_option
@at_desk
def set_(
    desk: Desk,
    source: str,
    workspace: str | None,
    name: str | None,
    time_zone: str | None,
    country: str | None,
    currency: str | None,
    upcoming_days: int | None,
    api_key: str | None,
    no_api_key: bool,
    as_json: bool,
) -> None:
    """Change what is named, for all that comes in from now on."""
    if api_key and no_api_key:
        raise InvalidInput("--api-key-file and --no-api-key say opposite things")
    settings: dict[str, Any] = {"name": name, "time_zone": time_zone, "country": country, "currency": currency}
    settings |= {"upcoming_days": upcoming_days, "api_key": "" if no_api_key else api_key}
    if set(settings.values()) == {None}:
        raise InvalidInput("no setting is named; --help lists them")
    changed = sourcing.change(desk.hand, _found(desk, source, workspace), settings)
    show(_told(desk, changed), as_json=as_json)


@command.command()
@named
@of_workspace
@json_option
@at_desk
def check(desk: Desk, source: str, workspace: str | None, as_json: bool) -> None:
    """Ask Vrio whether the source's REST key is good."""
    found = _found(desk, source, workspace)
    check = sourcing.check_api_key(desk.hand, found)
    show(_told(desk, found) | {"verdict": check.verdict, "sentence": check.sentence}, as_json=as_json)
    if check.verdict != Verdict.ACCEPTED:
        raise click.ClickException(check.sentence)


@command.command()
@named
@of_workspace
@click.option("--at-once", is_flag=True, help="The path before ends now: somebody has it who should not.")
@json_option
@at_desk
def rotate(desk: Desk, source: str, workspace: str | None, at_once: bool, as_json: bool) -> None:
    """Make a new path that Vrio must post to, and show it. The one before works for a day more."""
    rotated = sourcing.rotate(desk.hand, _found(desk, source, workspace), at_once=at_once)
    show(_told(desk, rotated) | {"webhook_path": webhook_path(rotated, desk.vault)}, as_json=as_json)


def _found(desk: Desk, name_or_id: str, workspace: str | None) -> Source:
    with desk.db.read() as session:
        return find_source(session, name_or_id, find_workspace(session, workspace).id if workspace else None)


def _told(desk: Desk, source: Source) -> shapes.Shape:
    with desk.db.read() as session:
        return shapes.of_source(session, source)
