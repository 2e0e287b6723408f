"""A test event: sent through a connection to see that it works, and what came of it."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from console import explaining, steering
from console.pages import guard
from console.pages.connection_head import about_connection
from console.pages.forms import Form, blank
from console.pages.guard import needs
from console.schemas.connections import TestEventSchema
from console.site import Site
from vrio_klaviyo.errors import InvalidInput, NotFound, Refused
from vrio_klaviyo.klaviyo.curl import as_curl
from vrio_klaviyo.store.attempts import Attempt, attempts_of_deliveries
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import TEST_ID, Delivery, DeliveryStatus
from vrio_klaviyo.store.people import Role
from vrio_klaviyo.store.sources import list_sources
from vrio_klaviyo.trying_out import METRICS_TO_TRY

UNDER_WAY = (DeliveryStatus.QUEUED, DeliveryStatus.RETRYING)


def add_routes(routes: Blueprint, site: Site) -> None:
    """`/connections/<connection_id>/test`, and the event that was sent under it."""

    @routes.get("/<connection_id>/test")
    @needs(Role.MANAGER)
    def trial(connection_id: str) -> ResponseReturnValue:
        return _form(connection_id, blank(event=METRICS_TO_TRY[0], mark="on"))

    @routes.post("/<connection_id>/test")
    @needs(Role.MANAGER)
    def try_out(connection_id: str) -> ResponseReturnValue:
        form = Form(TestEventSchema())
        with site.db.read() as session:
            connection = guard.find(session, Connection, connection_id)
        sent = _sent(connection, form) if form.valid else None
        if sent is None:
            return _form(connection_id, form), form.status
        return redirect(url_for("connections.tried", connection_id=connection_id, delivery_id=sent.id), 303)

    @routes.get("/<connection_id>/test/<delivery_id>")
    @needs(Role.MANAGER)
    def tried(connection_id: str, delivery_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            about = about_connection(session, connection_id)
            delivery = guard.find(session, Delivery, delivery_id)
            if delivery.connection_id != connection_id:
                raise NotFound(f"{delivery_id} was sent through another connection")
            # What was sent of a customer is shown, and noted, elsewhere.
            is_test = delivery.unique_id.startswith(f"{TEST_ID}_")
            attempts = attempts_of_deliveries(session, [delivery_id]) if is_test else []
        return render_template(
            "connections/tried.html",
            **about,
            delivery=delivery,
            attempts=attempts,
            under_way=delivery.status in UNDER_WAY,
            why=explaining.explained(delivery.status, delivery.cause),
            curl=_curl,
        )

    def _sent(connection: Connection, form: Form) -> Delivery | None:
        told = form.values
        try:
            return steering.try_out(guard.hand(), connection, told["event"], told["email"], marked=told["mark"])
        except InvalidInput:
            form.refuse("Klaviyo does not take this email address.", "email")
        except Refused:
            form.refuse("Add a source first: a test event stands beside the webhooks of a source.")
        return None

    def _form(connection_id: str, form: Form) -> str:
        with site.db.read() as session:
            about = about_connection(session, connection_id)
            has_source = bool(list_sources(session, guard.visitor().workspace.id))
        return render_template(
            "connections/trial.html", **about, form=form, metrics=METRICS_TO_TRY, has_source=has_source
        )


def _curl(attempt: Attempt) -> str:
    return as_curl(attempt.method, attempt.url, attempt.request_headers, attempt.request_body)
