"""`flask replay …`: send again what Klaviyo did not take, or was not sent, all at once."""

import sys
from collections.abc import Callable
from typing import Any

import click

from console import failures_csv
from console.commands import shapes, times
from console.commands.desk import Desk, Noun, at_desk
from console.commands.output import hint, json_option, limit_option, listing, moment, show
from console.plain_text import clean
from vrio_klaviyo import replaying
from vrio_klaviyo.errors import InvalidInput, Refused
from vrio_klaviyo.replaying import HIGHEST_RATE, RATE, Plan, plan
from vrio_klaviyo.store.connections import find_connection
from vrio_klaviyo.store.customers import find_customers
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import DeliveryStatus
from vrio_klaviyo.store.listing import Wanted
from vrio_klaviyo.store.matches import causes_like
from vrio_klaviyo.store.replays import find_replay, list_replays
from vrio_klaviyo.store.workspaces import DEFAULT, find_workspace

command = Noun("replay", help="Send again what Klaviyo did not take.")

# What is queued or retrying goes by itself.
STATUSES = [
    str(s) for s in (DeliveryStatus.FAILED, DeliveryStatus.SKIPPED, DeliveryStatus.HELD, DeliveryStatus.ACCEPTED)
]


def filters(command_: Callable[..., None]) -> Callable[..., None]:
    """The options that say which deliveries are meant."""
    options = [
        click.option(
            "--status",
            multiple=True,
            type=click.Choice(STATUSES),
            default=[STATUSES[0]],
            show_default=True,
            help="How they stand; may be repeated.",
        ),
        click.option("--event", "metrics", multiple=True, metavar="METRIC", help="Of this metric; may be repeated."),
        click.option("--error", metavar="TEXT", help='Failed with an error that begins so, such as "503".'),
        click.option("--connection", help="Through this connection, by its name or id."),
        click.option("--customer", help="For this customer, by e-mail or id."),
        times.option("--since", "Made since then"),
        times.option("--until", "Made before then"),
        click.option("--workspace", default=DEFAULT, show_default=True, help="The workspace's name or id."),
    ]
    for option in reversed(options):
        command_ = option(command_)
    return command_


def _asked(session: Session, given: dict[str, Any]) -> tuple[str, Wanted]:
    """The workspace, and what is wanted of it."""
    workspace_id = find_workspace(session, given["workspace"]).id
    connection, customer, error = given["connection"], given["customer"], given["error"]
    people = find_customers(session, customer) if customer else None
    return workspace_id, Wanted(
        status=list(given["status"]),
        event=list(given["metrics"]),
        connections=[find_connection(session, connection, workspace_id).id] if connection else [],
        # A cause that nothing has stands for an error that nobody met.
        causes=(causes_like(session, workspace_id, error) or [error]) if error else [],
        customers=[person.id for person in people if person.workspace_id == workspace_id] if people else None,
        since=given["since"],
        until=given["until"],
    )


@command.command("plan")
@filters
@json_option
@at_desk
def plan_(desk: Desk, /, as_json: bool, **given: Any) -> None:
    """Count what would be sent again, for each connection. Nothing is sent."""
    with desk.db.read() as session:
        plans = plan(session, *_asked(session, given))
    if as_json:
        for each in plans:
            show(_told(each), as_json=True)
        return
    for line in _lines(plans):
        click.echo(line)
    if any(each.count for each in plans):
        hint("flask replay run, with the same options")


def _told(planned: Plan) -> dict[str, Any]:
    return {
        "connection": planned.connection.id,
        "name": planned.connection.name,
        "count": planned.count,
        "by_metric": planned.by_metric,
        "left_out": planned.left_out,
        "oldest": moment(planned.oldest),
    }


def _lines(plans: list[Plan]) -> list[str]:
    if not plans:
        return ["No delivery matches."]
    lines = []
    for each in plans:
        metrics = ", ".join(f"{metric} {number}" for metric, number in sorted(each.by_metric.items()))
        oldest = f", the oldest of {moment(each.oldest)}" if each.oldest else ""
        lines.append(
            clean(f"{each.connection.name}: {each.count} would be sent again ({metrics or 'nothing'}{oldest}).")
        )
        lines += [clean(f"  {number} left out: {because}") for because, number in each.left_out.items()]
    return lines


@command.command()
@filters
@click.option("--rate", type=click.IntRange(1, HIGHEST_RATE), default=RATE, show_default=True, help="So many a second.")
@click.option("--rebuild", is_flag=True, help="Build each again from Vrio's webhook, with today's settings.")
@click.option("--despite-pause", is_flag=True, help="Send also through a connection that is paused.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@at_desk
def run(desk: Desk, /, rate: int, rebuild: bool, despite_pause: bool, yes: bool, as_json: bool, **given: Any) -> None:
    """
    Send again what matches now, in the background, behind what comes in: one replay for each connection.

    What comes to match later is not part of it. Ids stay the same, so Klaviyo ignores what it has.
    """
    with desk.db.read() as session:
        asked = _asked(session, given)
        plans = [each for each in plan(session, *asked) if each.count]
    if not plans:
        raise Refused("No delivery that may be sent again matches.")
    if not yes:
        _confirm(plans)
    now = desk.now()
    with desk.db.write() as session:
        begun = [
            replaying.start(
                session,
                find_connection(session, each.connection.id),
                asked[1],
                now,
                rate=rate,
                rebuild=rebuild,
                despite_pause=despite_pause,
                started_by=desk.hand.actor,
            )
            for each in plans
        ]
        for replay in begun:
            about = {"connection": replay.connection_id, "total": replay.total}
            desk.hand.note(session, asked[0], "replay.started", replay.id, **about)
        told = [shapes.of_replay(session, replay) for replay in begun]
    for replay in begun:
        desk.bells.ring("replay", replay.id)
    listing(told, ["id", "connection", "total", "status"], as_json=as_json, follow=f"flask replay status {begun[0].id}")


def _confirm(plans: list[Plan]) -> None:
    """Raises: InvalidInput without a terminal, where nobody can be asked; click.Abort when the number is not typed."""
    if not sys.stdin.isatty():
        raise InvalidInput("nobody can be asked here: repeat it with --yes")
    for line in _lines(plans):
        click.echo(line, err=True)
    total = sum(each.count for each in plans)
    if click.prompt(f"Type {total} to confirm", err=True) != str(total):
        raise click.Abort


@command.command()
@click.argument("replay_id", metavar="[ID]", required=False)
@click.option("--failures", is_flag=True, help="Print what Klaviyo did not take or was left out, as CSV.")
@limit_option
@json_option
@at_desk
def status(desk: Desk, replay_id: str | None, failures: bool, limit: int, as_json: bool) -> None:
    """How far a replay has come; without an ID, the newest ones."""
    if failures and replay_id is None:
        raise InvalidInput("--failures needs the ID of a replay")
    with desk.db.read() as session:
        if replay_id is None:
            told = [shapes.of_replay(session, replay) for replay in list_replays(session, limit=limit)]
        else:
            replay = find_replay(session, replay_id)
            if failures:
                sys.stdout.writelines(failures_csv.lines(session, replay))
                return
            told = [shapes.of_replay(session, replay)]
    if replay_id is None:
        return listing(told, ["started_at", "connection", "status", "released", "total", "id"], as_json=as_json)
    return show(told[0], as_json=as_json)


@command.command()
@click.argument("replay_id", metavar="ID")
@json_option
@at_desk
def stop(desk: Desk, replay_id: str, as_json: bool) -> None:
    """Send nothing more of a replay. What is in the lane already, a few seconds' worth, goes out."""
    with desk.db.write() as session:
        replay = find_replay(session, replay_id)
        replaying.stop(session, replay, desk.now())
        desk.hand.note(session, replay.workspace_id, "replay.stopped", replay.id, released=replay.released)
        told = shapes.of_replay(session, replay)
    show(told, as_json=as_json)
