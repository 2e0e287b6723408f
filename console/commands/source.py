"""`flask source …`: the Vrio accounts that post to us."""

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from console.commands import shapes
from console.commands.desk import Desk, Noun, at_desk
from console.commands.output import json_option, limit_option, listing, show
from console.commands.secret_file import SecretFile
from vrio_klaviyo.connecting import Verdict
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store.sources import (
    OVERLAP,
    add_source,
    change_source,
    find_source,
    list_sources,
    rotate_key,
    webhook_path,
)
from vrio_klaviyo.store.workspaces import DEFAULT, find_workspace
from vrio_klaviyo.vrio_key import check_vrio_key

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
    with desk.db.write() as session:
        source = add_source(
            session,
            desk.vault,
            find_workspace(session, workspace),
            name,
            time_zone=time_zone,
            country=country,
            currency=currency,
            api_key=api_key,
        )
        told = shapes.of_source(session, source) | {"webhook_path": webhook_path(source, desk.vault)}
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
    with desk.db.read() as session:
        found = find_source(session, source, find_workspace(session, workspace).id if workspace else None)
        told = shapes.of_source(session, found) | {"webhook_path": webhook_path(found, desk.vault)}
    show(told, as_json=as_json)


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
    with desk.db.write() as session:
        found = find_source(session, source, find_workspace(session, workspace).id if workspace else None)
        change_source(session, desk.vault, found, **settings)
        told = shapes.of_source(session, found)
    show(told, as_json=as_json)


@command.command()
@named
@of_workspace
@json_option
@at_desk
def check(desk: Desk, source: str, workspace: str | None, as_json: bool) -> None:
    """Ask Vrio whether the source's REST key is good."""
    with desk.db.read() as session:
        found = find_source(session, source, find_workspace(session, workspace).id if workspace else None)
        told = shapes.of_source(session, found)
    if found.api_key_sealed is None:
        raise InvalidInput(f"{found.name} has no key for Vrio's REST API; give it one with flask source set")
    key = desk.vault.unseal(found.api_key_sealed, found.workspace_id, found.id)
    check = check_vrio_key(desk.http, desk.settings.vrio_api_url, key)
    show(told | {"verdict": check.verdict, "sentence": check.sentence}, as_json=as_json)
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
    with desk.db.write() as session:
        found = find_source(session, source, find_workspace(session, workspace).id if workspace else None)
        rotate_key(found, desk.vault, datetime.now(UTC), timedelta(0) if at_once else OVERLAP)
        told = shapes.of_source(session, found) | {"webhook_path": webhook_path(found, desk.vault)}
    show(told, as_json=as_json)
