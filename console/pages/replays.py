"""Replays: what a person wants sent again together: first a plan with its count, then it runs, and what it came to."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields, validate

from console import failures_csv
from console.pages import frame, guard
from console.pages.failed import TABS, Asked
from console.pages.forms import Form, blank
from console.pages.guard import needs
from console.site import Site
from vrio_klaviyo import replaying
from vrio_klaviyo.errors import Refused
from vrio_klaviyo.replaying import RATE, Plan
from vrio_klaviyo.sending_again import HISTORY_AFTER
from vrio_klaviyo.store import replays
from vrio_klaviyo.store.connections import Connection, list_connections
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.journals import page_of_replays
from vrio_klaviyo.store.listing import Wanted
from vrio_klaviyo.store.people import Role
from vrio_klaviyo.store.replays import Replay, ReplayStatus

# More than this has to be meant: its number is typed.
UNTYPED = 100
SPEEDS = (1, RATE, 20, 50, 100, 500)


class StartSchema(Schema):
    """A plan that somebody agreed with: how many it told of, through which connections, and how it shall go."""

    count = fields.Integer(required=True)
    confirmed = fields.String(load_default="")
    through = fields.List(fields.String(), required=True, validate=validate.Length(1))
    body = fields.String(load_default="same", validate=validate.OneOf(["same", "anew"], error="Choose a body."))
    speed = fields.Integer(load_default=RATE, validate=validate.OneOf(SPEEDS, error="Choose a speed."))
    despite_pause = fields.Boolean(load_default=False)


def blueprint(site: Site) -> Blueprint:
    """`/replays`."""
    routes = Blueprint("replays", __name__, url_prefix="/replays")

    @routes.get("")
    @needs(Role.VIEWER)
    def index() -> ResponseReturnValue:
        here = guard.visitor().workspace.id
        with site.db.read() as session:
            page = page_of_replays(session, here, place=frame.place())
            names = {one.id: one.name for one in list_connections(session, here, archived=True)}
        return render_template("replays/index.html", page=page, names=names, meant=meant)

    @routes.get("/new")
    @needs(Role.MANAGER)
    def new() -> ResponseReturnValue:
        asked = Asked.of(request.args)
        if "chosen" in request.args and not asked.deliveries:
            flash("Choose one request at least.")
            return redirect(asked.address("failed.requests"), 303)
        return _plan(asked, blank(speed=str(RATE), body="same"))

    @routes.post("")
    @needs(Role.MANAGER)
    def start() -> ResponseReturnValue:
        asked, filled = Asked.of(request.form), Form(StartSchema())
        if filled.valid and filled.values["count"] > UNTYPED and filled.values["confirmed"] != request.form["count"]:
            filled.refuse(f"Type {filled.values['count']} to confirm.", "confirmed")
        if not filled.valid:
            return _plan(asked, filled), filled.status
        try:
            with site.db.write() as session:
                begun = _begun(session, asked.wanted(), filled, site.now())
        except Refused as error:
            filled.refuse(str(error))
            return _plan(asked, filled), filled.status
        for replay in begun:
            site.bells.ring("replay", replay.id)
        if len(begun) == 1:
            return redirect(url_for("replays.show", replay_id=begun[0].id), 303)
        flash(f"{len(begun)} replays are under way, one for each connection.")
        return redirect(url_for("replays.index"), 303)

    @routes.get("/<replay_id>")
    @needs(Role.VIEWER)
    def show(replay_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            replay = guard.find(session, Replay, replay_id)
            connection = guard.find(session, Connection, replay.connection_id)
            results = replays.results(session, replay)
        return render_template(
            "replays/show.html",
            replay=replay,
            connection=connection,
            results=results,
            waits=replaying.waits_because(replay, connection),
            meant=meant(replay.wanted),
            running=replay.status == ReplayStatus.RUNNING,
        )

    @routes.post("/<replay_id>/stop")
    @needs(Role.MANAGER)
    def stop(replay_id: str) -> ResponseReturnValue:
        try:
            with site.db.write() as session:
                replay = guard.find(session, Replay, replay_id)
                replaying.stop(session, replay, site.now())
                guard.note(session, "replay.stopped", replay.id, released=replay.released)
        except Refused:
            flash("This replay was over already.")
        else:
            flash("Stopped. What was handed to the lane already, a few seconds’ worth, still goes out.")
        return redirect(url_for("replays.show", replay_id=replay_id), 303)

    @routes.get("/<replay_id>/failures.csv")
    @needs(Role.MANAGER)
    def failures(replay_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            replay = guard.find(session, Replay, replay_id)

        def lines() -> Iterator[str]:
            with site.db.read() as session:
                yield from failures_csv.lines(session, replays.find_replay(session, replay_id))

        name = f'attachment; filename="{replay.id}-failures.csv"'
        return Response(stream_with_context(lines()), mimetype="text/csv", headers={"Content-Disposition": name})

    def _plan(asked: Asked, filled: Form) -> str:
        """The page that says what would be sent; nothing is."""
        here, now = guard.visitor().workspace.id, site.now()
        # What comes to match later is not part of it, however long this page is looked at.
        fixed = replace(asked, words={"until": now.isoformat()} | asked.words)
        with site.db.read() as session:
            plans = replaying.plan(session, here, fixed.wanted())
            busy = set(replays.connections_busy(session, here))
        going = [plan for plan in plans if plan.count and not hindrance(plan, busy)]
        count = sum(plan.count for plan in going)
        oldest = min((plan.oldest for plan in going if plan.oldest), default=None)
        return render_template(
            "replays/new.html",
            asked=fixed,
            back=asked.address("failed.requests"),
            form=filled,
            plans=plans,
            going=going,
            count=count,
            hindrance=lambda plan: hindrance(plan, busy),
            paused=[plan.connection.name for plan in going if not plan.connection.active],
            history=oldest is not None and oldest < now - HISTORY_AFTER,
            meant=meant(replays.kept(asked.wanted())),
            untyped=UNTYPED,
            speeds=[(speed, f"{speed} per second, {takes(count / speed)}") for speed in SPEEDS],
        )

    return routes


def _begun(session: Session, wanted: Wanted, filled: Form, now: datetime) -> list[Replay]:
    """
    One replay for each connection of the plan, all of them or none.

    Raises: Refused, also when more match by now than the plan told of: nobody has agreed to these.
    """
    told = filled.values
    begun = []
    for connection_id in told["through"]:
        replay = replaying.start(
            session,
            guard.find(session, Connection, connection_id),
            wanted,
            now,
            rate=told["speed"],
            rebuild=told["body"] == "anew",
            despite_pause=told["despite_pause"],
            started_by=guard.visitor().user.email,
        )
        guard.note(session, "replay.started", replay.id, connection=connection_id, total=replay.total)
        begun.append(replay)
    if (total := sum(replay.total for replay in begun)) > told["count"]:
        raise Refused(f"By now {total:,} match, and the plan told of {told['count']:,}. Look at it again.")
    return begun


def takes(seconds: float) -> str:
    """About how long that is."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"about {round(seconds / size)} {unit}"
    return f"about {max(1, round(seconds))} s"


def hindrance(plan: Plan, busy: set[str]) -> str:
    """Why nothing can be sent again through this connection now; "" when it can."""
    connection = plan.connection
    if connection.id in busy:
        return "Another replay is under way for this connection. Wait for its end, or stop it."
    if not connection.push_events:
        return "Push Events is off for this connection. Switch it on first."
    if connection.status == "key_rejected":
        return "Klaviyo does not take the key of this connection. Give it another one first; what is held then goes."
    return ""


def meant(wanted: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The filter of a replay, as it is kept, in pairs of what and which."""
    words = {tab.status: tab.word for tab in TABS.values() if not tab.looked_at}
    states = ["Looked at"] if wanted.get("looked_at") else [words.get(one, one) for one in wanted["status"]]
    said = [
        ("State", ", ".join(states)),
        ("Cause", ", ".join(one.partition("\n")[0] for one in wanted.get("causes", ()))),
        ("Event", ", ".join(one or "Profile" for one in wanted.get("event", ()))),
        ("Chosen one by one", len(wanted.get("ids", ()))),
        ("Made since", _at(wanted.get("since"))),
        ("Made before", _at(wanted.get("until"))),
    ]
    return [(what, which) for what, which in said if which]


def _at(told: str | None) -> datetime | None:
    return datetime.fromisoformat(told) if told else None
