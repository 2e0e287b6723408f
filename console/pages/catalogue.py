"""The event catalogue: what Klaviyo is told of which webhook, and what one of your own webhooks would send today."""

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from console.pages import frame, guard
from console.pages.guard import needs
from console.site import Site
from vrio_klaviyo import previewing
from vrio_klaviyo.errors import Refused
from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.listing import Wanted, page_of_webhooks
from vrio_klaviyo.store.people import Role
from vrio_klaviyo.vrio.routes import BEYOND, IGNORED, METRICS, ROUTES

# The words of the page that is in docs/, so that the two cannot tell different stories.
WORDS = Path(__file__).parents[2] / "docs" / "event-catalogue.toml"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the overview: what happened at Vrio, and which metrics follow; none is the profile alone."""

    webhooks: list[str]
    when: str
    metrics: list[str]


def blueprint(site: Site) -> Blueprint:
    """`/catalogue`."""
    routes = Blueprint("catalogue", __name__, url_prefix="/catalogue")
    routes.add_app_template_filter(codes)

    @routes.get("")
    @needs(Role.VIEWER)
    def index() -> ResponseReturnValue:
        return render_template("catalogue/index.html", rows=list(overview()), words=words(), ignored=ignored())

    @routes.get("/events/<metric>")
    @needs(Role.VIEWER)
    def event(metric: str) -> ResponseReturnValue:
        about = words()["events"].get(metric)
        if about is None:
            abort(404)
        blocks = [words()["blocks"][name] for name in about.get("blocks", ())]
        beyond = words()["beyond"].get(metric)
        rows = [row for row in overview() if metric in row.metrics]
        return render_template(
            "catalogue/event.html", metric=metric, about=about, blocks=blocks, beyond=beyond, rows=rows
        )

    @routes.get("/preview")
    @needs(Role.SUPPORT)
    def choose() -> ResponseReturnValue:
        asked = request.args.get("event", "").strip()
        wanted = Wanted(event=[asked] if asked else [])
        with site.db.read() as session:
            page = page_of_webhooks(session, guard.visitor().workspace.id, wanted, place=frame.place(), limit=25)
        return render_template("catalogue/choose.html", page=page, filtered=bool(asked))

    @routes.get("/preview/<inbound_id>")
    @needs(Role.SUPPORT)
    def preview(inbound_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            inbound = guard.find(session, InboundEvent, inbound_id)
        try:
            found, refused = previewing.preview(site.db, inbound_id, site.now()), ""
        except Refused as error:
            found, refused = None, str(error)
        return render_template(
            "catalogue/preview.html", inbound=inbound, found=found, refused=refused, is_event=_is_event
        )

    return routes


def overview() -> Iterator[Row]:
    """The table of the routes, in people's words."""
    for happened, builders in ROUTES.items():
        about = words()["happened"][happened]
        metrics = [metric for build in builders if (metric := metric_of(build))]
        yield Row(about["webhooks"], about["when"], metrics)


def ignored() -> list[tuple[str, str]]:
    """What is known and makes no event, with the reason."""
    return [(words()["ignored"].get(what, f"`{what}`"), why) for what, why in IGNORED.items()]


def metric_of(builder: Callable[..., Any]) -> str | None:
    """The metric that a builder makes; None when it makes a profile only."""
    named = {re.sub("[ -]", "_", metric).lower(): metric for metric in (*METRICS, *BEYOND)}
    return named.get(builder.__name__)


@cache
def words() -> dict[str, Any]:
    """What the catalogue says in words."""
    return tomllib.loads(WORDS.read_text(encoding="utf-8"))


def codes(text: str) -> Markup:
    """Text with what stands between backticks as code."""
    parts = enumerate(text.split("`"))
    return Markup("").join(Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in parts)


def _is_event(one: previewing.Previewed) -> bool:
    return isinstance(one.request, EventRequest)
