"""`flask stats`: what became of a period's deliveries."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from console.commands import times
from console.commands.desk import Desk, Verb, at_desk
from console.commands.output import json_option, listing, moment, show
from console.plain_text import clean
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.klaviyo.known_errors import known_error
from vrio_klaviyo.measuring import Measures, Totals, by_metric, change, errors, measure
from vrio_klaviyo.store.connections import find_connection, list_connections
from vrio_klaviyo.store.periods import Span
from vrio_klaviyo.store.workspaces import DEFAULT, find_workspace
from vrio_klaviyo.trying_out import METRICS_TO_TRY

_PROFILE = ""


@click.command("stats", cls=Verb)
@times.option("--since", "From then on, 24 h ago if nothing is said")
@times.option("--until", "Until then, now if nothing is said")
@click.option(
    "--by", type=click.Choice(["event", "error"]), help="A line for each event, or for each cause of failing."
)
@click.option("--connection", help="Of this connection only, by its name or id.")
@click.option("--workspace", default=DEFAULT, show_default=True, help="The workspace's name or id.")
@json_option
@at_desk
def command(
    desk: Desk,
    since: datetime | None,
    until: datetime | None,
    by: str | None,
    connection: str | None,
    workspace: str,
    as_json: bool,
) -> None:
    """What became of the deliveries that were opened in a period. Test events count nowhere."""
    span = _span(since, until)
    with desk.db.read() as session:
        workspace_id = find_workspace(session, workspace).id
        found = [find_connection(session, connection, workspace_id)] if connection else None
        ids = [each.id for each in found or list_connections(session, workspace_id)]
        match by:
            case "event":
                metrics = by_metric(session, ids, span, (*METRICS_TO_TRY, _PROFILE))
                told = [{"event": metric or "Profile"} | _of_totals(totals) for metric, totals in metrics.items()]
                listing(told, ["event", "opened", "accepted", "not_sent", "failed", "waiting"], as_json=as_json)
            case "error":
                groups = errors(session, workspace_id, ids, span.since)
                told = [
                    {
                        "status": group.status,
                        "cause": group.cause,
                        "count": group.count,
                        "first_at": moment(group.first_at),
                        "last_at": moment(group.last_at),
                        "sample": group.sample,
                        "meaning": known_error(group.cause).meaning,
                        "remedy": known_error(group.cause).remedy,
                        "again_helps": known_error(group.cause).again_helps,
                    }
                    for group in groups
                ]
                follow = f"flask delivery show {told[0]['sample']}" if told else ""
                listing(told, ["count", "status", "cause", "last_at", "meaning"], as_json=as_json, follow=follow)
            case _:
                measures = measure(session, workspace_id, ids, span.since, span.until)
                if as_json:
                    show(_of_measures(measures), as_json=True)
                    return
                for line in _lines(measures):
                    click.echo(clean(line))


def _span(since: datetime | None, until: datetime | None) -> Span:
    """
    The period that was asked for.

    Raises: InvalidInput when it ends before it begins.
    """
    ends = until or datetime.now(UTC)
    span = Span(since or ends - times.DAY, ends)
    if span.since >= span.until:
        raise InvalidInput("the period ends before it begins")
    return span


def _of_totals(totals: Totals) -> dict[str, Any]:
    return {
        "opened": totals.opened,
        "accepted": totals.accepted,
        "not_sent": totals.not_sent,
        "failed": totals.failed,
        "waiting": totals.waiting,
    }


def _of_measures(measures: Measures) -> dict[str, Any]:
    waited, pipeline = measures.waited, measures.pipeline
    return {
        "since": moment(measures.span.since),
        "until": moment(measures.span.until),
        **_of_totals(measures.totals),
        "accepted_share": measures.totals.accepted_share,
        "before": _of_totals(measures.before),
        "oldest_waiting": moment(measures.oldest_waiting),
        "seconds_to_accept": None
        if waited is None
        else {"p50": waited.p50_s, "p95": waited.p95_s, "p99": waited.p99_s, "timed": waited.timed},
        "pipeline": {
            "webhooks": pipeline.webhooks,
            "nothing_follows": pipeline.nothing_follows,
            "filtered": pipeline.filtered,
            "deliveries": pipeline.deliveries,
            "again": dict(pipeline.again),
            "refused": dict(pipeline.refused),
            "accepted": pipeline.accepted,
        },
        "bars": [
            {"since": moment(bar.since), "until": moment(bar.until), "accepted": bar.accepted, "failed": bar.failed}
            for bar in measures.bars
        ],
    }


def _lines(measures: Measures) -> Iterator[str]:
    now, before = _of_totals(measures.totals), _of_totals(measures.before)
    for name, count in now.items():
        grown = change(count, before[name])
        compared = "" if grown is None else f"  ({grown:+.0%} on the period before)"
        yield f"{name.replace('_', ' ')}: {count}{compared}"
    if measures.waited:
        waited = measures.waited
        yield f"time to accept: p50 {waited.p50_s:.2f} s  p95 {waited.p95_s:.2f} s  p99 {waited.p99_s:.2f} s"
    pipeline = measures.pipeline
    yield (
        f"{pipeline.webhooks} webhooks, {pipeline.nothing_follows} of which nothing follows; {pipeline.filtered} not "
        f"sent, {pipeline.deliveries} deliveries, {pipeline.retried} attempts more, {pipeline.accepted} accepted"
    )
    for name, counts in (("sent again", pipeline.again), ("not taken", pipeline.refused)):
        for what, count in sorted(counts.items()):
            yield f"{name}: {what} {count}"
