"""Webhooks from Vrio as they came: how each ended, what was made of it, and its body for who may see it."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console.pages import frame, guard, revealing
from console.pages.guard import needs
from console.pages.json_tree import LARGEST
from console.pages.requests import file_of
from console.site import Site
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store.customers import Customer
from vrio_klaviyo.store.deliveries import deliveries_of_inbound
from vrio_klaviyo.store.inbound import InboundEvent, InboundStatus
from vrio_klaviyo.store.listing import Wanted, page_of_webhooks
from vrio_klaviyo.store.people import Role
from vrio_klaviyo.store.sources import find_source


def add_to(routes: Blueprint, site: Site) -> None:
    """`/received`."""

    @routes.get("/received")
    @needs(Role.VIEWER)
    def all_received() -> ResponseReturnValue:
        status, event = request.args.get("status", ""), request.args.get("event", "").strip()
        if status and status not in set(InboundStatus):
            raise InvalidInput(f"no webhook stands as {status}")
        wanted = Wanted(status=[status] if status else [], event=[event] if event else [])
        with site.db.read() as session:
            page = page_of_webhooks(session, guard.visitor().workspace.id, wanted, place=frame.place())
        return render_template(
            "customers/all_received.html", page=page, statuses=list(InboundStatus), filtered=bool(status or event)
        )

    @routes.get("/received/<inbound_id>")
    @needs(Role.VIEWER)
    def received(inbound_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            inbound = guard.find(session, InboundEvent, inbound_id)
            customer = guard.find(session, Customer, inbound.customer_id) if inbound.customer_id else None
            deliveries = deliveries_of_inbound(session, [inbound.id])
            source = find_source(session, inbound.source_id)
        return render_template(
            "customers/received.html",
            inbound=inbound,
            customer=customer,
            deliveries=deliveries,
            source=source,
            revealed=revealing.is_revealed(inbound.id),
            largest=LARGEST,
        )

    @routes.post("/received/<inbound_id>/reveal")
    @needs(Role.SUPPORT)
    def reveal_received(inbound_id: str) -> ResponseReturnValue:
        with site.db.write() as session:
            inbound = guard.find(session, InboundEvent, inbound_id)
            revealing.reveal(session, inbound.id)
        return redirect(url_for("customers.received", inbound_id=inbound_id), 303)

    @routes.get("/received/<inbound_id>/body")
    @needs(Role.SUPPORT)
    def download_received(inbound_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            inbound = guard.find(session, InboundEvent, inbound_id)
        if not revealing.is_revealed(inbound.id):
            return redirect(url_for("customers.received", inbound_id=inbound.id), 303)
        return file_of(inbound.body, f"{inbound.id}.json")
