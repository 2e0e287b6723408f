"""Sign in and out: by e-mail and password, or by a one-time link."""

import time
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask import session as form_session
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from marshmallow import Schema, fields

from console import passwords
from console.pages import guard
from console.pages.forms import Form, blank
from console.pages.guard import open_to_all
from console.site import Site
from vrio_klaviyo import log
from vrio_klaviyo.store import audit, people, sessions
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.people import User

PER_ACCOUNT, PER_ADDRESS = "5 per minute", "20 per minute"
WRONG = "Email or password is wrong."
NO_WORKSPACE = "This account belongs to no workspace. Ask your operator."


class SignInSchema(Schema):
    email = fields.String(required=True, error_messages={"required": "Enter your email."})
    password = fields.String(required=True, error_messages={"required": "Enter your password."})
    keep = fields.Boolean(load_default=False)


class LinkSchema(Schema):
    new_password = fields.String(load_default="")
    keep = fields.Boolean(load_default=False)


def blueprint(site: Site) -> Blueprint:
    """`/sign-in`, `/sign-out`, `/link/<token>`."""
    routes = Blueprint("sign_in", __name__)

    @routes.get("/sign-in")
    @open_to_all
    def form() -> ResponseReturnValue:
        if guard.anybody() is not None:
            return redirect(_next())
        return render_template("sign_in.html", form=blank(), next=request.args.get("next", ""))

    @routes.post("/sign-in")
    @open_to_all
    @site.limiter.limit(PER_ADDRESS)
    @site.limiter.limit(PER_ACCOUNT, key_func=lambda: guard.account_key(request.form.get("email", "")))
    def submit() -> ResponseReturnValue:
        filled = Form(SignInSchema())
        if filled.valid:
            with site.db.read() as session:
                user = people.known(session, filled.values["email"])
            # Outside of any transaction, and also when there is no such user: it takes a while.
            if passwords.matches(user.password_hash if user else None, filled.values["password"]):
                assert user is not None
                if answer := _let_in(user, kept=filled.values["keep"]):
                    return answer
                filled.refuse(NO_WORKSPACE)
            else:
                _note_failure(user)
                filled.refuse(WRONG)
        return render_template("sign_in.html", form=filled, next=request.args.get("next", "")), filled.status

    @routes.errorhandler(RateLimitExceeded)
    def too_many(_error: RateLimitExceeded) -> ResponseReturnValue:
        limit = site.limiter.current_limit
        seconds = max(1, int(limit.reset_at - time.time()) + 1) if limit else 60
        log.warning("auth.limited")
        filled = Form()
        filled.refuse(f"Too many tries. Try again in {seconds} seconds.")
        page = render_template("sign_in.html", form=filled, next=request.args.get("next", ""))
        return page, 429, {"Retry-After": str(seconds)}

    @routes.post("/sign-out")
    @open_to_all
    def out() -> ResponseReturnValue:
        by = guard.anybody()
        if by is not None:
            with site.db.write() as session:
                sessions.sign_out(session, by.session_id)
                guard.note(session, "user.signed_out", by.user.id)
        form_session.clear()
        response = make_response(redirect(url_for("sign_in.form"), 303))
        guard.let_out(response)
        return response

    @routes.get("/link/<token>")
    @open_to_all
    def link(token: str) -> ResponseReturnValue:
        # Looking uses nothing up: programs that preview links look, too.
        with site.db.read() as session:
            user = sessions.user_of_link(session, token, site.now())
        if user is None:
            return render_template("link_gone.html"), 404
        return render_template("link.html", form=blank(), user=user, token=token, next=request.args.get("next", ""))

    @routes.post("/link/<token>")
    @open_to_all
    @site.limiter.limit(PER_ADDRESS)
    def use_link(token: str) -> ResponseReturnValue:
        filled = Form(LinkSchema())
        with site.db.read() as session:
            user = sessions.user_of_link(session, token, site.now())
        if user is None:
            return render_template("link_gone.html"), 404
        chosen = filled.values.get("new_password", "")
        if chosen and (complaint := passwords.complaint(chosen, user.email)):
            filled.refuse(complaint, "new_password")
        if filled.valid:
            kept = passwords.hashed(chosen) if chosen else None
            if answer := _let_in(user, kept=filled.values["keep"], link=token, password_hash=kept):
                return answer
            filled.refuse(NO_WORKSPACE)
        again = render_template("link.html", form=filled, user=user, token=token, next=request.args.get("next", ""))
        return again, filled.status

    def _let_in(
        user: User, *, kept: bool, link: str | None = None, password_hash: str | None = None
    ) -> ResponseReturnValue | None:
        """Sign the user in; None when they may not be."""
        now = site.now()
        with site.db.write() as session:
            user = people.find_user(session, user.id)
            roles = people.roles_of(session, user.id)
            if user.disabled_at is not None or not roles:
                return None
            if link is not None and sessions.use_link(session, link, now) is None:
                return render_template("link_gone.html"), 404
            if password_hash is not None:
                user.password_hash = password_hash
                sessions.sign_out_everywhere(session, user.id)
            token = sessions.sign_in(
                session,
                user,
                now,
                kept=kept,
                agent=request.headers.get("User-Agent", ""),
                address=request.remote_addr or "",
            )
            how = {"by": "link" if link else "password"} | ({"password": "changed"} if password_hash else {})
            _note(session, user, "user.signed_in", **how)
        # What the form's token was before is nobody's any more.
        form_session.clear()
        response: Response = make_response(redirect(_next(), 303))
        guard.let_in(response, token, kept=kept)
        return response

    def _note(session: Session, user: User, action: str, **details: str) -> None:
        for workspace_id in people.roles_of(session, user.id):
            audit.note(
                session,
                workspace_id,
                action,
                now=site.now(),
                subject=user.id,
                user_id=user.id,
                actor=user.email,
                **details,
            )

    def _note_failure(user: User | None) -> None:
        log.warning("auth.failed", user=user.id if user else None, request_id=guard.request_id())
        if user is not None:
            with site.db.write() as session:
                _note(session, user, "user.sign_in_failed")

    return routes


def _next() -> str:
    """Where the visitor wanted to go, if that is here."""
    asked = request.args.get("next", "")
    return asked if own_path(asked) else url_for("home.index")


def own_path(asked: str) -> bool:
    """Whether this is a path of ours, and no other site in disguise."""
    # Browsers: take a backslash for a slash, and leave out tabs and line ends.
    if not asked.startswith("/") or asked.startswith(("//", "/\\")) or not asked.isprintable() or "\\" in asked:
        return False
    try:
        parts = urlsplit(asked)
    except ValueError:
        return False
    return not (parts.scheme or parts.netloc)
