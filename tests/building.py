"""
What tests of the engine are made of: a merchant's house on a real database, webhooks to post, a Klaviyo that obeys.

Everything here goes in by the front door; time stands still until a test moves it, and the bell is a list.
"""

import copy
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import delete, select

from sandbox.klaviyo import GOOD_KEY, Settings, create_app, serve_in_thread
from vrio_klaviyo import config
from vrio_klaviyo.calling import new_session
from vrio_klaviyo.intake import Intake
from vrio_klaviyo.klaviyo.requests import EventRequest, Profile, loads, render
from vrio_klaviyo.lane import Lane
from vrio_klaviyo.store import attempts, deliveries, inbound, turns
from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.connections import Connection, add_connection, find_connection
from vrio_klaviyo.store.crypto import Vault, new_key
from vrio_klaviyo.store.customers import Customer, meet_customer
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.keeping import Envelope, Kept, keep_all, row_of
from vrio_klaviyo.store.leases import LeaseRow
from vrio_klaviyo.store.opening import Opening, open_delivery
from vrio_klaviyo.store.sources import Source, add_source
from vrio_klaviyo.store.tables import metadata
from vrio_klaviyo.store.turns import Due
from vrio_klaviyo.store.workspaces import DEFAULT, Workspace, find_workspace
from webhooks.vrio import Receiver

SAMPLES = Path(__file__).parents[1] / "sandbox" / "samples"
A_MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 8, 30, 12, tzinfo=UTC)

SALE = "transaction_completed_sale_subscription_cycle1"
DECLINED = "transaction_completed_declined_cycle1"


def standing_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """
    A migrated database for all tests of a module, of the kind that `request.param` names; each test empties it first.

    A PostgreSQL of its own for every test is what takes most of the time of a test.
    """
    kinds = request.getfixturevalue({"sqlite": "sqlite_files", "postgresql": "postgres_server"}[request.param])
    with kinds.fresh(migrated=True) as url:
        database = Database(url)
        yield database
        database.close()


def emptied(database: Database) -> Database:
    """The database as after its migration: without rows, but for the default workspace."""
    with database.write() as session:
        for table in reversed(metadata.sorted_tables):
            rows = delete(table)
            session.execute(rows.where(Workspace.name != DEFAULT) if table is Workspace.__table__ else rows)
    return database


def settings_for(database_url: str, redis_url: str) -> config.Settings:
    """As a process of the product has them; neither Klaviyo nor Vrio is there."""
    return config.Settings(
        database_url=database_url,
        redis_url=redis_url,
        secret_key="a secret of this test",
        encryption_keys=(new_key(),),
        klaviyo_api_url="http://127.0.0.1:9",
        vrio_api_url="http://127.0.0.1:9",
        host="127.0.0.1",
        port=8080,
        web_concurrency=1,
        log_level="info",
    )


class StandingClock:
    """The time, which stands still until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> None:
        """Move the hands; seconds=, minutes=, hours=, days=."""
        self.now += timedelta(**delta)


class House:
    """A merchant's workspace with one source, and both halves of the story over it."""

    def __init__(self, db: Database, klaviyo_url: str = "http://127.0.0.1:9") -> None:
        self.db = db
        self.clock = StandingClock()
        self.bells: list[tuple[str, str]] = []
        self.vault = Vault([new_key()])
        self.http = new_session()
        self.klaviyo_url = klaviyo_url
        self.source = self.add_source("Vrio")

    def close(self) -> None:
        """Give the connections to Klaviyo back."""
        self.http.close()

    def ring(self, job: str, subject: str) -> bool:
        """The bell that parts of the product are given."""
        self.bells.append((job, subject))
        return True

    def add_source(self, name: str, **options: Any) -> Source:
        """One more source of the workspace."""
        with self.db.write() as session:
            return add_source(session, self.vault, find_workspace(session), name, **options)

    def connect(
        self, name: str = "Klaviyo", key: str = GOOD_KEY, *, beside: Connection | None = None, **options: Any
    ) -> Connection:
        """One more connection, activated now; `beside` another one it is in that one's lane."""
        with self.db.write() as session:
            connection = add_connection(session, self.vault, find_workspace(session), name, key, **options)
            connection.activated_at = self.clock() if connection.active else None
            if beside:
                connection.account_id = beside.account_id
        return connection

    def change(self, thing: Connection | Delivery, **values: Any) -> None:
        """Write into its row."""
        with self.db.write() as session:
            row = session.get_one(type(thing), thing.id)
            for name, value in values.items():
                setattr(row, name, value)

    def connection(self, connection: Connection) -> Connection:
        """The connection as it is now."""
        with self.db.read() as session:
            return find_connection(session, connection.id)

    def post(self, body: bytes | dict[str, Any], source: Source | None = None) -> str:
        """Receive one webhook; the id of its inbound event."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        kept, _ = Receiver(self.db, self.ring, self.clock).receive((source or self.source).id, raw)
        return kept.id

    def keep(self, dedup_key: str = "k", source_id: str = "", **more: str) -> Kept:
        """A webhook past the web process, of which nothing but the envelope can be read."""
        envelope = Envelope("transaction", "transaction_completed", "6001")
        row = row_of(source_id or self.source.id, envelope, b"{}", dedup_key, self.clock(), **more)
        (kept,) = keep_all(self.db, [row])
        return kept

    def take_in(self, source: Source | None = None, **options: Any) -> None:
        """Run the intake."""
        intake = Intake(db=self.db, ring=self.ring, now=self.clock, **options)
        intake.drain((source or self.source).id, "worker/1")

    def lane(self, **options: Any) -> Lane:
        """The second half, talking to the sandbox."""
        settings: dict[str, Any] = {"db": self.db, "vault": self.vault, "http": self.http, "base_url": self.klaviyo_url}
        return Lane(**settings, ring=self.ring, now=self.clock, **options)

    def send(self, connection: Connection, owner: str = "worker/1", **options: Any) -> None:
        """Run the lane of a connection."""
        self.lane(**options).drain(connection.account_id, owner)

    def settle(self, connection: Connection, **options: Any) -> None:
        """Run the lane until nothing more is due: a run ends after its slice of time, or waits for Klaviyo's limits."""
        self.send(connection, **options)
        while ("lane", connection.account_id) in self.bells or self._waits_for_limits(connection):
            self.bells.clear()
            self.send(connection, **options)

    def _waits_for_limits(self, connection: Connection) -> bool:
        """Whether what is due must wait for the limits; if so, the hands move on to when it may go."""
        with self.db.read() as session:
            wake_at = session.get_one(LeaseRow, f"lane/{connection.account_id}").wake_at
            due_at = turns.next_due_at(session, connection.account_id)
        now = self.clock()
        waits = due_at is not None and due_at <= now and wake_at is not None and now < wake_at <= now + A_MINUTE
        if waits:
            self.clock.now = wake_at
        return waits

    def inbound(self, inbound_id: str) -> InboundEvent:
        """An inbound event as it is now."""
        with self.db.read() as session:
            return inbound.find_inbound(session, inbound_id)

    def deliveries(self, connection: Connection | None = None) -> list[Delivery]:
        """All deliveries, the first one opened first."""
        with self.db.read() as session:
            found = deliveries.list_deliveries(session, connection_id=connection.id if connection else None, limit=999)
        return found[::-1]

    def delivery(self) -> Delivery:
        """The one delivery that there is."""
        (found,) = self.deliveries()
        return found

    def attempts(self, delivery: Delivery | None = None) -> list[Attempt]:
        """The attempts of a delivery, the first one first; of the only one when none is named."""
        with self.db.read() as session:
            return attempts.attempts_of_deliveries(session, [(delivery or self.delivery()).id])[::-1]

    def customers(self) -> list[Customer]:
        """All customers, oldest first."""
        with self.db.read() as session:
            return list(session.scalars(select(Customer).order_by(Customer.id)))

    def owe(self, connection: Connection, number: int = 1, **changes: Any) -> Delivery:
        """A delivery that is due, opened past the intake: one event for one customer."""
        opening = self.opening(connection, number, **changes)
        with self.db.write() as session:
            delivery_id = open_delivery(session, opening, self.clock())
            assert delivery_id is not None
            return session.get_one(Delivery, delivery_id)

    def begin(self, connection: Connection) -> list[tuple[Due, str]]:
        """What is due, with its attempts opened."""
        with self.db.write() as session:
            claimed = turns.claim_due(session, connection.account_id, self.clock(), 16)
            pairs = [(due, render(loads(due.delivery.request), due.connection.style, due.known)) for due in claimed]
            opened = attempts.open_attempts(session, pairs, "https://klaviyo.test", self.clock())
        return list(zip(claimed, opened, strict=True))

    def opening(
        self,
        connection: Connection,
        number: int = 1,
        *,
        customer: int = 301,
        source: Source | None = None,
        as_of: datetime | None = None,
        skip_reason: str | None = None,
        request: EventRequest | None = None,
    ) -> Opening:
        """What a delivery is opened with; its inbound event and its customer are made."""
        source = source or self.source
        with self.db.write() as session:
            known = meet_customer(
                session,
                workspace_id=source.workspace_id,
                source_id=source.id,
                vrio_id=str(customer),
                email=f"john{customer}@acme.test",
                first_name="John",
                last_name="Doe",
                phone="",
                as_of=NOON,
            )
        return Opening(
            connection_id=connection.id,
            source_id=source.id,
            customer_id=known and known.id,
            inbound_event_id=self.post(declined(number, customer=customer), source),
            request=request or event(f"{1000 + number}", email=f"john{customer}@acme.test"),
            as_of=as_of or NOON,
            skip_reason=skip_reason,
            notes=(),
        )


def event(unique_id: str = "1668", *, email: str = "john@acme.test", **changes: Any) -> EventRequest:
    """A neutral request that Klaviyo takes."""
    fields: dict[str, Any] = {
        "metric": "Declined Order",
        "unique_id": unique_id,
        "time": datetime(2026, 8, 15, 10, 30, tzinfo=UTC),
        "profile": Profile(email=email, first_name="John"),
        "properties": {"OrderId": "1253"},
    }
    return EventRequest(**fields | changes)


@cache
def _sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_bytes())


def sample(name: str) -> dict[str, Any]:
    """A sample webhook, to be changed as you like."""
    return copy.deepcopy(_sample(name))


def declined(
    number: int = 1,
    *,
    customer: int = 301,
    email: str = "john@acme.test",
    phone: str = "(555) 123-4567",
    at: str = "2026-08-30 11:00:00",
    campaign: str = "1",
) -> dict[str, Any]:
    """A declined payment: one webhook that becomes one delivery, transaction 1001 for number 1."""
    body = sample(DECLINED)
    body |= {"webhook_event_id": 7000 + number, "webhook_event_date": at}
    transaction = body["webhook_data"]["transaction"]
    transaction |= {"id": str(1000 + number), "date_complete": at, "date_modified": at}
    transaction["customer"] |= {"id": str(customer), "email": email, "phone": phone, "date_modified": at}
    transaction["order"] |= {"customer_id": str(customer), "campaign_id": campaign, "date_modified": at}
    transaction["campaign"]["id"] = campaign
    return body


@dataclass
class Waiting:
    """What the sandbox does where it would wait: `act` once if a test says so, else wait."""

    act: Callable[[], object] | None = None

    def __call__(self, seconds: float) -> None:
        act, self.act = self.act, None
        if act:
            act()
        else:
            time.sleep(seconds)


class Klaviyo:
    """The sandbox, as a test steers it."""

    def __init__(self, url: str, waiting: Waiting) -> None:
        self.url = url
        self._waiting = waiting
        self._http = requests.Session()
        self._http.trust_env = False

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def reset(self) -> None:
        """As if it had just been started."""
        self._waiting.act = None
        self._post("reset", None)

    def fault(self, fault: str, **how: Any) -> None:
        """The next matching request goes wrong."""
        self._post("faults", {"fault": fault} | how)

    def settings(self, **settings: Any) -> None:
        """Change the sandbox's settings."""
        self._post("settings", settings)

    def key(self, name: str, key: str, *, account: str = "SbxA01", revoked: bool = False) -> None:
        """Make or change a private key."""
        self._post("keys", {"name": name, "key": key, "account": account, "revoked": revoked})

    def while_asked(self, act: Callable[[], object], **match: str) -> None:
        """Do this while the next request to the API, or the next that matches, waits for its answer."""
        self._waiting.act = act
        self.fault("latency", ms=1, match=match)

    def events(self, **wanted: str) -> list[dict[str, Any]]:
        """The events that it holds."""
        return list(self._get("events", wanted))

    def requests(self) -> list[dict[str, Any]]:
        """The requests that reached its API."""
        return list(self._get("requests", {}))

    def profile(self, email: str) -> dict[str, Any]:
        """The attributes of the one profile with this e-mail."""
        (found,) = self._get("profiles", {"email": email})
        attributes: dict[str, Any] = found["attributes"]
        return attributes

    def _post(self, route: str, body: Any) -> None:
        self._http.post(f"{self.url}/sandbox/{route}", json=body, timeout=30).raise_for_status()

    def _get(self, route: str, query: dict[str, str]) -> Any:
        answer = self._http.get(f"{self.url}/sandbox/{route}", params=query, timeout=30)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def klaviyo_served(**settings: Any) -> Iterator[Klaviyo]:
    """A sandbox over real HTTP; its rate limits are off unless asked for."""
    waiting = Waiting()
    app = create_app(Settings(**{"rate_limits": False} | settings), wait=waiting)
    with serve_in_thread(app) as url:
        klaviyo = Klaviyo(url, waiting)
        yield klaviyo
        klaviyo.close()
