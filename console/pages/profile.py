"""The visitor's own page: name, zone, keys, password, and where they are signed in."""

from functools import cache
from zoneinfo import available_timezones

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from marshmallow import Schema, ValidationError, fields, validate

from console import passwords
from console.pages import guard
from console.pages.forms import Form, blank
from console.pages.guard import needs
from console.site import Site
from vrio_klaviyo.store import people, sessions
from vrio_klaviyo.store.people import Role, User


@cache
def zones() -> list[str]:
    """The names of all places that have a zone, and UTC."""
    return [*sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")), "UTC"]


def _zone(name: str) -> None:
    if name not in zones():
        raise ValidationError("Choose a zone from the list.")


class ProfileSchema(Schema):
    name = fields.String(load_default="", validate=validate.Length(max=80, error="Use at most 80 characters."))
    time_zone = fields.String(required=True, validate=_zone)
    clock = fields.String(required=True, validate=validate.OneOf(("account", "mine", "utc"), error="Choose one."))
    shortcuts = fields.Boolean(load_default=False)


class PasswordSchema(Schema):
    current_password = fields.String(load_default="")
    new_password = fields.String(required=True, error_messages={"required": "Enter a new password."})


def blueprint(site: Site) -> Blueprint:
    """`/profile`, `/sessions`."""
    routes = Blueprint("profile", __name__)

    @routes.get("/profile")
    @needs(Role.VIEWER)
    def show() -> ResponseReturnValue:
        return _page(_filled(guard.visitor().user))

    @routes.post("/profile")
    @needs(Role.VIEWER)
    def change() -> ResponseReturnValue:
        filled = Form(ProfileSchema())
        if not filled.valid:
            return _page(filled), filled.status
        with site.db.write() as session:
            user = people.find_user(session, guard.visitor().user.id)
            user.name = " ".join(filled.values["name"].split())
            user.time_zone, user.clock = filled.values["time_zone"], filled.values["clock"]
            user.shortcuts = filled.values["shortcuts"]
        flash("Saved.")
        return redirect(url_for("profile.show"), 303)

    @routes.post("/profile/password")
    @needs(Role.VIEWER)
    @site.limiter.limit("5 per minute", key_func=lambda: guard.account_key(guard.visitor().user.email))
    def change_password() -> ResponseReturnValue:
        filled, by = Form(PasswordSchema()), guard.visitor()
        kept = by.user.password_hash
        # Who came by a link and never had one has nothing to repeat.
        if kept is not None and not passwords.matches(kept, filled.values.get("current_password", "")):
            filled.refuse("This is not your password.", "current_password")
        complaint = passwords.complaint(filled.values.get("new_password", ""), by.user.email)
        if complaint and "new_password" not in filled.errors:
            filled.refuse(complaint, "new_password")
        if not filled.valid:
            return _page(_filled(by.user), filled), filled.status
        chosen = passwords.hashed(filled.values["new_password"])
        with site.db.write() as session:
            people.find_user(session, by.user.id).password_hash = chosen
            sessions.sign_out_everywhere(session, by.user.id, but=by.session_id)
            sessions.forget_links(session, by.user.id)
            guard.note(session, "user.password_changed", by.user.id)
        flash("Your password is changed, and you are signed out everywhere else.")
        return redirect(url_for("profile.show"), 303)

    @routes.get("/sessions")
    @needs(Role.VIEWER)
    def list_sessions() -> ResponseReturnValue:
        with site.db.read() as session:
            found = sessions.sessions_of(session, guard.visitor().user.id, site.now())
        return render_template("sessions.html", sessions=found)

    @routes.post("/sessions/<session_id>/end")
    @needs(Role.VIEWER)
    def end(session_id: str) -> ResponseReturnValue:
        with site.db.write() as session:
            sessions.find_session(session, guard.visitor().user.id, session_id)
            sessions.sign_out(session, session_id)
            guard.note(session, "user.signed_out", guard.visitor().user.id, ended=session_id)
        flash("That browser is signed out.")
        return redirect(url_for("profile.list_sessions"), 303)

    @routes.post("/sessions/end-all")
    @needs(Role.VIEWER)
    def end_all() -> ResponseReturnValue:
        by = guard.visitor()
        with site.db.write() as session:
            count = sessions.sign_out_everywhere(session, by.user.id, but=by.session_id)
            guard.note(session, "user.signed_out_everywhere", by.user.id, sessions=count)
        flash("You are signed out everywhere but here.")
        return redirect(url_for("profile.list_sessions"), 303)

    def _page(form: Form, password_form: Form | None = None) -> str:
        return render_template(
            "profile.html",
            form=form,
            password_form=password_form or blank(),
            zones=zones(),
            has_password=guard.visitor().user.password_hash is not None,
        )

    return routes


def _filled(user: User) -> Form:
    shortcuts = {"shortcuts": "on"} if user.shortcuts else {}
    return blank(name=user.name, time_zone=user.time_zone, clock=user.clock, **shortcuts)
