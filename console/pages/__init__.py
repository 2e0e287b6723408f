"""
The console's pages, drawn on the server. How a page is written:

1. One module per subject in this folder, with `def blueprint(site: Site) -> Blueprint`. `site` holds all that a page
   may need (settings, db, vault, http, bells, now, limiter). The module is named in PAGES below; its word in the menu
   stands in `frame.MENU` already, or is added there.
2. Each view says who may see it, under the route: `@needs(Role.SUPPORT)` (see `guard.py`). `guard.visitor()` is who
   asks: `.workspace.id`, `.role`, `.may("manager")`, `.zone`. A view that says nothing keeps the product from starting.
3. An id from the address becomes a row by `guard.find(session, Delivery, delivery_id)` and in no other way, and a list
   is asked for by `guard.visitor().workspace.id`: what is another workspace's is 404. Arguments of routes are named
   after the thing: `<delivery_id>`; tests/console/pages/test_workspaces.py tries each with another workspace's id.
4. Reading is GET and holds its whole state in the address: filters are GET forms, a place in a list is `?cursor=`
   (`frame.place()`). Changing is POST, answers 303, tells what it did by `flash("…")`, and writes it down by
   `guard.note(session, "connection.paused", connection.id, before=…)` in the same transaction. Never a key in it.
5. What was typed goes through a marshmallow schema: `form = Form(ConnectionSchema())`; when it is not `form.valid` the
   page is drawn again with `form.status`, and `macros/forms.html` puts the sentences where they belong.
   `NotFound` and `InvalidInput` that nobody catches are answered with a 404 and a 400 page.
6. Templates extend `frame.html` and fill the blocks `title`, `crumbs`, `content`; what looks alike comes from
   `templates/macros/`. Personal data goes through a filter (`|email`, `|phone`, `|person`), which masks it for viewers;
   bodies are for `support` and above. Times: `|moment`; money: `|money(currency)`. No inline script, style or handler:
   the browser would refuse it. Without JavaScript everything works; `macros/live.html` only saves the reload.
7. No transaction spans a network call; no SQL here, only functions of `vrio_klaviyo.store`.
"""

from collections.abc import Sequence
from typing import Any

from flask import Flask

from console.pages import (
    audit,
    catalogue,
    connections,
    customers,
    errors,
    failed,
    frame,
    guard,
    health,
    home,
    profile,
    replays,
    settings,
    sign_in,
    sources,
    tokens,
    users,
)
from console.site import Site

PAGES = (
    sign_in,
    home,
    profile,
    users,
    audit,
    catalogue,
    customers,
    health,
    failed,
    replays,
    tokens,
    settings,
    connections,
    sources,
)


def register(app: Flask, site: Site, modules: Sequence[Any] = PAGES) -> None:
    """
    Make the pages known to the application, and what stands around and before them.

    Raises: TypeError for a view that does not say who may see it.
    """
    frame.register(app, site)
    guard.register(app, site)
    site.limiter.init_app(app)
    errors.register(app)
    for module in modules:
        routes = module.blueprint(site)
        app.register_blueprint(routes)
        for endpoint, view in app.view_functions.items():
            if endpoint.startswith(f"{routes.name}.") and not guard.is_page(view):
                raise TypeError(f"{endpoint} does not say who may see it")
