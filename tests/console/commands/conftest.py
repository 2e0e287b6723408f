"""Commands as a person or a script runs them: arguments and standard input in; two outputs and an exit code out."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from click.testing import Result
from flask import Flask
from redis import Redis

from console import commands
from tests.console.shop import ENCRYPTION_KEY, Shop
from vrio_klaviyo.store.audit import COMMAND_LINE
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.journals import page_of_entries
from vrio_klaviyo.store.workspaces import find_workspace


@pytest.fixture
def invoke() -> Iterator[Callable[..., Result]]:
    """Run one command, with whatever the environment says."""
    app = Flask("vrio_klaviyo")
    commands.register(app)
    before = logging.root.handlers[:]
    yield lambda *args, stdin=b"": app.test_cli_runner().invoke(args=args, input=stdin)
    # A command sets the log to its own standard error, which is gone by now.
    logging.root.handlers[:] = before
    structlog.reset_defaults()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str) -> None:
    """All that must be set; there is no Klaviyo."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("SECRET_KEY", "secret")
    monkeypatch.setenv("ENCRYPTION_KEYS", ENCRYPTION_KEY)
    monkeypatch.setenv("KLAVIYO_API_URL", "http://127.0.0.1:9")


class Flasks:
    """The `flask` command on a database of its own."""

    def __init__(self, invoke: Callable[..., Result], redis_url: str) -> None:
        self.invoke = invoke
        self._redis_url = redis_url

    def told(self, *args: str, stdin: bytes = b"", exit_code: int = 0) -> Any:
        """The one thing that a command shows."""
        (thing,) = self.listed(*args, stdin=stdin, exit_code=exit_code)
        return thing

    def listed(self, *args: str, stdin: bytes = b"", exit_code: int = 0) -> list[Any]:
        """The things that a command lists."""
        result = self.invoke(*args, "--json", stdin=stdin)
        assert result.exit_code == exit_code, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    def audited(self, db: Database) -> list[tuple[str, dict[str, Any]]]:
        """What the audit log says that the command line did, the newest last."""
        with db.read() as session:
            entries = page_of_entries(session, find_workspace(session).id, actor=COMMAND_LINE).rows
        return [(entry.action, entry.details) for entry in entries[::-1]]

    def rung(self) -> set[str]:
        """The bells that ring."""
        with Redis.from_url(self._redis_url, decode_responses=True) as client:
            return set(client.keys("bell:*"))


@pytest.fixture
def flask(invoke: Callable[..., Result], environment: None, redis_url: str) -> Flasks:
    return Flasks(invoke, redis_url)


@pytest.fixture
def shop(flask: Flasks, database: Database) -> Shop:
    """A source called "My shop" in the database that the commands see."""
    return Shop(database, Vault([ENCRYPTION_KEY]))
