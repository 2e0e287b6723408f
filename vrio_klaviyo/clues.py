"""Clues: what else than the five checks may explain that a customer's event is not in Klaviyo."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vrio_klaviyo.gate import SkipReason, explain
from vrio_klaviyo.klaviyo.known_errors import known_error
from vrio_klaviyo.store import listing, periods
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import Customer
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus
from vrio_klaviyo.store.inbound import InboundStatus
from vrio_klaviyo.store.listing import Wanted
from vrio_klaviyo.store.sources import list_sources
from vrio_klaviyo.wanted import TEST_ADDRESS, is_dropped

_LAST = 20


@dataclass(frozen=True, slots=True)
class Clue:
    """Something that may explain it: a sentence, what to do, and where, as `kind:id:part`; "" where there is none."""

    sentence: str
    remedy: str = ""
    target: str = ""


def of_workspace(
    session: Session, workspace_id: str, email: str, customers: Sequence[Customer], connections: Sequence[Connection]
) -> Iterator[Clue]:
    """What holds for the customer whichever connection it is."""
    sources = [source.id for source in list_sources(session, workspace_id)]
    if not sources:
        yield Clue("There is no source: no Vrio account can post here yet.", "Make a source.", "sources:new")
    elif periods.last_received(session, sources) is None:
        remedy = "Paste the source's webhook address into Vrio, and send a sample."
        yield Clue("No webhook from Vrio has ever come.", remedy, f"source:{sources[0]}")
    if not connections:
        yield Clue("There is no connection to Klaviyo.", "Make a connection.", "connections:new")
    if is_dropped(email):
        yield Clue(TEST_ADDRESS, "Try it with an address at another domain.")
    if sources:
        yield from _waiting(session, sources, known=bool(customers))
    if customers:
        yield from _of_webhooks(session, workspace_id, customers)
    elif sources:
        yield Clue("No webhook has told of a customer with this address.", "Look the customer up in Vrio.")


def of_connection(connection: Connection, last: Sequence[Delivery]) -> Iterator[Clue]:
    """What the newest deliveries of the customer tell, each thing once, and what the connection leaves out."""
    where = f"connection:{connection.id}:settings"
    if connection.metrics_off:
        off = ", ".join(connection.metrics_off)
        yield Clue(f"The connection does not send {off}.", "Switch the event on, if it is to go.", where)
    if connection.active and connection.activated_at is None:
        yield Clue("The connection was never activated.", "Activate it.", where)
    told: Counter[tuple[str, str]] = Counter((delivery.status, delivery.cause) for delivery in last)
    newest = {(delivery.status, delivery.cause): delivery for delivery in reversed(last)}
    for (status, cause), count in told.items():
        yield from _of_deliveries(newest[status, cause], status, cause, count)


def _of_deliveries(newest: Delivery, status: str, cause: str, count: int) -> Iterator[Clue]:
    where, times = f"delivery:{newest.id}", "once" if count == 1 else f"{count} times"
    match status:
        case DeliveryStatus.SKIPPED:
            explained = explain(SkipReason(cause))
            yield Clue(f"Not sent, {times} of late: {explained.meaning}", explained.remedy, where)
        case DeliveryStatus.FAILED:
            error = known_error(newest.reason)
            yield Clue(f"Failed, {times} of late: {error.meaning} ({cause.splitlines()[0]})", error.remedy, where)
        case DeliveryStatus.HELD:
            held = _HELD.get(cause, "It is held.")
            yield Clue(f"Held, {times} of late: {held}", "It goes by itself when that is put right.", where)
        case DeliveryStatus.RETRYING:
            again = f" at {newest.next_attempt_at:%H:%M:%S} UTC" if newest.next_attempt_at else ""
            yield Clue(
                f"Klaviyo did not take it yet; it is sent again{again}.", known_error(newest.reason).remedy, where
            )
        case DeliveryStatus.QUEUED:
            yield Clue("It is in the queue, and goes by itself.", "If it stays there, look at Health.", where)


_HELD = {
    "key_rejected": "Klaviyo does not take the connection's key.",
    "connection_paused": "the connection was paused when it was queued.",
    "endpoint_refused": "Klaviyo refuses the address or the revision that we use.",
}


def _waiting(session: Session, sources: Sequence[str], *, known: bool) -> Iterator[Clue]:
    counts = periods.to_be_read(session, sources)
    if unread := counts["received"]:
        sentence = f"Webhooks that came in are not read yet: {unread}."
        yield Clue(sentence, "If that number stays, look at Health: a worker may be missing.", "health")
    # A webhook that waits names no customer of ours yet, so it may be anybody's.
    if (waiting := counts["waiting"]) and not known:
        sentence = f"Webhooks wait for what Vrio has not told yet, such as their customer: {waiting}."
        remedy = "Give the source a REST key, or wait for the customer's next payment."
        yield Clue(sentence, remedy, f"webhooks:{InboundStatus.WAITING}")


def _of_webhooks(session: Session, workspace_id: str, customers: Sequence[Customer]) -> Iterator[Clue]:
    """The customer's newest webhooks of which nothing was made, each reason once."""
    wanted = Wanted(customers=[customer.id for customer in customers])
    told = set()
    for webhook in listing.page_of_webhooks(session, workspace_id, wanted, limit=_LAST).rows:
        silent = webhook.status in (InboundStatus.IGNORED, InboundStatus.UNKNOWN, InboundStatus.FAILED)
        reason = webhook.reason.splitlines()[0] if webhook.reason else ""
        if silent and (webhook.event, reason) not in told:
            told.add((webhook.event, reason))
            sentence = _SILENT.get(reason, reason)
            yield Clue(
                f"Nothing was made of Vrio's {webhook.event or 'webhook'}: {sentence}", "", f"webhook:{webhook.id}"
            )


_SILENT = {"no_connection": "there was no connection when it came."}
