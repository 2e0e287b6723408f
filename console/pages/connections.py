"""Connections: the list, and what one connection has done; making, changing and trying one out are its siblings."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from console import explaining
from console.pages import connection_care, connection_settings, connection_trial, frame, guard, new_connection
from console.pages.connection_head import about_connection, twins
from console.pages.guard import needs
from console.site import Site
from vrio_klaviyo import measuring
from vrio_klaviyo.store import periods
from vrio_klaviyo.store.accounts import account_of
from vrio_klaviyo.store.connections import Connection, list_connections
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import DeliveryStatus
from vrio_klaviyo.store.journals import page_of_entries
from vrio_klaviyo.store.listing import Wanted, count_of_deliveries, page_of_deliveries
from vrio_klaviyo.store.paging import Page, page_around
from vrio_klaviyo.store.people import Role
from vrio_klaviyo.store.periods import Span
from vrio_klaviyo.store.sources import list_sources
from vrio_klaviyo.vrio.routes import BEYOND, METRICS

PAGE = 25
STATUSES = ("active", "paused", "key_rejected")
# How the last day is cut for the small picture in the list.
DAY, PARTS = timedelta(days=1), 12
PERIODS = {
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(days=1)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
}
USUAL_PERIOD = "24h"


def blueprint(site: Site) -> Blueprint:
    """`/connections`."""
    routes = Blueprint("connections", __name__, url_prefix="/connections")
    new_connection.add_routes(routes, site)
    connection_settings.add_routes(routes, site)
    connection_care.add_routes(routes, site)
    connection_trial.add_routes(routes, site)

    @routes.get("")
    @needs(Role.VIEWER)
    def index() -> ResponseReturnValue:
        archived = "archived" in request.args
        with site.db.read() as session:
            found = list_connections(session, guard.visitor().workspace.id, archived=True)
            ours = [one for one in found if (one.archived_at is not None) == archived]
            page = _page([one for one in ours if _is_wanted(one)])
            rows = [_row(session, connection, site.now()) for connection in page.rows]
            has_source = bool(list_sources(session, guard.visitor().workspace.id))
        return render_template(
            "connections/index.html",
            page=page.of(rows),
            archived=archived,
            any_archived=any(one.archived_at for one in found),
            none_at_all=not ours,
            has_source=has_source,
            statuses=STATUSES,
        )

    @routes.get("/<connection_id>")
    @needs(Role.VIEWER)
    def show(connection_id: str) -> ResponseReturnValue:
        period = request.args.get("period", USUAL_PERIOD)
        _, length = PERIODS.get(period, PERIODS[USUAL_PERIOD])
        workspace_id, now = guard.visitor().workspace.id, site.now()
        with site.db.read() as session:
            about = about_connection(session, connection_id)
            measures = measuring.measure(session, workspace_id, [connection_id], now - length, now)
            groups = measuring.errors(session, workspace_id, [connection_id], now - length)
            standing = periods.standing(session, [connection_id])
            steps = _steps(session, about["connection"])
        return render_template(
            "connections/health.html",
            **about,
            measures=measures,
            groups=[(group, explaining.explained(group.status, group.cause)) for group in groups],
            standing=standing,
            counted=periods.COUNTED,
            steps=steps,
            labels=[_label(bar.since, length) for bar in measures.bars],
            periods=[(name, word) for name, (word, _) in PERIODS.items()],
            period=period if period in PERIODS else USUAL_PERIOD,
            change=measuring.change,
        )

    @routes.get("/<connection_id>/deliveries")
    @needs(Role.VIEWER)
    def deliveries(connection_id: str) -> ResponseReturnValue:
        asked = {name: request.args.get(name, "").strip() for name in ("status", "event", "cause")}
        wanted = Wanted(
            connections=[connection_id],
            status=[asked["status"]] if asked["status"] in set(DeliveryStatus) else [],
            event=[asked["event"]] if asked["event"] else [],
            causes=[asked["cause"][:200]] if asked["cause"] else [],
        )
        with site.db.read() as session:
            about = about_connection(session, connection_id)
            page = page_of_deliveries(session, guard.visitor().workspace.id, wanted, place=frame.place())
        return render_template(
            "connections/deliveries.html",
            **about,
            page=page,
            filtered=any(asked.values()),
            explained=explaining.explained,
            statuses=list(DeliveryStatus),
            metrics=(*METRICS, *BEYOND),
        )

    @routes.get("/<connection_id>/audit")
    @needs(Role.MANAGER)
    def audit(connection_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            about = about_connection(session, connection_id)
            page = page_of_entries(
                session, guard.visitor().workspace.id, subject=connection_id, place=frame.place(), limit=50
            )
        return render_template("connections/audit.html", **about, page=page)

    return routes


def _is_wanted(connection: Connection) -> bool:
    named, status = request.args.get("q", "").strip().casefold(), request.args.get("status", "")
    return named in connection.name.casefold() and status in ("", connection.status)


def _page(found: Sequence[Connection]) -> Page[Connection]:
    """Connections are made by people, one at a time: all of them fit into memory, and a page is cut out of them."""
    place = frame.place()
    backwards = place is not None and place.backwards
    ordered = sorted(found, key=_id_of, reverse=not backwards)
    if place is not None:
        ordered = [one for one in ordered if (one.id > place.key if backwards else one.id < place.key)]
    return page_around(ordered[: PAGE + 1], place, PAGE, key=_id_of)


def _id_of(connection: Connection) -> str:
    return connection.id


def _row(session: Session, connection: Connection, now: datetime) -> dict[str, Any]:
    """A connection with the figures of its last day, each a stretch of an index."""
    part = DAY / PARTS
    spans = [Span(now - DAY + part * number, now - DAY + part * (number + 1)) for number in range(PARTS)]
    by_part = periods.opened(session, [connection.id], spans, [DeliveryStatus.ACCEPTED])
    (day,) = periods.opened(session, [connection.id], [Span(now - DAY, now)])
    newest = Wanted(status=[DeliveryStatus.ACCEPTED], connections=[connection.id])
    sent = page_of_deliveries(session, connection.workspace_id, newest, limit=1).rows
    return {
        "connection": connection,
        "account": account_of(session, connection),
        "twins": twins(session, connection),
        "accepted": [counts[DeliveryStatus.ACCEPTED] for counts in by_part],
        "day": day,
        "sent_at": sent[0].finished_at if sent else None,
    }


def _steps(session: Session, connection: Connection) -> dict[str, bool] | None:
    """What is still to be done until something has reached Klaviyo; None when something has, or never will."""
    accepted = Wanted(status=[DeliveryStatus.ACCEPTED], connections=[connection.id])
    if connection.archived_at is not None or count_of_deliveries(session, connection.workspace_id, accepted) != 0:
        return None
    return {"source": bool(list_sources(session, connection.workspace_id))}


def _label(at: datetime, length: timedelta) -> str:
    local = at.astimezone(guard.visitor().zone)
    return local.strftime("%d %b" if length > timedelta(days=3) else "%H:%M")
