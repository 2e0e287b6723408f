"""Sources: the Vrio accounts that post to us, the address that each posts to, and what its webhooks leave out."""

from zoneinfo import available_timezones

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields, validate

from console import sourcing
from console.pages import catalog_import, guard, samples
from console.pages.forms import Form, blank
from console.pages.guard import needs
from console.pages.new_connection import sentence_of
from console.schemas.connections import NAME
from console.site import Site
from vrio_klaviyo.connecting import Verdict
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store import periods
from vrio_klaviyo.store.catalog import imported_at
from vrio_klaviyo.store.connections import list_connections
from vrio_klaviyo.store.listing import Wanted, page_of_webhooks
from vrio_klaviyo.store.people import Role
from vrio_klaviyo.store.sources import UPCOMING_DAYS, Source, list_sources, webhook_path
from vrio_klaviyo.vrio_key import check_vrio_key

# Vrio's four fields for the address, as its page names them.
FIELDS_OF_VRIO = ("Transaction URL", "Order URL", "Order Offer URL", "Shipment URL")
NEWEST = 10


class SourceSchema(Schema):
    """A source as it is made and changed; the keys are changed by themselves."""

    name = fields.String(required=True, validate=NAME, error_messages={"required": "Give it a name."})
    time_zone = fields.String(load_default="UTC", validate=validate.Length(1, 60, error="Choose a time zone."))
    country = fields.String(load_default="US")
    currency = fields.String(load_default="USD")
    upcoming_days = fields.Integer(
        load_default=UPCOMING_DAYS,
        validate=validate.Range(1, 60, error="Write a number of days from 1 to 60."),
        error_messages={"invalid": "Write a whole number of days."},
    )


def blueprint(site: Site) -> Blueprint:
    """`/sources`."""
    routes = Blueprint("sources", __name__, url_prefix="/sources")
    samples.add_routes(routes, site)
    catalog_import.add_routes(routes, site)

    @routes.get("")
    @needs(Role.VIEWER)
    def index() -> ResponseReturnValue:
        with site.db.read() as session:
            found = list_sources(session, guard.visitor().workspace.id)[::-1]
            last = {source.id: periods.last_received(session, [source.id]) for source in found}
        return render_template("sources/index.html", sources=found, last=last)

    @routes.get("/new")
    @needs(Role.MANAGER)
    def new() -> ResponseReturnValue:
        form = blank(time_zone=str(guard.visitor().user.time_zone or "UTC"), country="US", currency="USD")
        form.typed["upcoming_days"] = UPCOMING_DAYS
        return render_template("sources/new.html", form=form, zones=zones())

    @routes.post("/new")
    @needs(Role.MANAGER)
    def add() -> ResponseReturnValue:
        form = Form(SourceSchema())
        if form.valid:
            try:
                source = sourcing.add(guard.hand(), guard.visitor().workspace.id, form.values)
            except InvalidInput as error:
                form.refuse(sentence_of(error), _field_of(error))
            else:
                flash(f"{source.name} is saved. Now give Vrio the address below.")
                return redirect(_page_of(source.id), 303)
        return render_template("sources/new.html", form=form, zones=zones()), form.status

    @routes.get("/<source_id>")
    @needs(Role.VIEWER)
    def show(source_id: str) -> ResponseReturnValue:
        source = _source(source_id)
        return _page(source, blank(**sourcing.settings_of(source)))

    @routes.post("/<source_id>/settings")
    @needs(Role.MANAGER)
    def change(source_id: str) -> ResponseReturnValue:
        form, source = Form(SourceSchema()), _source(source_id)
        if form.valid:
            try:
                sourcing.change(guard.hand(), source, form.values)
            except InvalidInput as error:
                form.refuse(sentence_of(error), _field_of(error))
        if not form.valid:
            return _page(source, form), form.status
        flash("The settings are saved. They hold for what comes in from now on.")
        return redirect(_page_of(source_id), 303)

    @routes.post("/<source_id>/api-key")
    @needs(Role.MANAGER)
    def set_api_key(source_id: str) -> ResponseReturnValue:
        source = _source(source_id)
        key, forget = request.form.get("api_key", "").strip(), "forget" in request.form
        if not forget:
            if not key:
                flash("The key was not kept. It is empty.", "bad")
                return redirect(_page_of(source_id, "rest"), 303)
            found = check_vrio_key(site.http, site.settings.vrio_api_url, key)
            if found.verdict == Verdict.REJECTED:
                flash(f"The key was not kept. {found.sentence}", "bad")
                return redirect(_page_of(source_id, "rest"), 303)
        sourcing.change(guard.hand(), source, {"api_key": "" if forget else key})
        flash("The key is forgotten." if forget else f"The key is kept. {found.sentence}")
        return redirect(_page_of(source_id, "rest"), 303)

    @routes.post("/<source_id>/check")
    @needs(Role.MANAGER)
    def check(source_id: str) -> ResponseReturnValue:
        found = sourcing.check_api_key(guard.hand(), _source(source_id))
        flash(found.sentence, "message" if found.verdict == Verdict.ACCEPTED else "bad")
        return redirect(_page_of(source_id, "rest"), 303)

    @routes.get("/<source_id>/rotate")
    @needs(Role.OPERATOR)
    def ask_to_rotate(source_id: str) -> ResponseReturnValue:
        return render_template("sources/rotate.html", source=_source(source_id), form=blank(when="later"))

    @routes.post("/<source_id>/rotate")
    @needs(Role.OPERATOR)
    def rotate(source_id: str) -> ResponseReturnValue:
        at_once = request.form.get("when") == "at_once"
        source = sourcing.rotate(guard.hand(), _source(source_id), at_once=at_once)
        until = "The old one does not work any more." if at_once else "The old one works for a day more."
        flash(f"{source.name} has a new address. {until} Paste the new one into Vrio’s four fields.")
        return redirect(_page_of(source_id), 303)

    def _source(source_id: str) -> Source:
        with site.db.read() as session:
            return guard.find(session, Source, source_id)

    def _page(source: Source, form: Form) -> str:
        now = site.now()
        overlaps = source.previous_key_until is not None and source.previous_key_until > now
        # Whoever knows the address can post as Vrio.
        address = site.settings.base_url + webhook_path(source, site.vault) if guard.visitor().may("manager") else ""
        with site.db.read() as session:
            newest = page_of_webhooks(session, source.workspace_id, Wanted(sources=[source.id]), limit=NEWEST).rows
            last = periods.last_received(session, [source.id])
            catalog_at = imported_at(session, source.id)
            has_connection = bool(list_connections(session, source.workspace_id))
        return render_template(
            "sources/show.html",
            source=source,
            form=form,
            address=address,
            fields_of_vrio=FIELDS_OF_VRIO,
            overlaps=overlaps,
            newest=newest,
            last=last,
            catalog_at=catalog_at,
            has_connection=has_connection,
            zones=zones(),
            samples=samples.names(),
            key_form=blank(),
        )

    return routes


def zones() -> list[str]:
    """The time zones to choose from."""
    return ["UTC", *sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))]


def _field_of(error: InvalidInput) -> str:
    """The field that the store's sentence is about."""
    about = {"is called": "name", "time zone": "time_zone", "no country": "country", "no currency": "currency"}
    return next((field for words, field in about.items() if words in str(error)), "name")


def _page_of(source_id: str, anchor: str | None = None) -> str:
    return url_for("sources.show", source_id=source_id, _anchor=anchor)
