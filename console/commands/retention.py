"""`flask retention …`: what has been kept for long enough goes."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import click

from console.commands.desk import Desk, Noun, at_desk
from console.commands.output import json_option, show
from vrio_klaviyo.forgetting import Forgetter, Kept, due

command = Noun("retention", help="How long bodies and rows are kept.")


@command.command()
@click.option("--dry-run", is_flag=True, help="Only count what would go.")
@json_option
@at_desk
def run(desk: Desk, dry_run: bool, as_json: bool) -> None:
    """
    Remove now what has been kept for long enough; a worker does so once a day.

    Bodies go after BODY_RETENTION_DAYS, rows after ROW_RETENTION_DAYS. What is still owed keeps all it needs.
    """
    settings = desk.settings
    bodies, rows = timedelta(days=settings.body_retention_days), timedelta(days=settings.row_retention_days)
    kept = Kept(bodies=bodies, rows=rows)
    if dry_run:
        forgotten = due(desk.db, kept, datetime.now(UTC))
    else:
        forgotten = Forgetter(db=desk.db, kept=kept, now=lambda: datetime.now(UTC)).forget("command line", at_once=True)
    show(asdict(forgotten) | {"dry_run": dry_run}, as_json=as_json)
