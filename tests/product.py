"""The product as an operator runs it: the Procfile's processes, a real Redis, and a sandbox in place of Klaviyo."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests
from cryptography.fernet import Fernet

from sandbox.klaviyo import GOOD_KEY
from vrio_klaviyo.store.attempts import attempts_of_deliveries
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.deliveries import list_deliveries

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "sandbox" / "samples"
PATIENCE_S = 60.0


def procfile() -> dict[str, str]:
    """The Procfile's lines by process."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    return {name: line.strip() for name, _, line in (line.partition(":") for line in lines)}


def wait_until(told: Callable[[], Any], what: str | Callable[[], str], seconds: float = PATIENCE_S) -> Any:
    """What `told` tells as soon as it is true; fails with `what`, or what it says then, when that does not come."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := told():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:g} s in vain until {what() if callable(what) else what}")


class Product:
    """
    One installation: its environment, and those of its processes that run.

    Shape:  only the six variables of the documentation are set, and what `more` adds. Every process gets a group of
            its own, so that what its shell started ends with it.
    """

    def __init__(self, database_url: str, redis_url: str, klaviyo_url: str, **more: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.db = Database(database_url)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SECRET_KEY": "a secret of this test",
            "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "KLAVIYO_API_URL": klaviyo_url,
            "PORT": str(port),
            **more,
        }

    def release(self) -> None:
        """What a deployment runs before the processes."""
        assert self.ends("release") == 0

    def ends(self, name: str) -> int:
        """The exit code of a process of the Procfile that ends by itself."""
        command = ["/bin/sh", "-c", procfile()[name]]
        return subprocess.run(command, cwd=ROOT, env=self._environment, timeout=PATIENCE_S, check=False).returncode

    def start(self, *names: str, **more: str) -> None:
        """Start these processes of the Procfile, with `more` in their environment; web is waited for."""
        for name in names:
            # Without `exec` some shells stay in between, and end at once when asked to, before the process has.
            command = ["/bin/sh", "-c", f"exec {procfile()[name]}"]
            self._running[name] = subprocess.Popen(
                command, cwd=ROOT, env=self._environment | more, start_new_session=True
            )
        if "web" in names:
            wait_until(self._answers, "the web process answers")

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/healthz", timeout=5).ok
        except requests.RequestException:
            return False

    def kill(self, *names: str) -> None:
        """End these processes as a crash does; one that has ended by itself is only forgotten."""
        for name in names:
            process = self._running.pop(name)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def stop(self, *names: str) -> dict[str, float]:
        """Ask these processes to end, or all of them; how many seconds each took."""
        took = {}
        for name in names or list(self._running):
            began = time.monotonic()
            self.told_to_end(name).wait(PATIENCE_S)
            took[name] = time.monotonic() - began
        return took

    def told_to_end(self, name: str) -> subprocess.Popen[bytes]:
        """This process, which was asked to end and is not waited for."""
        process = self._running.pop(name)
        os.killpg(process.pid, signal.SIGTERM)
        return process

    def ended(self) -> list[str]:
        """The processes that were started and run no more."""
        return [name for name, process in self._running.items() if process.poll() is not None]

    def close(self) -> None:
        """End whatever runs."""
        self.kill(*list(self._running))
        self.db.close()

    def flask(self, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
        """What a command prints with --json, an object a line; fails when it does not end with this code."""
        command = [sys.executable, "-m", "flask", *arguments, "--json"]
        done = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def shell(self, line: str) -> str:
        """What a line prints in a shell; fails when it does not end with 0."""
        done = subprocess.run(
            ["/bin/sh", "-c", line], cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}: {done.stderr}"
        return done.stdout

    def deliveries(self) -> list[tuple[str, list[str]]]:
        """Of every delivery the status, and the triggers of its attempts. A command for each would take seconds."""
        with self.db.read() as session:
            return [
                (delivery.status, [attempt.trigger for attempt in attempts_of_deliveries(session, [delivery.id])])
                for delivery in list_deliveries(session, limit=1000)
            ]

    def connect(self, folder: Path) -> str:
        """Make a source and a connection; the address that Vrio posts to."""
        key_file = folder / "klaviyo.key"
        key_file.write_text(f"{GOOD_KEY}\n")
        (source,) = self.flask("source", "add", "Shop")
        self.flask("connection", "add", "Klaviyo", "--key-file", str(key_file))
        return f"{self.url}{source['webhook_path']}"


@contextmanager
def installed(database_url: str, redis_url: str, klaviyo_url: str, **more: str) -> Iterator[Product]:
    """A product whose processes are gone at the end, whatever happens."""
    product = Product(database_url, redis_url, klaviyo_url, **more)
    try:
        yield product
    finally:
        product.close()


def sample(name: str) -> dict[str, Any]:
    """A shipped sample webhook."""
    loaded: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return loaded
