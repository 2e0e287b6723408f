"""Customers: whom webhooks were about, found by one box, and everything that happened to one of them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console.explaining import explained
from console.pages import frame, guard, received, requests, why
from console.pages.guard import needs
from console.pages.orders_told import orders_told
from console.pages.portraits import at_klaviyo, page_of_orders, portrait
from console.pages.webhooks_meant import webhooks_meant
from console.site import Site
from vrio_klaviyo.errors import InvalidInput, NotFound
from vrio_klaviyo.profile_ids import profile_id, profile_url
from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.connections import Connection, list_connections
from vrio_klaviyo.store.customers import Customer, customers_called
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus
from vrio_klaviyo.store.glances import AMISS, customers_in_order, glances_at
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.listing import (
    Wanted,
    count_of_deliveries,
    count_of_happenings,
    page_of_deliveries,
    page_of_happenings,
)
from vrio_klaviyo.store.paging import Page, Place
from vrio_klaviyo.store.people import Role
from vrio_klaviyo.store.searching import Query, QueryKind, ids_meant, search_customers, understood
from vrio_klaviyo.store.sources import find_source, list_sources
from vrio_klaviyo.vrio.routes import BEYOND, METRICS

# Klaviyo's name for what has none: in an address, an empty value is no filter.
PROFILE = "profile"
FILTERS = ("q", "status", "event", "connection", "since", "until")


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to: a page of customers, another page that is meant, or why there is neither."""

    page: Page[Customer]
    elsewhere: str = ""
    refused: str = ""


def blueprint(site: Site) -> Blueprint:
    """`/customers`, `/requests`, `/received` and `/why`."""
    routes = Blueprint("customers", __name__)
    routes.add_app_template_global(explained, "explained")
    requests.add_to(routes, site)
    received.add_to(routes, site)
    why.add_to(routes, site)

    @routes.get("/customers")
    @needs(Role.VIEWER)
    def index() -> ResponseReturnValue:
        here = guard.visitor().workspace.id
        with site.db.read() as session:
            found = _found(session, here)
            if found.elsewhere:
                return redirect(found.elsewhere, 303)
            glances = glances_at(session, found.page.rows)
            connections = list_connections(session, here)
            sources = list_sources(session, here)
        return render_template(
            "customers/index.html", found=found, glances=glances, connections=connections, sources=sources, amiss=AMISS
        )

    @routes.get("/customers/<customer_id>")
    @needs(Role.VIEWER)
    def show(customer_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            customer = guard.find(session, Customer, customer_id)
            known = portrait(session, customer, site.now())
            klaviyo = at_klaviyo(session, customer)
            others = [one for one in _rows_of(session, customer) if one.id != customer.id]
            sources = {one.source_id: find_source(session, one.source_id) for one in others}
        return render_template(
            "customers/overview.html", customer=customer, known=known, klaviyo=klaviyo, others=others, sources=sources
        )

    @routes.get("/customers/<customer_id>/webhooks")
    @needs(Role.VIEWER)
    def webhooks(customer_id: str) -> ResponseReturnValue:
        here = guard.visitor().workspace.id
        with site.db.read() as session:
            customer = guard.find(session, Customer, customer_id)
            rows = _rows_of(session, customer)
            wanted = _wanted(rows, webhooks_meant(session, rows, request.args.get("q", "")))
            page = page_of_happenings(session, here, wanted, place=frame.place())
            totals = count_of_happenings(session, here, wanted), count_of_deliveries(session, here, wanted)
            told = orders_told(session, page.rows)
            klaviyo = at_klaviyo(session, customer)
        return render_template(
            "customers/webhooks.html",
            customer=customer,
            page=page,
            orders_told=told,
            totals=totals,
            klaviyo=klaviyo,
            connections={one.connection.id: one.connection for one in klaviyo},
            statuses=list(DeliveryStatus),
            metrics=[*METRICS, *BEYOND],
            profile=PROFILE,
            filtered=any(request.args.get(name) for name in FILTERS),
        )

    @routes.get("/customers/<customer_id>/orders")
    @needs(Role.VIEWER)
    def orders(customer_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            customer = guard.find(session, Customer, customer_id)
            page = page_of_orders(session, customer, frame.place())
            klaviyo = at_klaviyo(session, customer)
            source = find_source(session, customer.source_id)
        return render_template("customers/orders.html", customer=customer, page=page, klaviyo=klaviyo, source=source)

    @routes.get("/customers/<customer_id>/in-klaviyo/<connection_id>")
    @needs(Role.SUPPORT)
    def in_klaviyo(customer_id: str, connection_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            customer = guard.find(session, Customer, customer_id)
            connection = guard.find(session, Connection, connection_id)
        url = site.settings.klaviyo_api_url
        found = profile_id(site.db, site.vault, site.http, url, connection.id, customer)
        if found:
            return redirect(profile_url(found), 303)
        flash(f"{connection.name} has no profile with this address in Klaviyo, or Klaviyo could not be asked now.")
        return redirect(url_for("customers.show", customer_id=customer.id), 303)

    return routes


def _rows_of(session: Session, customer: Customer) -> list[Customer]:
    """All rows of this person: several when several sources know the e-mail."""
    rows = customers_called(session, customer.workspace_id, customer.email) if customer.email else []
    return rows if any(row.id == customer.id for row in rows) else [customer, *rows]


def _found(session: Session, workspace_id: str) -> Found:
    """
    Whom the address asks for.

    Shape:  an id, or a whole e-mail that is one person's, leads straight to them.
    """
    typed, place = request.args.get("q", "").strip(), frame.place()
    query = understood(typed)
    may = guard.visitor().may("support")
    if query.kind == QueryKind.OWN_ID:
        elsewhere = _address_of(session, query.text)
        return Found(Page([]), elsewhere)
    if query.kind == QueryKind.NAME and not may:
        return Found(Page([]), refused="Looking for a name is for support. Type the whole e-mail address, or an id.")
    if request.args.get("had") or request.args.get("connection"):
        return Found(_with_deliveries(session, workspace_id, query, place, may=may))
    if query.kind == QueryKind.EMAIL and not may:
        # Whoever sees what begins so could find out every address, sign by sign.
        page = Page(customers_called(session, workspace_id, query.text))
    else:
        page = search_customers(session, workspace_id, typed, place=place)
    meant = query.kind == QueryKind.NUMBER or all(one.email == query.text for one in page.rows)
    if typed and place is None and len(page.rows) == 1 and meant:
        return Found(page, url_for("customers.webhooks", customer_id=page.rows[0].id))
    return Found(page)


def _with_deliveries(
    session: Session, workspace_id: str, query: Query, place: Place | None, *, may: bool
) -> Page[Customer]:
    """
    Those who had a delivery that stands so, or went through this connection: the one it happened to last first.

    Shape:  a page of deliveries folded, so that it may have few rows, and the next one names somebody again.
    """
    had, connection = request.args.get("had", ""), request.args.get("connection", "")
    if had and had not in set(DeliveryStatus):
        raise InvalidInput(f"no request stands as {had}")
    ids = None
    if query.kind == QueryKind.EMAIL and not may:
        ids = [one.id for one in customers_called(session, workspace_id, query.text)]
    elif query.kind != QueryKind.NOTHING:
        ids = ids_meant(session, workspace_id, query)
    wanted = Wanted(
        status=[had] if had else [],
        connections=[guard.find(session, Connection, connection).id] if connection else [],
        customers=ids,
    )
    page = page_of_deliveries(session, workspace_id, wanted, place=place)
    customers = dict.fromkeys(delivery.customer_id for delivery in page.rows if delivery.customer_id)
    return page.of(customers_in_order(session, workspace_id, list(customers)))


def _address_of(session: Session, own_id: str) -> str:
    """The page of one of our own ids; "" when there is nothing of it here."""
    try:
        match own_id[:2]:
            case "dl":
                return url_for("customers.request", delivery_id=guard.find(session, Delivery, own_id).id)
            case "at":
                attempt = guard.find(session, Attempt, own_id)
                return url_for("customers.request", delivery_id=attempt.delivery_id, attempt=attempt.number)
            case "in":
                return url_for("customers.received", inbound_id=guard.find(session, InboundEvent, own_id).id)
        return url_for("customers.show", customer_id=guard.find(session, Customer, own_id).id)
    except NotFound:
        return ""


def _wanted(customers: list[Customer], webhooks: list[str] | None) -> Wanted:
    """What the filters of the Webhooks tab ask for; `webhooks` are those that its box means."""
    asked = {name: request.args.get(name, "") for name in ("status", "event", "connection")}
    if asked["status"] and asked["status"] not in set(DeliveryStatus):
        raise InvalidInput(f"no request stands as {asked['status']}")
    metric = "" if asked["event"] == PROFILE else asked["event"]
    since, until = _day("since"), _day("until")
    return Wanted(
        customers=[one.id for one in customers],
        webhooks=webhooks,
        status=[asked["status"]] if asked["status"] else [],
        event=[metric] if asked["event"] else [],
        connections=[asked["connection"]] if asked["connection"] else [],
        since=since,
        # The day that is named is the last one.
        until=until + timedelta(days=1) if until else None,
    )


def _day(name: str) -> datetime | None:
    """The beginning of a day in the visitor's zone."""
    asked = request.args.get(name, "")
    if not asked:
        return None
    try:
        day = date.fromisoformat(asked)
        return datetime.combine(day, time(), guard.visitor().zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"{asked} is no day; write it as 2026-08-30") from error
