"""Users: who works in this workspace, and what each of them may do."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields, validate

from console.pages import guard
from console.pages.forms import Form, blank
from console.pages.guard import needs
from console.site import Site
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store import people, sessions
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.people import Role, User

ROLES = [role.value for role in Role]


class NewUserSchema(Schema):
    email = fields.String(required=True, error_messages={"required": "Enter an email."})
    name = fields.String(load_default="", validate=validate.Length(max=80, error="Use at most 80 characters."))
    role = fields.String(required=True, validate=validate.OneOf(ROLES, error="Choose a role."))


class RoleSchema(Schema):
    role = fields.String(required=True, validate=validate.OneOf(ROLES, error="Choose a role."))


def blueprint(site: Site) -> Blueprint:
    """`/users`."""
    routes = Blueprint("users", __name__, url_prefix="/users")

    @routes.get("")
    @needs(Role.OPERATOR)
    def index() -> ResponseReturnValue:
        return _list()

    @routes.post("")
    @needs(Role.OPERATOR)
    def add() -> ResponseReturnValue:
        filled = Form(NewUserSchema())
        link = ""
        if filled.valid:
            try:
                with site.db.write() as session:
                    user = people.add_user(session, filled.values["email"], filled.values["name"])
                    if guard.visitor().workspace.id in people.roles_of(session, user.id):
                        raise InvalidInput(f"{user.email} is a member already")
                    if user.disabled_at is not None:
                        raise InvalidInput(f"{user.email} is disabled")
                    people.set_role(session, user, guard.visitor().workspace.id, Role(filled.values["role"]))
                    guard.note(session, "user.added", user.id, email=user.email, role=filled.values["role"])
                    if user.password_hash is None and _steers(session, user):
                        link = sessions.new_link(session, user, site.now())
            except InvalidInput as error:
                filled.refuse(f"{error}.", "email")
            else:
                return _linked(user, link) if link else _done(f"{user.email} can work here now.")
        return _list(filled), filled.status

    @routes.get("/<user_id>")
    @needs(Role.OPERATOR)
    def show(user_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            member = people.find_member(session, guard.visitor().workspace.id, user_id)
            steers = _steers(session, member.user)
        return render_template("users/show.html", member=member, steers=steers, roles=ROLES, form=blank())

    @routes.post("/<user_id>/role")
    @needs(Role.OPERATOR)
    def change_role(user_id: str) -> ResponseReturnValue:
        filled = Form(RoleSchema())
        with site.db.write() as session:
            member = people.find_member(session, guard.visitor().workspace.id, user_id)
            if not filled.valid:
                raise InvalidInput(filled.errors["role"])
            people.set_role(session, member.user, guard.visitor().workspace.id, Role(filled.values["role"]))
            guard.note(session, "user.role_changed", user_id, before=member.role, after=filled.values["role"])
        return _done(f"{member.user.email} is {filled.values['role']} now.")

    @routes.post("/<user_id>/remove")
    @needs(Role.OPERATOR)
    def remove(user_id: str) -> ResponseReturnValue:
        with site.db.write() as session:
            member = people.find_member(session, guard.visitor().workspace.id, user_id)
            people.set_role(session, member.user, guard.visitor().workspace.id, None)
            guard.note(session, "user.removed", user_id, email=member.user.email, before=member.role)
        return _done(f"{member.user.email} no longer works here.")

    @routes.post("/<user_id>/link")
    @needs(Role.OPERATOR)
    def new_link(user_id: str) -> ResponseReturnValue:
        with site.db.write() as session:
            user = _steered(session, user_id)
            if user.disabled_at is not None:
                raise InvalidInput(f"{user.email} is disabled")
            link = sessions.new_link(session, user, site.now())
            guard.note(session, "user.link_made", user_id, email=user.email)
        return _linked(user, link)

    @routes.post("/<user_id>/disable")
    @needs(Role.OPERATOR)
    def disable(user_id: str) -> ResponseReturnValue:
        with site.db.write() as session:
            user = _steered(session, user_id)
            people.disable(session, user, site.now())
            sessions.sign_out_everywhere(session, user.id)
            sessions.forget_links(session, user.id)
            guard.note(session, "user.disabled", user_id, email=user.email)
        return _done(f"{user.email} cannot sign in any more.")

    @routes.post("/<user_id>/enable")
    @needs(Role.OPERATOR)
    def enable(user_id: str) -> ResponseReturnValue:
        with site.db.write() as session:
            user = _steered(session, user_id)
            user.disabled_at = None
            guard.note(session, "user.enabled", user_id, email=user.email)
        return _done(f"{user.email} can sign in again.")

    def _list(form: Form | None = None) -> str:
        with site.db.read() as session:
            members = people.members(session, guard.visitor().workspace.id)
        return render_template("users/index.html", members=members, roles=ROLES, form=form or blank(role="support"))

    def _linked(user: User, token: str) -> str:
        # Shown on the answer itself and nowhere kept: whoever has the link is that user.
        link = site.settings.base_url + url_for("sign_in.link", token=token)
        return render_template("users/link.html", user=user, link=link)

    return routes


def _steered(session: Session, user_id: str) -> User:
    user = people.find_member(session, guard.visitor().workspace.id, user_id).user
    if not _steers(session, user):
        raise InvalidInput(f"{user.email} also works in a workspace that you do not operate")
    return user


def _steers(session: Session, user: User) -> bool:
    """
    Whether the visitor may sign in as that user, which is what a link comes to, or lock them out.

    Only where they operate every workspace of that user: else they would get into a workspace of somebody else's.
    """
    operated = {workspace_id for workspace_id, role in guard.visitor().roles.items() if role is Role.OPERATOR}
    return set(people.roles_of(session, user.id)) <= operated


def _done(sentence: str) -> ResponseReturnValue:
    flash(sentence)
    return redirect(url_for("users.index"), 303)
