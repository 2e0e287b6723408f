"""`/`, and what a visitor sets for themselves on any page: workspace, theme, the zone of times."""

from urllib.parse import urlsplit

from flask import Blueprint, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console.pages import guard
from console.pages.frame import MENU, THEMES
from console.pages.guard import needs, open_to_all
from console.pages.sign_in import own_path
from console.site import Site
from vrio_klaviyo.errors import InvalidInput, NotFound
from vrio_klaviyo.store import people, sessions
from vrio_klaviyo.store.people import Role

A_YEAR_S = 365 * 24 * 3600
CLOCKS = ("account", "mine", "utc")


def blueprint(site: Site) -> Blueprint:
    """`/`, `/workspace`, `/theme`, `/clock`, `/keyboard`."""
    routes = Blueprint("home", __name__)

    @routes.get("/")
    @needs(Role.VIEWER)
    def index() -> ResponseReturnValue:
        first = next((entry for entry in MENU if entry.endpoint in current_app.view_functions), None)
        return redirect(url_for(first.endpoint if first else "profile.show"), 303)

    @routes.post("/workspace")
    @needs(Role.VIEWER)
    def workspace() -> ResponseReturnValue:
        asked = request.form.get("workspace", "")
        if asked not in guard.visitor().roles:
            raise NotFound(f"no workspace has the id {asked}")
        with site.db.write() as session:
            sessions.switch_workspace(session, guard.visitor().session_id, asked)
        # The page that they come from shows things of the other workspace.
        return redirect(url_for("home.index"), 303)

    @routes.post("/theme")
    @open_to_all
    def theme() -> ResponseReturnValue:
        asked = request.form.get("theme", "")
        response = make_response(redirect(_back(), 303))
        if asked in THEMES:
            response.set_cookie("theme", asked, max_age=A_YEAR_S, secure=site.settings.tls, samesite="Lax")
        else:
            response.delete_cookie("theme", secure=site.settings.tls, samesite="Lax")
        return response

    @routes.post("/clock")
    @needs(Role.VIEWER)
    def clock() -> ResponseReturnValue:
        asked = request.form.get("clock", "")
        if asked not in CLOCKS:
            raise InvalidInput("times are shown in the zone of the account, in yours or in UTC")
        with site.db.write() as session:
            people.find_user(session, guard.visitor().user.id).clock = asked
        return redirect(_back(), 303)

    @routes.get("/keyboard")
    @needs(Role.VIEWER)
    def keyboard() -> ResponseReturnValue:
        return render_template("keyboard.html")

    return routes


def _back() -> str:
    """The page that the visitor comes from."""
    parts = urlsplit(request.referrer or "")
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return path if parts.netloc == request.host and own_path(path) else url_for("home.index")
