"""`flask catalog …`: what Vrio does not tell of its offers and items."""

from typing import BinaryIO

import click

from console import sourcing
from console.commands.desk import Desk, Noun, at_desk
from console.commands.output import json_option, moment, show
from vrio_klaviyo.store.catalog import imported_at
from vrio_klaviyo.store.sources import find_source
from vrio_klaviyo.store.workspaces import find_workspace
from vrio_klaviyo.vrio.catalog_file import FORMAT

command = Noun("catalog", help="What Vrio does not tell of its offers and items.")


@command.command(
    "import",
    help=f"""
    Import the catalogue of a source from FILE; - is standard input.

    What is in the file takes the place of all that was imported before, and fills what Vrio leaves out of what comes in
    from now on. One bad entry, and nothing is imported. The file is JSON:

    \b
{FORMAT}

    Ids are Vrio's. Only offer_id and item_id are needed. quantity says how many of an item one offer holds. A category
    is a name, or an id that "categories" names. "cancel_reasons" are the words of each cancel_type_id, "intervals" the
    days of each charge_timeframe_id; these win over Vrio's own label.
    """,
)
@click.argument("file", type=click.File("rb"))
@click.option("--source", required=True, help="The source that it is of, by its name or id.")
@click.option("--workspace", help="The workspace that the name is looked for in.")
@json_option
@at_desk
def import_(desk: Desk, file: BinaryIO, source: str, workspace: str | None, as_json: bool) -> None:
    with desk.db.read() as session:
        found = find_source(session, source, find_workspace(session, workspace).id if workspace else None)
    told = sourcing.import_catalog(desk.hand, found, file.read())
    with desk.db.read() as session:
        at = imported_at(session, found.id)
    show({"source": found.id, **told, "imported_at": moment(at)}, as_json=as_json)
