"""`flask tail`: what happens, line by line, until it is interrupted."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from console.commands import times
from console.commands.desk import Desk, Verb, at_desk
from console.commands.output import moment
from console.plain_text import clean
from vrio_klaviyo.store.connections import find_connection
from vrio_klaviyo.store.deliveries import DeliveryStatus
from vrio_klaviyo.store.following import Happened, happened
from vrio_klaviyo.store.workspaces import DEFAULT, find_workspace

EVERY_S = 1.0
# So long may lie between the begin of an attempt and its end.
BACK = timedelta(seconds=60)


@click.command("tail", cls=Verb)
@click.option(
    "--status",
    "statuses",
    type=click.Choice([str(status) for status in DeliveryStatus]),
    multiple=True,
    help="Only attempts of deliveries that stand so; may be repeated.",
)
@click.option("--connection", help="Only what goes through this connection, by its name or id.")
@click.option("--workspace", default=DEFAULT, show_default=True, help="The workspace's name or id.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How it is printed.",
)
@times.option("--since", "Begin with what happened since then, now if nothing is said")
@click.option("--once", is_flag=True, help="Print what there is, and end.")
@at_desk
def command(
    desk: Desk,
    statuses: tuple[str, ...],
    connection: str | None,
    workspace: str,
    form: str,
    since: datetime | None,
    once: bool,
) -> None:
    """Print webhooks as they come, and attempts as they end. Interrupt it to stop."""
    began = since or datetime.now(UTC)
    with desk.db.read() as session:
        workspace_id = find_workspace(session, workspace).id
        connection_id = find_connection(session, connection, workspace_id).id if connection else None
    for line in _followed(desk, workspace_id, connection_id, statuses, began, once=once):
        click.echo(json.dumps(_shape(line)) if form == "json" else _text(line))


def _followed(
    desk: Desk, workspace_id: str, connection_id: str | None, statuses: tuple[str, ...], began: datetime, *, once: bool
) -> Iterator[Happened]:
    """Each thing once: the last minute is looked at again every time, and what was printed is left out."""
    told: dict[str, datetime] = {}
    since = began
    while True:
        with desk.db.read() as session:
            found = happened(session, workspace_id, since, connection_id=connection_id, statuses=statuses)
        yield from (one for one in found if one.id not in told)
        if once:
            return
        since = max(began, datetime.now(UTC) - BACK)
        told = {name: at for name, at in told.items() if at >= since} | {one.id: one.at for one in found}
        time.sleep(EVERY_S)


def _shape(line: Happened) -> dict[str, Any]:
    return {
        "at": moment(line.at),
        "id": line.id,
        "kind": line.kind,
        "what": line.what,
        "reference": line.reference,
        "status": line.status,
        "reason": line.reason,
        "delivery": line.delivery_id or None,
        "number": line.number,
        "trigger": line.trigger or None,
        "answer": line.answer,
        "duration_ms": line.duration_ms,
    }


def _text(line: Happened) -> str:
    at = f"{line.at.astimezone(UTC):%H:%M:%S}.{line.at.microsecond // 1000:03d}"
    if line.kind == "webhook":
        parts = [at, line.id, line.what or "webhook", line.reference, line.status, _first(line.reason)]
    else:
        took = "" if line.duration_ms is None else f"{line.duration_ms / 1000:.2f} s"
        sign = "✓" if line.answer is not None and line.answer < 300 else "✕"
        answered = f"{sign} {line.answer if line.answer is not None else _first(line.reason)}"
        again = "" if line.trigger == "first" else f"attempt {line.number}, {line.trigger}"
        parts = [at, line.delivery_id, line.what or "Profile", line.reference, answered, took, again]
    return "  ".join(clean(part) for part in parts if part)


def _first(text: str) -> str:
    return text.splitlines()[0] if text else ""
