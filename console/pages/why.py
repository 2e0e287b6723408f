"""Why didn't it arrive? The published page's five checks for one e-mail address, and where each is put right."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console import steering
from console.pages import guard
from console.pages.guard import needs
from console.site import Site
from vrio_klaviyo.diagnosing import diagnose
from vrio_klaviyo.store.connections import list_connections
from vrio_klaviyo.store.people import Role

# Klaviyo answers one such question a second.
ASKED_LATELY = timedelta(minutes=1)

# What a check or a clue names as the place, and the page that it is.
_PAGES = {
    "connection": ("connections.show", "connection_id"),
    "source": ("sources.show", "source_id"),
    "delivery": ("customers.request", "delivery_id"),
    "webhook": ("customers.received", "inbound_id"),
    "customer": ("customers.show", "customer_id"),
    "webhooks": ("customers.all_received", "status"),
}
_NEW = {"connections:new": "connections.new", "sources:new": "sources.new", "health": "health.index"}

WORDS = {
    "connection": "Open the connection",
    "source": "Open the source",
    "delivery": "Open the request",
    "webhook": "Open the webhook",
    "customer": "Open the customer",
    "webhooks": "Show them",
    "connections": "New connection",
    "sources": "New source",
    "health": "Open Health",
}


def add_to(routes: Blueprint, site: Site) -> None:
    """`/why`."""
    routes.add_app_template_global(link_of_target, "link_of_target")
    routes.add_app_template_global(word_of_target, "word_of_target")

    @routes.get("/why", endpoint="why")
    @needs(Role.VIEWER)
    def ask() -> ResponseReturnValue:
        email = request.args.get("email", "").strip()
        found = None
        if email:
            with site.db.read() as session:
                found = diagnose(session, guard.visitor().workspace.id, email)
        return render_template("customers/why.html", asked=email, found=found)

    @routes.post("/why", endpoint="ask_klaviyo")
    @needs(Role.SUPPORT)
    def ask_klaviyo() -> ResponseReturnValue:
        now, here = site.now(), guard.visitor().workspace.id
        with site.db.read() as session:
            connections = list_connections(session, here)
        for connection in connections:
            if connection.checked_at is None or connection.checked_at < now - ASKED_LATELY:
                steering.verify(guard.hand(), connection)
        flash("Klaviyo was asked about the keys.")
        return redirect(url_for("customers.why", email=request.form.get("email", "")), 303)


def link_of_target(target: str) -> str:
    """The address of what a check or a clue names, such as `connection:ID:settings`; "" when there is no such page."""
    kind, _, rest = target.partition(":")
    thing, _, part = rest.partition(":")
    endpoint, argument = _PAGES.get(kind, (_NEW.get(target, ""), ""))
    if endpoint not in current_app.view_functions:
        return ""
    if not argument:
        return url_for(endpoint)
    named: dict[str, Any] = {argument: thing}
    return url_for(endpoint, **named, _anchor=part or None)


def word_of_target(target: str) -> str:
    """What the link to it says."""
    return WORDS.get(target.partition(":")[0], "Open")
