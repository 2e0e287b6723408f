"""`/replays`: deliveries that are sent again together."""

from typing import Any

from marshmallow import fields, validate

from console import steering
from console.api.fields import Moment
from console.api.filters import PROFILE, PageQuery
from console.api.operations import Call, Operations, Strict
from console.api.schemas import PlansAnswer, ReplayAnswer
from console.api.trail import hand, note
from vrio_klaviyo import replaying
from vrio_klaviyo.replaying import HIGHEST_RATE, RATE
from vrio_klaviyo.store import replays
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.journals import page_of_replays
from vrio_klaviyo.store.listing import Wanted
from vrio_klaviyo.store.paging import Page
from vrio_klaviyo.store.replays import Replay
from vrio_klaviyo.store.tenancy import find_in
from vrio_klaviyo.store.tokens import Scope

operations = Operations("replays")

STATUSES = ["failed", "held", "skipped", "accepted"]


def _texts(**options: Any) -> fields.List[Any]:
    return fields.List(fields.String(validate=validate.Length(1, 200)), validate=validate.Length(max=50), **options)


class PlanBody(Strict):
    """Which deliveries."""

    status = fields.List(
        fields.String(validate=validate.OneOf(STATUSES)), required=True, validate=validate.Length(1, len(STATUSES))
    )
    event = _texts()
    cause = _texts()
    customer = _texts()
    since = Moment()
    until = Moment()


class ReplayBody(PlanBody):
    """Which deliveries of which connection, and how they go."""

    connection = fields.String(required=True)
    rebuild = fields.Boolean(load_default=False)
    despite_pause = fields.Boolean(load_default=False)
    rate = fields.Integer(
        strict=True,
        load_default=RATE,
        validate=validate.Range(1, HIGHEST_RATE),
        metadata={"description": "Deliveries a second, at most."},
    )


@operations.post("/replays/plan", PlansAnswer, Scope.RESEND, body=PlanBody, idempotency="no")
def plan_replay(call: Call) -> dict[str, Any]:
    """What would be sent again, connection by connection; nothing is."""
    with call.site.db.read() as session:
        plans = replaying.plan(session, call.workspace_id, _wanted(call, session))
    same = ("count", "by_metric", "left_out", "oldest")
    return {
        "data": [{name: getattr(plan, name) for name in same} | {"connection": plan.connection.id} for plan in plans]
    }


@operations.post(
    "/replays", ReplayAnswer, Scope.RESEND, status=201, body=ReplayBody, idempotency="must", problems=("conflict",)
)
def start_replay(call: Call) -> dict[str, Any]:
    """
    Send again all that match now, through one connection.

    The list is frozen at the start; it goes out behind live traffic, under the same unique ids.
    """
    told = call.told
    with call.site.db.write() as session:
        connection = steering.connection_of(session, call.workspace_id, told["connection"])
        replay = replaying.start(
            session,
            connection,
            _wanted(call, session),
            call.site.now(),
            rate=told["rate"],
            rebuild=told["rebuild"],
            despite_pause=told["despite_pause"],
            started_by=hand(call).actor,
        )
        note(call, session, "replay.started", replay.id, connection=connection.id, total=replay.total)
    call.site.bells.ring("replay", replay.id)
    return _told(call, replay.id)


@operations.list("/replays", ReplayAnswer, PageQuery)
def list_replays(call: Call) -> Page[Replay]:
    """The replays, the newest first."""
    with call.site.db.read() as session:
        return page_of_replays(session, call.workspace_id, place=call.asked["place"], limit=call.asked["limit"])


@operations.get("/replays/{replay_id}", ReplayAnswer)
def show_replay(call: Call, replay_id: str) -> dict[str, Any]:
    """One replay: how far it has come, and what it came to."""
    return _told(call, replay_id)


@operations.post("/replays/{replay_id}/cancel", ReplayAnswer, Scope.RESEND)
def cancel_replay(call: Call, replay_id: str) -> dict[str, Any]:
    """
    Stop a replay.

    What was handed to the lane already goes out; nothing else does.
    """
    with call.site.db.write() as session:
        replaying.stop(session, find_in(session, call.workspace_id, Replay, replay_id), call.site.now())
        note(call, session, "replay.stopped", replay_id)
    return _told(call, replay_id)


def _wanted(call: Call, session: Session) -> Wanted:
    told = call.told
    return Wanted(
        status=told["status"],
        event=["" if event == PROFILE else event for event in told.get("event", ())],
        causes=told.get("cause", ()),
        customers=told.get("customer"),
        since=told.get("since"),
        until=told.get("until"),
    )


def _told(call: Call, replay_id: str) -> dict[str, Any]:
    with call.site.db.read() as session:
        replay = find_in(session, call.workspace_id, Replay, replay_id)
        shown = {name: getattr(replay, name) for name in ("id", "connection_id", "status", "rebuild", "rate", "total")}
        shown |= {name: getattr(replay, name) for name in ("released", "started_by", "started_at", "ended_at")}
        return shown | {"summary": replays.results(session, replay)}
