"""The audit log of a workspace."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console.pages import frame, guard
from console.pages.guard import needs
from console.site import Site
from vrio_klaviyo.store.journals import page_of_entries
from vrio_klaviyo.store.people import Role

# Where a thing of each kind is shown, by how its id begins.
THINGS = {
    "cn": lambda thing: url_for("connections.show", connection_id=thing),
    "so": lambda thing: url_for("sources.show", source_id=thing),
    "rp": lambda thing: url_for("replays.show", replay_id=thing),
}


def blueprint(site: Site) -> Blueprint:
    """`/audit`."""
    routes = Blueprint("audit", __name__, url_prefix="/audit")

    @routes.get("")
    @needs(Role.MANAGER)
    def index() -> ResponseReturnValue:
        action, actor, subject = asked = [request.args.get(name, "").strip() for name in ("action", "actor", "subject")]
        here, place = guard.visitor().workspace.id, frame.place()
        with site.db.read() as session:
            page = page_of_entries(session, here, action=action, actor=actor, subject=subject, place=place)
        return render_template("audit.html", page=page, filtered=any(asked), things=THINGS)

    return routes
