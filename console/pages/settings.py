"""Settings: the way to all that a workspace is set up with, in the words that merchants are told."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from console.pages.guard import needs
from console.site import Site
from vrio_klaviyo.store.people import Role


def blueprint(_site: Site) -> Blueprint:
    """`/settings`."""
    routes = Blueprint("settings", __name__, url_prefix="/settings")

    @routes.get("")
    @needs(Role.VIEWER)
    def index() -> ResponseReturnValue:
        return render_template("connections/settings_index.html")

    return routes
