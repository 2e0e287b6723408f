"""`flask user …`: who may sign in to the console."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import click

from console.commands.desk import Desk, Noun, at_desk
from console.commands.output import json_option, listing, moment, show
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store import audit, people, sessions
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.people import Role, User
from vrio_klaviyo.store.workspaces import DEFAULT, find_workspace

command = Noun("user", help="Who may sign in to the console.")

named = click.argument("user", metavar="EMAIL")


@command.command()
@click.argument("email")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.VIEWER.value,
    show_default=True,
    help="What they may do.",
)
@click.option("--workspace", default=DEFAULT, show_default=True, help="The workspace's name or id.")
@click.option("--name", default="", help="What the console calls them.")
@json_option
@at_desk
def add(desk: Desk, email: str, role: str, workspace: str, name: str, as_json: bool) -> None:
    """Let somebody into a workspace, and show a link that signs them in once, within a day."""
    now = datetime.now(UTC)
    with desk.db.write() as session:
        found = find_workspace(session, workspace)
        user = _enabled(people.add_user(session, email, name))
        before = people.roles_of(session, user.id).get(found.id)
        people.set_role(session, user, found.id, Role(role))
        about: dict[str, Any] = {"email": user.email, "before": before and before.value, "role": role}
        audit.note(session, found.id, "user.added", now=now, subject=user.id, **about)
        told = _told(session, user) | {"link": _link(session, desk, user)}
    show(told, as_json=as_json, follow="open the link in a browser")


@command.command()
@named
@click.option("--next", "path", default="", help="Where the link leads, as in /customers.")
@json_option
@at_desk
def link(desk: Desk, user: str, path: str, as_json: bool) -> None:
    """Make a new link that signs somebody in once, within a day; older ones end."""
    with desk.db.write() as session:
        found = _enabled(people.find_user(session, user))
        told = {"id": found.id, "email": found.email, "link": _link(session, desk, found, path)}
        _note(session, found, "user.link_made")
    show(told, as_json=as_json)


@command.command("list")
@click.option("--workspace", help="Only those of this workspace.")
@json_option
@at_desk
def list_(desk: Desk, workspace: str | None, as_json: bool) -> None:
    """All users and their roles."""
    with desk.db.read() as session:
        if workspace:
            found = [member.user for member in people.members(session, find_workspace(session, workspace).id)]
        else:
            found = people.list_users(session)
        told = [_told(session, user) for user in found]
    listing(told, ["id", "email", "roles", "seen_at", "disabled_at"], as_json=as_json)


@command.command()
@named
@json_option
@at_desk
def disable(desk: Desk, user: str, as_json: bool) -> None:
    """Let somebody in no more, anywhere, and sign them out everywhere."""
    with desk.db.write() as session:
        found = people.find_user(session, user)
        people.disable(session, found, datetime.now(UTC))
        sessions.sign_out_everywhere(session, found.id)
        sessions.forget_links(session, found.id)
        _note(session, found, "user.disabled")
        told = _told(session, found)
    show(told, as_json=as_json)


def _enabled(user: User) -> User:
    if user.disabled_at is not None:
        raise InvalidInput(f"{user.email} is disabled; an operator can enable them in the console")
    return user


def _link(session: Session, desk: Desk, user: User, path: str = "") -> str:
    token = sessions.new_link(session, user, datetime.now(UTC))
    return f"{desk.settings.base_url}/link/{token}" + (f"?next={quote(path)}" if path else "")


def _note(session: Session, user: User, action: str) -> None:
    for workspace_id in people.roles_of(session, user.id):
        audit.note(session, workspace_id, action, now=datetime.now(UTC), subject=user.id, email=user.email)


def _told(session: Session, user: User) -> dict[str, Any]:
    roles = people.roles_of(session, user.id)
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "roles": {workspace.name: roles[workspace.id].value for workspace in people.workspaces_of(session, user.id)},
        "created_at": moment(user.created_at),
        "seen_at": moment(user.seen_at),
        "disabled_at": moment(user.disabled_at),
    }
