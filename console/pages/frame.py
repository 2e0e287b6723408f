"""What stands around every page: the menu, the theme, the banners, the request's id, and the headers of the answer."""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, current_app, g, request, url_for

from console.cursors import Cursors
from console.pages import formats, guard
from console.pages.json_tree import tree
from console.site import Site
from vrio_klaviyo import VERSION
from vrio_klaviyo.store.connections import Connection, list_connections
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import DeliveryStatus
from vrio_klaviyo.store.listing import Wanted, count_of_deliveries
from vrio_klaviyo.store.paging import Place

HERE = Path(__file__).parents[1]
THEMES = ("light", "dark")

# Pico: its icons are data: images. Nothing on a page may run or draw that is not a file of ours.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    # Pages hold people's data: the browser's back button may show them, a proxy may not keep them.
    "Cache-Control": "private, no-store",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One word of the menu; `key` follows `g` on the keyboard, `also` are the other subjects that stand under it."""

    word: str
    endpoint: str
    key: str
    also: tuple[str, ...] = ()

    @property
    def subjects(self) -> tuple[str, ...]:
        """The blueprints: every page of theirs belongs to this entry."""
        return self.endpoint.partition(".")[0], *self.also


MENU = (
    Entry("Connections", "connections.index", "c"),
    Entry("Customers", "customers.index", "u"),
    Entry("Failed", "failed.index", "f", also=("replays",)),
    Entry("Health", "health.index", "h"),
    Entry("Catalogue", "catalogue.index", "e"),
    Entry("Settings", "settings.index", "s", also=("sources", "users", "tokens", "audit", "profile")),
)

# How many open things stand behind a word of the menu, by its endpoint: of one workspace, counted up to a bound.
COUNTS: dict[str, Callable[[Session, str], int]] = {}


@dataclass(frozen=True, slots=True)
class Banner:
    """One broken thing: a sentence, and where it is mended."""

    text: str
    url: str
    action: str


def register(app: Flask, site: Site) -> None:
    """Draw the frame around every page of this application."""
    app.register_blueprint(
        Blueprint(
            "frame",
            __name__,
            template_folder=str(HERE / "templates"),
            static_folder=str(HERE / "static"),
            static_url_path="/static",
        )
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(asset=asset, json_tree=tree, with_query=with_query, cursor_of=cursor_of)
    formats.register(app, site.now)

    @app.before_request
    def begin() -> None:
        g.request_id = secrets.token_hex(4)

    @app.context_processor
    def frame() -> dict[str, Any]:
        return {
            "visitor": guard.anybody(),
            "menu": [entry for entry in MENU if entry.endpoint in app.view_functions],
            "counts": lambda: _counts(site),
            "banners": lambda: list(_banners(site)),
            "theme": theme(),
            "zone_name": formats.zone_name,
            "request_id": guard.request_id(),
            "version": VERSION,
            "retention_days": site.settings.body_retention_days,
            "demo": urlsplit(site.settings.klaviyo_api_url).hostname in ("127.0.0.1", "localhost", "::1"),
            "exists": app.view_functions.__contains__,
        }

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["X-Request-Id"] = guard.request_id()
        if request.endpoint == "frame.static":
            response.headers["X-Content-Type-Options"] = "nosniff"
            # The address holds the file's hash.
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        elif response.mimetype == "text/html" or guard.is_page(app.view_functions.get(request.endpoint or "", frame)):
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            if site.settings.tls:
                response.headers["Strict-Transport-Security"] = "max-age=31536000"
                # Chromium: complains of it on a page that did not come over TLS.
                response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        return response


def theme() -> str:
    """The theme that the visitor chose; "" when the browser decides."""
    chosen = request.cookies.get("theme", "")
    return chosen if chosen in THEMES else ""


def place() -> Place | None:
    """
    The place in a list that this address names; None is the newest.

    Raises: InvalidInput for one that is not ours.
    """
    return _cursors().place(request.args.get("cursor"))


def cursor_of(place: Place | None) -> str | None:
    """What names a place in an address."""
    return _cursors().written(place)


def _cursors() -> Cursors:
    return Cursors(str(current_app.secret_key))


def asset(name: str) -> str:
    """The address of a file of ours, which changes with it."""
    return url_for("frame.static", filename=name, v=_fingerprint(name))


@cache
def _fingerprint(name: str) -> str:
    return hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]


def with_query(**changes: Any) -> str:
    """This page's address with some of its query changed; None takes a part out."""
    query = {name: request.args.getlist(name) for name in request.args}
    query |= {name: [] if value is None else [str(value)] for name, value in changes.items()}
    values: dict[str, Any] = {name: value for name, value in query.items() if value}
    return url_for(request.endpoint or "", **(request.view_args or {}), **values)


def _counts(site: Site) -> dict[str, int]:
    by = guard.anybody()
    if by is None or not COUNTS or g.get("failing"):
        return {}
    with site.db.read() as session:
        return {endpoint: count(session, by.workspace.id) for endpoint, count in COUNTS.items()}


def _banners(site: Site) -> Iterator[Banner]:
    """A line for each connection that sends nothing because of its key."""
    by = guard.anybody()
    if by is None or g.get("failing"):
        return
    with site.db.read() as session:
        broken = [one for one in list_connections(session, by.workspace.id) if one.status == "key_rejected"]
        held = {connection.id: _held(session, connection) for connection in broken}
    for connection in broken:
        since = f" {formats.ago((site.now() - connection.checked_at).total_seconds())}" if connection.checked_at else ""
        url = ""
        if "connections.show" in current_app.view_functions:
            url = url_for("connections.show", connection_id=connection.id)
        text = f"{connection.name}: key rejected by Klaviyo{since}. {held[connection.id]} held."
        yield Banner(text, url, "Fix key")


def _held(session: Session, connection: Connection) -> str:
    wanted = Wanted(status=[DeliveryStatus.HELD], connections=[connection.id])
    count = count_of_deliveries(session, connection.workspace_id, wanted)
    return "Many deliveries" if count is None else f"{count} {'delivery' if count == 1 else 'deliveries'}"
