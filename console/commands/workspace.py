"""`flask workspace …`: merchants' tenancies."""

import click

from console.commands import shapes
from console.commands.desk import Desk, Noun, at_desk
from console.commands.output import json_option, show
from vrio_klaviyo.store.workspaces import add_workspace

command = Noun("workspace", help="Merchants' tenancies.")


@command.command()
@click.argument("name")
@json_option
@at_desk
def add(desk: Desk, name: str, as_json: bool) -> None:
    """Make a workspace."""
    with desk.db.write() as session:
        workspace = add_workspace(session, name)
        session.flush()
        desk.hand.note(session, workspace.id, "workspace.added", workspace.id, name=workspace.name)
    show(shapes.of_workspace(workspace), as_json=as_json, follow=f"flask source add NAME --workspace {workspace.id}")
