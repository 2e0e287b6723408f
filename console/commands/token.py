"""`flask token …`: programs that may use the JSON API."""

import click

from console.commands import shapes
from console.commands.desk import Desk, Noun, at_desk
from console.commands.output import json_option, listing, moment, show
from vrio_klaviyo.store.tokens import ApiToken, Scope, add_token, list_tokens, revoke_token
from vrio_klaviyo.store.workspaces import DEFAULT, find_workspace

command = Noun("token", help="Programs that may use the JSON API.")

of_workspace = click.option("--workspace", default=DEFAULT, show_default=True, help="The workspace's name or id.")


@command.command()
@click.argument("name")
@of_workspace
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([str(scope) for scope in Scope]),
    multiple=True,
    required=True,
    help="What it may do; may be repeated.",
)
@json_option
@at_desk
def add(desk: Desk, name: str, workspace: str, scopes: tuple[str, ...], as_json: bool) -> None:
    """Make a token. Its text is shown this once."""
    with desk.db.write() as session:
        owner = find_workspace(session, workspace)
        token, text = add_token(session, owner, name, scopes, desk.now())
        desk.hand.note(session, owner.id, "token.added", token.id, name=token.name, scopes=token.scopes)
    show(_shape(token) | {"token": text}, as_json=as_json)


@command.command("list")
@of_workspace
@json_option
@at_desk
def list_(desk: Desk, workspace: str, as_json: bool) -> None:
    """A workspace's tokens."""
    with desk.db.read() as session:
        told = [_shape(token) for token in list_tokens(session, find_workspace(session, workspace).id)]
    listing(told, ["created_at", "name", "hint", "scopes", "used_at", "revoked_at", "id"], as_json=as_json)


@command.command()
@click.argument("token_id", metavar="ID")
@json_option
@at_desk
def revoke(desk: Desk, token_id: str, as_json: bool) -> None:
    """Take a token's rights away, for good."""
    with desk.db.write() as session:
        token = revoke_token(session, token_id, desk.now())
        desk.hand.note(session, token.workspace_id, "token.revoked", token.id, name=token.name)
    show(_shape(token), as_json=as_json)


def _shape(token: ApiToken) -> shapes.Shape:
    """A token, of its text only the end."""
    return {
        "id": token.id,
        "name": token.name,
        "hint": token.hint,
        "scopes": token.scopes,
        "created_at": moment(token.created_at),
        "used_at": moment(token.used_at),
        "revoked_at": moment(token.revoked_at),
    }
