"""One request to Klaviyo: what happened to it, its three bodies, what changed from try to try, and sending it again."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields, validate

from console.pages import guard, resending, revealing
from console.pages.differences import Difference, difference
from console.pages.forms import Form
from console.pages.guard import needs
from console.pages.json_tree import LARGEST
from console.pages.orders_told import order_told
from console.pages.timeline import timeline
from console.site import Site
from vrio_klaviyo.errors import Refused
from vrio_klaviyo.klaviyo.curl import as_curl
from vrio_klaviyo.sending_again import send_again
from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import Customer
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus, deliveries_of_inbound
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.journals import page_of_entries
from vrio_klaviyo.store.listing import attempts_of
from vrio_klaviyo.store.people import Role

AGAIN_SAME, AGAIN_BUILT = "same", "built"
STANDING = (DeliveryStatus.ACCEPTED, DeliveryStatus.FAILED, DeliveryStatus.SKIPPED)


class ResendSchema(Schema):
    """How it is sent again."""

    body = fields.String(load_default=AGAIN_SAME, validate=validate.OneOf([AGAIN_SAME, AGAIN_BUILT]))
    despite_pause = fields.Boolean(load_default=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """
    The bodies of one attempt, for who asked to see them.

    Shape:  changed is against the attempt before, None for the first one. curl is "" where there is no such line, and
            then no_curl says why.
    """

    webhook: bytes
    attempt: Attempt | None
    changed: Difference | None = None
    curl: str = ""
    no_curl: str = ""


def add_to(routes: Blueprint, site: Site) -> None:
    """`/requests`."""

    @routes.get("/requests/<delivery_id>", endpoint="request")
    @needs(Role.VIEWER)
    def show(delivery_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            delivery = guard.find(session, Delivery, delivery_id)
            connection = guard.find(session, Connection, delivery.connection_id)
            inbound = guard.find(session, InboundEvent, delivery.inbound_event_id)
            customer = guard.find(session, Customer, delivery.customer_id) if delivery.customer_id else None
            attempts = attempts_of(session, [delivery.id])
            chosen = _chosen(attempts)
            siblings = deliveries_of_inbound(session, [inbound.id])
            order = order_told(session, inbound.source_id, delivery.unique_id)
            resent = page_of_entries(
                session, guard.visitor().workspace.id, action=resending.RESENT, subject=delivery.id, limit=200
            ).rows
            revealed = revealing.is_revealed(delivery.id) and delivery.bodies_removed_at is None
            shown = _shown(session, inbound, attempts, chosen) if revealed else None
        return render_template(
            "customers/request.html",
            delivery=delivery,
            connection=connection,
            inbound=inbound,
            customer=customer,
            attempts=attempts,
            chosen=chosen,
            siblings=siblings,
            order=order,
            shown=shown,
            steps=timeline(delivery, inbound, attempts, siblings, resent),
            raw=request.args.get("view") == "raw",
            plain=request.args.get("changes") == "no",
            standing=delivery.status in STANDING,
            link=site.settings.base_url + url_for("customers.request", delivery_id=delivery.id),
            largest=LARGEST,
        )

    @routes.post("/requests/<delivery_id>/reveal")
    @needs(Role.SUPPORT)
    def reveal(delivery_id: str) -> ResponseReturnValue:
        with site.db.write() as session:
            delivery = guard.find(session, Delivery, delivery_id)
            revealing.reveal(session, delivery.id)
        kept: dict[str, Any] = {name: request.form[name] for name in ("attempt", "view") if request.form.get(name)}
        return redirect(url_for("customers.request", delivery_id=delivery_id, **kept, _anchor="bodies"), 303)

    @routes.get("/requests/<delivery_id>/webhook")
    @needs(Role.SUPPORT)
    def download_webhook(delivery_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            delivery = guard.find(session, Delivery, delivery_id)
            inbound = guard.find(session, InboundEvent, delivery.inbound_event_id)
        if not revealing.is_revealed(delivery.id):
            return redirect(url_for("customers.request", delivery_id=delivery.id), 303)
        return file_of(inbound.body, f"{inbound.id}.json")

    @routes.get("/requests/<delivery_id>/attempts/<attempt_id>/sent")
    @needs(Role.SUPPORT)
    def download_sent(delivery_id: str, attempt_id: str) -> ResponseReturnValue:
        return _downloaded(site, delivery_id, attempt_id, answer=False)

    @routes.get("/requests/<delivery_id>/attempts/<attempt_id>/answered")
    @needs(Role.SUPPORT)
    def download_answered(delivery_id: str, attempt_id: str) -> ResponseReturnValue:
        return _downloaded(site, delivery_id, attempt_id, answer=True)

    @routes.get("/requests/<delivery_id>/resend")
    @needs(Role.SUPPORT)
    def resend(delivery_id: str) -> ResponseReturnValue:
        return _dialog(site, delivery_id, Form(typed={"body": AGAIN_SAME}))

    @routes.post("/requests/<delivery_id>/resend")
    @needs(Role.SUPPORT)
    def send(delivery_id: str) -> ResponseReturnValue:
        form = Form(ResendSchema())
        if not form.valid:
            return _dialog(site, delivery_id, form)
        built, despite_pause = form.values["body"] == AGAIN_BUILT, form.values["despite_pause"]
        try:
            with site.db.write() as session:
                delivery = guard.find(session, Delivery, delivery_id)
                connection = send_again(session, delivery.id, site.now(), rebuild=built, despite_pause=despite_pause)
                guard.note(session, resending.RESENT, delivery.id, rebuild=built, despite_pause=despite_pause)
        except Refused as error:
            form.refuse(str(error))
            return _dialog(site, delivery_id, form, status=409)
        site.bells.ring("lane", connection.account_id)
        flash("It is on its way: one more attempt, which appears below.")
        return redirect(url_for("customers.request", delivery_id=delivery_id), 303)


def _chosen(attempts: list[Attempt]) -> Attempt | None:
    """The attempt that the address names; the last one when it names none. 404 when there is no such one."""
    asked = request.args.get("attempt", "")
    if not asked:
        return attempts[-1] if attempts else None
    found = next((attempt for attempt in attempts if str(attempt.number) == asked), None)
    return found or abort(404)


def _shown(session: Session, inbound: InboundEvent, attempts: list[Attempt], chosen: Attempt | None) -> Shown:
    if chosen is None:
        return Shown(inbound.body, None)
    whole = _with_bodies(session, chosen)
    place = attempts.index(chosen)
    before = _with_bodies(session, attempts[place - 1]) if place else None
    changed = difference(before.request_body, whole.request_body) if before else None
    if whole.exchange_id != whole.id:
        return Shown(inbound.body, whole, changed, no_curl="It went out together with others, in one bulk job.")
    try:
        line = as_curl(whole.method, whole.url, whole.request_headers, whole.request_body)
    except Refused as error:
        return Shown(inbound.body, whole, changed, no_curl=str(error))
    return Shown(inbound.body, whole, changed, line)


def _with_bodies(session: Session, attempt: Attempt) -> Attempt:
    """The attempt with what a list leaves out."""
    # Else the session would answer with the row that it has, whose bodies are barred.
    session.expunge(attempt)
    return guard.find(session, Attempt, attempt.id)


def _downloaded(site: Site, delivery_id: str, attempt_id: str, *, answer: bool) -> ResponseReturnValue:
    with site.db.read() as session:
        delivery = guard.find(session, Delivery, delivery_id)
        attempt = guard.find(session, Attempt, attempt_id)
    if attempt.delivery_id != delivery.id:
        abort(404)
    if not revealing.is_revealed(delivery.id):
        return redirect(url_for("customers.request", delivery_id=delivery.id), 303)
    body = (attempt.response_body or b"") if answer else attempt.request_body
    return file_of(body, f"{attempt.id}-{'answered' if answer else 'sent'}.json")


def file_of(body: bytes, name: str) -> Response:
    """These bytes as a file: no browser takes them for a page."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, content_type="application/octet-stream", headers=headers)


def _dialog(site: Site, delivery_id: str, form: Form, status: int | None = None) -> ResponseReturnValue:
    with site.db.read() as session:
        delivery = guard.find(session, Delivery, delivery_id)
        connection = guard.find(session, Connection, delivery.connection_id)
        customer = guard.find(session, Customer, delivery.customer_id) if delivery.customer_id else None
    choices = resending.choices(site, delivery.id)
    page = render_template(
        "customers/resend.html",
        delivery=delivery,
        connection=connection,
        customer=customer,
        choices=choices,
        form=form,
        revealed=revealing.is_revealed(delivery.id),
    )
    return page, status or form.status
