"""A shop to show: a source, and webhooks that have come in and been worked off."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cryptography.fernet import Fernet
from flask import Flask

from sandbox.klaviyo import create_app, serve_in_thread
from sandbox.klaviyo.settings import Settings
from vrio_klaviyo.calling import new_session
from vrio_klaviyo.intake import Intake
from vrio_klaviyo.lane import Lane
from vrio_klaviyo.store.connections import Connection, add_connection
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.sources import Source, add_source
from vrio_klaviyo.store.workspaces import find_workspace
from webhooks import vrio

ENCRYPTION_KEY = Fernet.generate_key().decode()
SAMPLES = Path(__file__).parents[2] / "sandbox" / "samples"


def utc_now() -> datetime:
    return datetime.now(UTC)


def nobody(_job: str, _subject: str) -> bool:
    """A bell that nobody hears."""
    return True


class Shop:
    """One source, and as many connections as are asked for, in the workspace `default`."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self.db = db
        self.vault = vault
        self.receiver = vrio.Receiver(db, nobody, utc_now)
        with db.write() as session:
            self.source: Source = add_source(session, vault, find_workspace(session), "My shop")

    def connect(self, key: str, name: str = "Klaviyo Production", *, active: bool = True) -> Connection:
        with self.db.write() as session:
            return add_connection(session, self.vault, find_workspace(session), name, key, active=active)

    def receive(self, body: bytes) -> str:
        """Keep one webhook and work it off; its id."""
        kept, _ = self.receiver.receive(self.source.id, body)
        self.take_in()
        return kept.id

    def take_in(self) -> None:
        """Work off what has come."""
        Intake(db=self.db, ring=nobody, now=utc_now).drain(self.source.id, "test")

    def receive_sample(self, name: str) -> str:
        return self.receive((SAMPLES / f"{name}.json").read_bytes())

    def send(self, connection: Connection, klaviyo_url: str) -> None:
        """Send all that the connection owes."""
        with new_session() as http:
            Lane(db=self.db, vault=self.vault, http=http, base_url=klaviyo_url, ring=nobody, now=utc_now).drain(
                connection.account_id, "test"
            )


@contextmanager
def klaviyo(**settings: object) -> Iterator[tuple[str, Flask]]:
    """A sandbox Klaviyo without rate limits unless asked for; its URL, and the application."""
    app = create_app(Settings(**{"rate_limits": False, **settings}))  # type: ignore[arg-type]
    with serve_in_thread(app) as url:
        yield url, app
