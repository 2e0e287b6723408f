"""Sending one request again: which bodies there are to choose from, and how they differ. Nothing is sent here."""

from dataclasses import dataclass
from datetime import datetime

from console.pages.differences import Difference, difference
from console.site import Site
from vrio_klaviyo.errors import Refused
from vrio_klaviyo.klaviyo.requests import Known, Request, loads, render
from vrio_klaviyo.sending_again import how, is_history
from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import link_of
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import Delivery

# What the audit log calls it.
RESENT = "delivery.resent"


@dataclass(frozen=True, slots=True)
class Choices:
    """
    What a person may choose from.

    Shape:  same and built are bodies, None where that way is closed, and then the reason says why; they are one reason
            when neither is open. changed is the way from the one to the other. What is history says so in either.
    """

    same: bytes | None
    same_refused: str
    built: bytes | None
    built_refused: str
    changed: Difference | None
    never_sent: bool
    paused: bool
    history: bool

    @property
    def refused(self) -> str:
        """Why it cannot be sent again at all; "" when it can."""
        return self.same_refused if self.same is None and self.built is None else ""


def choices(site: Site, delivery_id: str) -> Choices:
    """The bodies that sending this delivery again would send."""
    # Building an event may number it, which writes; nothing of that stays.
    with site.db.trial() as session:
        delivery = session.get_one(Delivery, delivery_id)
        connection = session.get_one(Connection, delivery.connection_id)
        same, same_refused = _body(session, delivery, connection, site.now(), rebuild=False)
    with site.db.trial() as session:
        delivery = session.get_one(Delivery, delivery_id)
        connection = session.get_one(Connection, delivery.connection_id)
        built, built_refused = _body(session, delivery, connection, site.now(), rebuild=True)
        never_sent = not delivery.tries and delivery.status == "skipped"
        paused, history = not connection.active, is_history(delivery, site.now())
    changed = difference(same, built) if same is not None and built is not None else None
    return Choices(same, same_refused, built, built_refused, changed, never_sent, paused, history)


def _body(
    session: Session, delivery: Delivery, connection: Connection, now: datetime, *, rebuild: bool
) -> tuple[bytes | None, str]:
    try:
        again = how(session, delivery, connection, now, rebuild=rebuild, despite_pause=True)
    except Refused as error:
        return None, str(error)
    if again.request is None and again.same_as is not None:
        return session.get_one(Attempt, again.same_as).request_body, ""
    return _rendered(session, delivery, connection, again.request or loads(delivery.request), again.backfill), ""


def _rendered(session: Session, delivery: Delivery, connection: Connection, request: Request, backfill: bool) -> bytes:
    """The bytes that the lane would make of a request by what is known today."""
    link = link_of(session, connection.id, delivery.customer_id)
    newest = link.accepted_as_of if link else None
    known = Known(
        refused_phone=link.refused_phone if link else None,
        overtaken=newest is not None and newest > delivery.as_of,
        backfill=backfill,
    )
    return render(request, connection.style, known).body
