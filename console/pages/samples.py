"""Samples: webhooks that come with the product, posted to ourselves as Vrio would post them."""

import json
from functools import cache
from pathlib import Path

from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.test import EnvironBuilder, run_wsgi_app

from console.pages import guard
from console.pages.guard import needs
from console.site import Site
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store.people import Role
from vrio_klaviyo.store.sources import Source, webhook_path

SAMPLES = Path(__file__).parents[2] / "sandbox" / "samples"


def add_routes(routes: Blueprint, site: Site) -> None:
    """`/sources/<source_id>/sample`."""

    @routes.post("/<source_id>/sample")
    @needs(Role.MANAGER)
    def sample(source_id: str) -> ResponseReturnValue:
        name = request.form.get("sample", "")
        with site.db.write() as session:
            source = guard.find(session, Source, source_id)
            if name not in names():
                raise InvalidInput(f"no sample is called {name[:80]}")
            guard.note(session, "source.sample_sent", source_id, sample=name)
        status, told = post(webhook_path(source, site.vault), (SAMPLES / f"{name}.json").read_bytes())
        if status == 200:
            flash("This sample had come in before, so nothing follows from it again.")
        elif status == 202:
            flash("The sample was received. What follows from it stands below in a moment.")
        else:
            flash(f"The sample was not received: {told.get('error', status)}", "bad")
        return redirect(url_for("sources.show", source_id=source_id, _anchor="newest"), 303)


@cache
def names() -> dict[str, str]:
    """The samples, each with a word for people."""
    found = sorted(path.stem for path in SAMPLES.glob("*.json"))
    return {name: name.replace("_", " ").capitalize() for name in found}


def post(path: str, body: bytes) -> tuple[int, dict[str, object]]:
    """
    Post a webhook to this very application, by its front door: what was answered, as status and JSON.

    Shape:  without the network, because nobody but the operator knows at which address we can reach ourselves, and a
            server that waits for itself may have no thread left to answer with.
    """
    builder = EnvironBuilder(path=path, method="POST", data=body, content_type="application/json")
    try:
        parts, status, _ = run_wsgi_app(current_app.wsgi_app, builder.get_environ(), buffered=True)
    finally:
        builder.close()
    try:
        told = json.loads(b"".join(parts))
    except ValueError:
        told = {}
    return int(status.split()[0]), told if isinstance(told, dict) else {}
