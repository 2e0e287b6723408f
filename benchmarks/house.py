"""The product as it is run, on a database of either kind, and a sandbox Klaviyo in a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests

from sandbox.klaviyo import GOOD_KEY
from sandbox.redis_server import PrivateRedis
from tests.databases import PostgresServer, SqliteFiles
from tests.product import PATIENCE_S, ROOT, Product, procfile, wait_until
from vrio_klaviyo.store import figures, leases
from vrio_klaviyo.store.connections import Connection, add_connection
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.db import Database, DatabaseError
from vrio_klaviyo.store.sources import Source, add_source, webhook_path
from vrio_klaviyo.store.workspaces import Workspace, find_workspace
from webhooks.vrio import Receiver
from workers.bells import Bells
from workers.tools import utc_now

SQLITE, POSTGRESQL = KINDS = ("SQLite", "PostgreSQL")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
DRAINED_WITHIN_S = 900.0


class DurablePostgres(PostgresServer):
    """As in production: what was committed is on the disk."""

    def _prepared(self) -> list[str | Path]:
        return [str(part).replace("=off", "=on") for part in super()._prepared()]


class Klaviyo:
    """The sandbox, as a benchmark steers it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = requests.Session()
        self._http.trust_env = False

    def reset(self, **settings: Any) -> None:
        """As if it had just been started, with these settings."""
        self._post("reset", None)
        self._post("settings", {"latency_ms": 0, "rate_limits": False} | settings)

    def account(self, number: int) -> str:
        """The key of one more account."""
        key = f"pk_benchmark_{number:030d}"
        self._post("keys", {"name": f"account {number}", "key": key, "account": f"Bench{number:02d}"})
        return key

    def events(self) -> list[dict[str, Any]]:
        """The events that it holds."""
        return list(self._get("events"))

    def refusals(self) -> int:
        """How many of the last requests it answered with 429."""
        return sum(entry["status"] == 429 for entry in self._get("requests"))

    def _post(self, route: str, body: Any) -> None:
        self._http.post(f"{self.url}/sandbox/{route}", json=body, timeout=30).raise_for_status()

    def _get(self, route: str) -> Any:
        answer = self._http.get(f"{self.url}/sandbox/{route}", timeout=120)
        answer.raise_for_status()
        return answer.json()


class House(Product):
    """One installation with a source and a connection, whose keys it knows."""

    def __init__(self, database_url: str, redis_url: str, klaviyo: Klaviyo) -> None:
        super().__init__(database_url, redis_url, klaviyo.url, LOG_LEVEL="warning")
        self.environment = self._environment
        self.klaviyo = klaviyo
        self.db = Database(database_url)
        self.bells = Bells(redis_url)
        self.vault = Vault([self.environment["ENCRYPTION_KEYS"]])
        with self.db.write() as session:
            workspace = find_workspace(session)
        self.source, self.connection = self.settle(workspace, GOOD_KEY)

    def settle(self, workspace: Workspace, key: str) -> tuple[Source, Connection]:
        """A source and a connection in a workspace."""
        with self.db.write() as session:
            source = add_source(session, self.vault, workspace, "Vrio")
            connection = add_connection(session, self.vault, workspace, "Klaviyo", key)
            connection.activated_at = utc_now()
        return source, connection

    @property
    def address(self) -> str:
        """Where Vrio posts to."""
        return self.url + webhook_path(self.source, self.vault)

    def receive(self, bodies: list[bytes], source: Source | None = None) -> None:
        """Keep webhooks as the web process does, without HTTP and without a bell."""
        receiver = Receiver(self.db, lambda *_: True, utc_now)
        for body in bodies:
            receiver.receive((source or self.source).id, body)

    def start_workers(self, count: int, first: int = 0, rush_at: int | None = None) -> list[int]:
        """
        Start so many worker processes; their ids, once they wait for bells.

        Shape:  with `rush_at` they know no limits of Klaviyo, and that many due deliveries make a rush.
        """
        command, environment = ["/bin/sh", "-c", f"exec {procfile()['worker']}"], self.environment
        if rush_at is not None:
            command = [sys.executable, "-m", "benchmarks.worker"]
            environment = environment | {"BENCHMARK_RUSH_AT": str(rush_at)}
        for number in range(first, first + count):
            self._running[f"worker {number}"] = subprocess.Popen(
                command, cwd=ROOT, env=environment, start_new_session=True
            )
        wait_until(lambda: self._workers() >= count, f"{count} workers wait for bells")
        return [self.process(f"worker {number}") for number in range(first, first + count)]

    def process(self, name: str) -> int:
        """The id of a process that was started."""
        return self._running[name].pid

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """While the block lasts no process does anything."""
        self._tell_all(signal.SIGSTOP)
        while not self._is_free():
            # One of them was stopped while it wrote, and SQLite lets nobody else write.
            self._tell_all(signal.SIGCONT)
            time.sleep(0.05)
            self._tell_all(signal.SIGSTOP)
        yield
        self._tell_all(signal.SIGCONT)

    def _is_free(self) -> bool:
        try:
            with self.db.write() as session:
                find_workspace(session)
        except DatabaseError:
            return False
        return True

    def _tell_all(self, signal_number: int) -> None:
        for process in self._running.values():
            os.killpg(process.pid, signal_number)

    def owes(self) -> int:
        """How many webhooks and deliveries are not done with."""
        with self.db.read() as session:
            return figures.unfinished(session)["received"] + sum(figures.owed(session).values())

    def wait_until_drained(self) -> None:
        """Return once nothing is owed."""
        wait_until(lambda: not self.owes(), "all is sent", DRAINED_WITHIN_S)

    def leave(self) -> None:
        """End whatever runs, and give the database back."""
        self.close()
        self.db.close()

    def _workers(self) -> int:
        with self.db.read() as session:
            return leases.alive(session, "worker/", utc_now())


class Ground:
    """What all benchmarks stand on: a folder, a PostgreSQL and a sandbox Klaviyo, started when needed."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._servers: dict[str, SqliteFiles | PostgresServer] = {}
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vrio-klaviyo-benchmarks-")))
        self.klaviyo = Klaviyo(stack.enter_context(_sandbox()))

    @contextmanager
    def house(self, kind: str = SQLITE, **settings: Any) -> Iterator[House]:
        """A fresh installation with a Redis of its own; the sandbox is reset to these settings."""
        self.klaviyo.reset(**settings)
        with self._server(kind).fresh(migrated=True) as url, PrivateRedis() as redis:
            house = House(url, redis.url, self.klaviyo)
            try:
                yield house
            finally:
                house.leave()

    def _server(self, kind: str) -> SqliteFiles | PostgresServer:
        if kind not in self._servers:
            if kind == SQLITE:
                self._servers[kind] = SqliteFiles(self.folder)
            else:
                postgres = DurablePostgres()
                self._stack.callback(postgres.stop)
                self._servers[kind] = postgres
        return self._servers[kind]


@contextmanager
def ground() -> Iterator[Ground]:
    """What all benchmarks stand on, gone afterwards."""
    with ExitStack() as stack:
        yield Ground(stack)


def cpu_s(process: int) -> float:
    """The processor time that a process took so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def memory_mb(process: int) -> float:
    """The memory that a process holds, or the one of those it started that holds most."""
    (line,) = (line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmRSS"))
    started = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return max([int(line.split()[1]) / 1024, *(memory_mb(int(one)) for one in started)])


@contextmanager
def _sandbox() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "sandbox.klaviyo", "--port", str(port), "--no-rate-limits"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: listens(port), "the sandbox answers")
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def listens(port: int) -> bool:
    """Whether somebody is there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
