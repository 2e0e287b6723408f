"""A merchant's house on a real database, with a clock that stands still, a bell that is a list, and its settings."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from sandbox.klaviyo import GOOD_KEY
from tests.bodies import declined, event
from vrio_klaviyo import config
from vrio_klaviyo.calling import new_session
from vrio_klaviyo.intake import Intake
from vrio_klaviyo.klaviyo.requests import EventRequest, loads, render
from vrio_klaviyo.lane import Lane
from vrio_klaviyo.store import attempts, deliveries, inbound, turns
from vrio_klaviyo.store.arrivals import Arrivals
from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.connections import Connection, add_connection, find_connection
from vrio_klaviyo.store.crypto import Vault, new_key
from vrio_klaviyo.store.customers import Customer, meet_customer
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.keeping import Envelope, Kept
from vrio_klaviyo.store.leases import LeaseRow
from vrio_klaviyo.store.opening import Opening, open_delivery
from vrio_klaviyo.store.sources import Source, add_source
from vrio_klaviyo.store.tables import metadata
from vrio_klaviyo.store.turns import Due
from vrio_klaviyo.store.workspaces import DEFAULT, Workspace, find_workspace
from webhooks.vrio import Receiver

A_MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 8, 30, 12, tzinfo=UTC)


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
        return Arrivals(self.db).keep(source_id or self.source.id, envelope, b"{}", dedup_key, self.clock(), **more)

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
