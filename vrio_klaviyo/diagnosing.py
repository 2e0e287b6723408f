"""
Why didn't it arrive? The published page's five checks for one customer, connection by connection, and what else may
explain it.

Everything is read from what we keep; whether Klaviyo knows the key today is `connecting`'s to ask before.

Source: requirements 003-63 to 003-67.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from vrio_klaviyo import clues
from vrio_klaviyo.clues import Clue
from vrio_klaviyo.connecting import NO
from vrio_klaviyo.findings import State
from vrio_klaviyo.gate import is_email
from vrio_klaviyo.recollection import Recollection
from vrio_klaviyo.store import listing
from vrio_klaviyo.store.connections import Connection, KeyStatus, list_connections
from vrio_klaviyo.store.customers import Customer, customers_called
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.listing import Wanted
from vrio_klaviyo.store.memory import Memory

PUSH_EVENTS = "Push Events is enabled"
KEY = "Private API key has the permissions"
ACTIVE = "Connection is active"
CAMPAIGNS = "Campaign filter does not exclude the customer"
EMAIL = "Customer has a valid e-mail address"

# What merchants are told to grant, as far as asking can tell.
_SCOPES = ("profiles:read", "lists:read")
_LAST = 20


@dataclass(frozen=True, slots=True)
class Check:
    """
    One of the page's checks.

    Shape:  remedy says what to do, "" when there is nothing to; target says where, as `kind:id:part`.
    """

    name: str
    state: State
    sentence: str
    remedy: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What stands between one customer and one connection's Klaviyo account; last are the newest deliveries."""

    connection: Connection
    checks: list[Check]
    clues: list[Clue]
    last: list[Delivery]


@dataclass(frozen=True, slots=True)
class Diagnoses:
    """
    What can be said of one customer.

    Shape:  customers are the person's rows, one for each source that told of them; none when nobody did. clues are what
            holds for every connection.
    """

    email: str
    customers: list[Customer]
    clues: list[Clue]
    by_connection: list[Diagnosis] = field(default_factory=list)

    @property
    def faults(self) -> list[Check]:
        """The checks that failed, of all connections."""
        return [check for each in self.by_connection for check in each.checks if check.state == State.FAULT]


def diagnose(session: Session, workspace_id: str, email_or_id: str) -> Diagnoses:
    """What keeps, or may keep, this customer's events from Klaviyo; by e-mail, or by our own id of the customer."""
    customers = customers_called(session, workspace_id, email_or_id)
    email = customers[0].email if customers else email_or_id.strip().lower()
    connections = list_connections(session, workspace_id)
    campaigns = _campaigns(session, customers)
    found = Diagnoses(email, customers, list(clues.of_workspace(session, workspace_id, email, customers, connections)))
    for connection in connections:
        last = _last(session, workspace_id, customers, connection)
        checks = [
            _push_events(connection),
            _key(connection),
            _active(connection),
            _campaign_filter(connection, campaigns),
            _email(email, customers),
        ]
        found.by_connection.append(Diagnosis(connection, checks, list(clues.of_connection(connection, last)), last))
    return found


def _push_events(connection: Connection) -> Check:
    if connection.push_events:
        return Check(PUSH_EVENTS, State.OK, "Customer and order events are sent.")
    return Check(
        PUSH_EVENTS,
        State.FAULT,
        "Push Events is off: what comes in is recorded, and not sent.",
        "Switch Push Events on, then send again what was not sent.",
        f"connection:{connection.id}:settings",
    )


def _key(connection: Connection) -> Check:
    where = f"connection:{connection.id}:key"
    if connection.key_status == KeyStatus.REJECTED:
        said = connection.key_reason or "Klaviyo refused it."
        remedy = "Give the connection a key that is good; what is held goes by itself."
        return Check(KEY, State.FAULT, f"Klaviyo does not take the key: {said}", remedy, where)
    missing = [scope for scope in _SCOPES if connection.scopes.get(scope) == NO]
    if missing:
        remedy = "Make a key with full access to Events, Profiles and Lists, and give it to the connection."
        return Check(KEY, State.FAULT, f"The key lacks {', '.join(missing)}.", remedy, where)
    if connection.key_status == KeyStatus.UNCHECKED:
        return Check(KEY, State.UNKNOWN, "Nobody has asked Klaviyo about this key yet.", "Check the key.", where)
    return Check(KEY, State.OK, "Klaviyo takes the key.")


def _active(connection: Connection) -> Check:
    if connection.active:
        return Check(ACTIVE, State.OK, "The connection is active.")
    return Check(
        ACTIVE,
        State.FAULT,
        "The connection is paused: what comes in meanwhile is not sent.",
        "Activate the connection; then send again what was not sent.",
        f"connection:{connection.id}:settings",
    )


def _campaign_filter(connection: Connection, campaigns: Sequence[str]) -> Check:
    chosen = connection.campaigns
    if not chosen:
        return Check(CAMPAIGNS, State.OK, "All campaigns are sent.")
    outside = [campaign for campaign in campaigns if campaign and campaign not in chosen]
    where = f"connection:{connection.id}:settings"
    if outside:
        inside = [campaign for campaign in campaigns if campaign in chosen]
        but = f" What is of campaign {', '.join(inside)} goes." if inside else ""
        sentence = f"The customer has orders of campaign {', '.join(outside)}, which is not chosen.{but}"
        remedy = "Add the campaign to the connection, then send again what was not sent."
        return Check(CAMPAIGNS, State.FAULT, sentence, remedy, where)
    if "" in campaigns or not campaigns:
        sentence = "Only chosen campaigns are sent, and of which one the customer's orders are is not known."
        return Check(CAMPAIGNS, State.UNKNOWN, sentence, "Look at the customer's order in Vrio.", where)
    return Check(CAMPAIGNS, State.OK, "The customer's campaign is among the chosen ones.")


def _email(email: str, customers: Sequence[Customer]) -> Check:
    where = f"customer:{customers[0].id}" if customers else ""
    if is_email(email):
        return Check(EMAIL, State.OK, "The address can be one.")
    sentence = "The address cannot be one." if email and "@" in email else "The customer has no e-mail address."
    remedy = "Correct the e-mail address in Vrio; what comes after that will go."
    return Check(EMAIL, State.FAULT, sentence, remedy, where)


def _campaigns(session: Session, customers: Sequence[Customer]) -> list[str]:
    """The campaigns of all orders and payments of a person, each once; "" stands for those that say none."""
    found: list[str] = []
    for customer in customers:
        if customer.vrio_id:
            found += _campaigns_of(Recollection(Memory(session, customer.source_id)), customer.vrio_id)
    return sorted(set(found))


def _campaigns_of(known: Recollection, vrio_id: str) -> Iterator[str]:
    orders = {order.order_id: order.campaign_id for order in known.orders_of(vrio_id)}
    payments = known.transactions_of(vrio_id)
    for payment in payments:
        yield payment.campaign_id or orders.get(payment.order.order_id, "")
    told = {payment.order.order_id for payment in payments}
    yield from (campaign for order_id, campaign in orders.items() if order_id not in told)


def _last(session: Session, workspace_id: str, customers: Sequence[Customer], connection: Connection) -> list[Delivery]:
    wanted = Wanted(customers=[customer.id for customer in customers], connections=[connection.id])
    return listing.page_of_deliveries(session, workspace_id, wanted, limit=_LAST).rows
