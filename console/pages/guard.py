"""
Who asks, in which workspace, and may they: decided before any page runs.

A page says what it needs with `@needs(Role.SUPPORT)`, or that it is `@open_to_all`; one that says neither is not
registered. What posts to a page must carry its form's token.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask, Response, abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect  # type: ignore[import-untyped]

from console.hand import Hand
from console.site import Site
from vrio_klaviyo.store import people, sessions, tenancy
from vrio_klaviyo.store.db import Base, DatabaseError, Session
from vrio_klaviyo.store.people import Role, User
from vrio_klaviyo.store.sources import list_sources
from vrio_klaviyo.store.workspaces import Workspace

View = TypeVar("View", bound=Callable[..., Any])
Thing = TypeVar("Thing", bound=Base)

SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Visitor:
    """
    Somebody who is signed in, and the workspace that they look at.

    Shape:  zone is the one that times are shown in.
    """

    user: User
    session_id: str
    workspace: Workspace
    workspaces: tuple[Workspace, ...]
    role: Role
    roles: dict[str, Role]
    zone: tzinfo

    def may(self, needed: str) -> bool:
        """Whether their role in this workspace is enough: `visitor.may('support')`."""
        return self.role.may(Role(needed))

    @property
    def name(self) -> str:
        """What the menu calls them."""
        return self.user.name or self.user.email.partition("@")[0]


def needs(role: Role) -> Callable[[View], View]:
    """Only for members who have this role or a greater one; stands under the route."""

    def mark(view: View) -> View:
        view.needed_role = role  # type: ignore[attr-defined]
        return view

    return mark


def open_to_all(view: View) -> View:
    """Also for who is not signed in; stands under the route."""
    view.needed_role = None  # type: ignore[attr-defined]
    return view


def is_page(view: Callable[..., Any]) -> bool:
    """Whether the guard stands before this view."""
    return hasattr(view, "needed_role")


def visitor() -> Visitor:
    """Who asks. Only in a page that needs a role."""
    found = anybody()
    assert found is not None
    return found


def anybody() -> Visitor | None:
    """Who asks; None when nobody is signed in, or the database cannot say."""
    if "visitor" not in g:
        g.visitor = None
        try:
            g.visitor = _visitor(_site())
        except DatabaseError:
            # The page that tells of it asks once more, and is drawn for nobody.
            if request.endpoint:
                raise
    found: Visitor | None = g.visitor
    return found


def find(session: Session, model: type[Thing], thing_id: str) -> Thing:
    """
    The thing of that id in the workspace that the visitor looks at.

    Raises: NotFound, which is answered with 404: also for what is another workspace's.
    """
    return tenancy.find_in(session, visitor().workspace.id, model, thing_id)


def note(session: Session, action: str, subject: str = "", /, **details: Any) -> None:
    """Write into the audit log what the visitor does, in the transaction that does it."""
    hand().note(session, visitor().workspace.id, action, subject, **details)


def hand() -> Hand:
    """What the visitor steers with."""
    user = visitor().user
    return Hand(_site(), actor=user.email, user_id=user.id)


def let_in(response: Response, token: str, *, kept: bool) -> None:
    """Give the browser the cookie of a session."""
    response.set_cookie(
        cookie_name(),
        token,
        max_age=int(sessions.KEPT.total_seconds()) if kept else None,
        secure=_site().settings.tls,
        httponly=True,
        samesite="Lax",
        path="/",
    )


def let_out(response: Response) -> None:
    """Take the cookie of a session away."""
    response.delete_cookie(cookie_name(), secure=_site().settings.tls, httponly=True, samesite="Lax", path="/")


def cookie_name() -> str:
    """Over TLS browsers take a cookie of this prefix from this very host only."""
    return "__Host-console" if _site().settings.tls else "console"


def register(app: Flask, site: Site) -> None:
    """Stand before every page of this application."""
    app.extensions["site"] = site
    app.config.update(
        SESSION_COOKIE_NAME="__Host-form" if site.settings.tls else "form",
        SESSION_COOKIE_SECURE=site.settings.tls,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # A form is good as long as the browser that asked for it is open.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
    )
    csrf = CSRFProtect(app)

    @app.before_request
    def check() -> ResponseReturnValue | None:
        view = app.view_functions.get(request.endpoint or "")
        if view is None or not is_page(view):
            return None
        if request.method not in SAFE:
            csrf.protect()
        needed: Role | None = getattr(view, "needed_role")  # noqa: B009 (a function's type knows no marks)
        if needed is None:
            return None
        found = anybody()
        if found is None:
            return _to_the_door()
        if not found.role.may(needed):
            abort(403, f"This needs the role {needed}, and yours is {found.role}. Ask your operator.")
        return None


def _to_the_door() -> ResponseReturnValue:
    if request.headers.get("HX-Request"):
        # htmx: follows a redirect inside the page; this header makes the browser go.
        return Response(status=401, headers={"HX-Redirect": url_for("sign_in.form", next=_path_of_page())})
    asked = request.full_path.rstrip("?") if request.method in SAFE else ""
    return redirect(url_for("sign_in.form", next=asked if asked not in ("", "/") else None), 303)


def _path_of_page() -> str | None:
    return request.headers.get("HX-Current-URL", "").removeprefix(request.host_url.rstrip("/")) or None


def _visitor(site: Site) -> Visitor | None:
    token = request.cookies.get(cookie_name(), "")
    if not token:
        return None
    with site.db.read() as session:
        found = sessions.present(session, token, site.now())
        if found is None or not found.roles:
            return None
        workspaces = people.workspaces_of(session, found.user.id)
        workspace = next((one for one in workspaces if one.id == found.session.workspace_id), workspaces[0])
        zone = _zone(session, found.user, workspace.id)
    # A part of a page that refreshes itself is nobody at the keyboard.
    if not request.headers.get("HX-Request") and sessions.stale(found.session, site.now()):
        with site.db.write() as session:
            sessions.touch(session, found.session, site.now())
    return Visitor(
        user=found.user,
        session_id=found.session.id,
        workspace=workspace,
        workspaces=tuple(workspaces),
        role=found.roles[workspace.id],
        roles=found.roles,
        zone=zone,
    )


def _zone(session: Session, user: User, workspace_id: str) -> tzinfo:
    match user.clock:
        case "mine":
            name = user.time_zone
        case "account":
            # The merchant's Vrio account says it; where there are several the first one does.
            name = next((source.time_zone for source in list_sources(session, workspace_id)), "UTC")
        case _:
            name = "UTC"
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def account_key(email: str) -> str:
    """What tries for one account are counted under: no e-mail stands in Redis."""
    return "account:" + hashlib.sha256(email.strip().lower().encode("utf-8", "replace")).hexdigest()[:32]


def request_id() -> str:
    """What a person can tell us of a page, and the log knows too."""
    found: str = g.get("request_id", "")
    return found


def _site() -> Site:
    site: Site = current_app.extensions["site"]
    return site
