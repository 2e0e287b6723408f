"""How much comes in and goes out in the whole installation, and whether that is well."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from vrio_klaviyo.findings import Finding, State, ago
from vrio_klaviyo.store import figures, periods
from vrio_klaviyo.store.connections import list_connections
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.periods import Span
from vrio_klaviyo.store.sources import list_sources

HOUR = timedelta(hours=1)
# Then somebody should look: the retries after a fault are done by then, and Klaviyo's own limits wait a minute.
LATE = timedelta(minutes=10)
LONG_AGO = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Traffic:
    """
    How much is under way, in the whole installation.

    Shape:  unread, looked_for and set_aside count webhooks, waiting deliveries by status. accepted_share and throttled
            are of the last hour; the share is None when nothing came to its end. connections are ids, each with its
            status.
    """

    last_received: datetime | None
    unread: int
    looked_for: int
    set_aside: int
    oldest_unread: datetime | None
    waiting: dict[str, int]
    oldest_waiting: datetime | None
    accepted_share: float | None
    throttled: int
    connections: dict[str, str]


def under_way(session: Session, now: datetime) -> Traffic:
    """The figures of the Health page, and those that are watched from outside."""
    connections = list_connections(session)
    ids, hour = [connection.id for connection in connections], Span(now - HOUR, now + HOUR)
    (counts,) = periods.opened(session, ids, [hour], ("accepted", "failed"))
    ended = counts.total()
    sources, unread = [source.id for source in list_sources(session)], figures.unfinished(session)
    return Traffic(
        last_received=periods.last_received(session, sources),
        unread=unread["received"],
        looked_for=unread["waiting"],
        set_aside=periods.set_aside(session, sources),
        oldest_unread=periods.oldest_unread(session, sources),
        waiting=figures.owed(session),
        # What is held waits for a person, and says so elsewhere.
        oldest_waiting=periods.oldest_waiting(session, ids, ("queued", "retrying")),
        accepted_share=counts["accepted"] / ended if ended else None,
        throttled=periods.throttled(session, ids, hour),
        connections={connection.id: connection.status for connection in connections},
    )


def of_traffic(now_is: Traffic, now: datetime) -> Iterator[Finding]:
    """Does anything come in, does it go out, and is it taken."""
    last = now_is.last_received
    if last is None:
        yield Finding("receiving", "webhooks", State.UNKNOWN, "No webhook has ever come.", "flask source show NAME")
    else:
        state = State.WARNING if now - last > LONG_AGO else State.OK
        yield Finding("receiving", "webhooks", state, f"the last one came {ago(now - last)} ago")
    yield _of_queue(now_is, now)
    if now_is.set_aside:
        sentence = f"webhooks that workers died of: {_many(now_is.set_aside)}"
        yield Finding("queue", "set aside", State.WARNING, sentence, "flask inbound list --status failed")
    if now_is.accepted_share is not None:
        state = State.OK if now_is.accepted_share >= 0.99 else State.WARNING
        sentence = f"{now_is.accepted_share:.2%} accepted in the last hour, 429: {now_is.throttled}"
        yield Finding("klaviyo", "accepted", state, sentence, "" if state == State.OK else "flask stats --by error")
    for connection_id, status in now_is.connections.items():
        if status != "key_rejected":
            continue
        follow = f"flask connection check {connection_id}"
        yield Finding("klaviyo", connection_id, State.FAULT, "Klaviyo does not take this connection's key.", follow)


def _of_queue(now_is: Traffic, now: datetime) -> Finding:
    unread, owed = (_waited(since, now) for since in (now_is.oldest_unread, now_is.oldest_waiting))
    held = f", {_many(now_is.waiting['held'])} held" if now_is.waiting.get("held") else ""
    sentence = (
        f"webhooks unread: {_many(now_is.unread)}{_age(unread)}, "
        f"deliveries waiting: {_many(sum(now_is.waiting.values()))}{held}{_age(owed)}"
    )
    # What is not read yet was never tried, so that no retry explains it.
    follow = "flask inbound list --status received" if unread > LATE else "flask delivery list --status retrying"
    late = max(unread, owed) > LATE
    return Finding("queue", "queue", State.WARNING if late else State.OK, sentence, follow if late else "")


def _waited(since: datetime | None, now: datetime) -> timedelta:
    return now - since if since else timedelta()


def _age(waited: timedelta) -> str:
    return f", the oldest for {ago(waited)}" if waited else ""


def _many(count: int) -> str:
    return f"{periods.COUNTED:,} or more" if count >= periods.COUNTED else f"{count}"
