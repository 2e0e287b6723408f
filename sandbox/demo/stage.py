"""The stage that the demo plays on: everything started, and what it takes to work with it."""

import fcntl
import json
import os
import secrets
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from sandbox.klaviyo.keys import GOOD_KEY, OTHER_ACCOUNT_KEY, SECOND_KEY
from sandbox.processes import Children, Failure, StopSignals, free_port, without_ours
from sandbox.redis_server import PrivateRedis

ROOT = Path(__file__).parents[2]
FLASK = (sys.executable, "-m", "flask")
WEB_PORT, KLAVIYO_PORT = 8080, 8081
ANSWER_WITHIN_S = 10.0

# Our own figures, as they stand at the beginning of a line.
UNDER_WAY = ("vk_inbound_events{", "vk_deliveries{")
WAITING = 'vk_inbound_events{status="waiting"}'
RETRYING = 'vk_deliveries{status="retrying"}'
# Whoever looks at the demo.
VISITOR = "visitor@example.com"

Row = dict[str, Any]


@contextmanager
def stage(folder: Path, *, usual_ports: bool) -> Iterator["Stage"]:
    """
    A stage in this folder, on which nothing has been started yet but Redis; all that is started ends with the block.

    Raises: Failure, NoRedisServer.
    """
    with _held(folder), StopSignals() as signals, PrivateRedis() as redis:
        web, klaviyo = (free_port(port if usual_ports else None) for port in (WEB_PORT, KLAVIYO_PORT))
        settings = {
            "DATABASE_URL": f"sqlite:///{folder}/demo.db",
            "REDIS_URL": redis.url,
            "SECRET_KEY": secrets.token_urlsafe(32),
            "KLAVIYO_API_URL": f"http://127.0.0.1:{klaviyo}",
            "HOST": "127.0.0.1",
            "PORT": str(web),
            "BASE_URL": f"http://127.0.0.1:{web}",
        }
        with Children(folder, ROOT, without_ours(os.environ), signals) as children, requests.Session() as http:
            # Proxies are for other computers.
            http.trust_env = False
            assert redis.process is not None
            children.watch("redis-server", redis.process)
            yield Stage(folder, children, settings, http)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """
    The folder without an earlier demo's database; no other demo can have it while the block lasts.

    Raises: Failure.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise Failure(f"A demo runs in {folder} already; --folder gives another one its own place.") from taken
        for name in ("demo.db", "demo.db-wal", "demo.db-shm"):
            (folder / name).unlink(missing_ok=True)
        yield
    finally:
        os.close(held)


class Stage:
    """
    Everything, started by `set_up`.

    Shape:  `klaviyo` and `web` are base URLs; `webhook_url` is where Vrio would post to.
    """

    def __init__(self, folder: Path, children: Children, settings: dict[str, str], http: requests.Session) -> None:
        self.folder = folder
        self.children = children
        self.klaviyo = settings["KLAVIYO_API_URL"]
        self.web = f"http://127.0.0.1:{settings['PORT']}"
        self._settings = settings
        self._http = http

    def set_up(self) -> None:
        """Start what the product is made of, side by side where one does not need the other."""
        children, settings = self.children, self._settings
        children.start("klaviyo", [*FLASK, "sandbox", "klaviyo", "--port", self.klaviyo.rpartition(":")[2]])
        children.environment |= settings
        (key, _) = self.commands("key generate", "db upgrade")
        settings["ENCRYPTION_KEYS"] = children.environment["ENCRYPTION_KEYS"] = key.strip()
        self._keep("env", "".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()))
        for name, sealed in (("klaviyo", GOOD_KEY), ("skincare", OTHER_ACCOUNT_KEY), ("trial", SECOND_KEY)):
            self._keep(f"{name}.key", sealed)
        for name in ("web", "worker", "clock"):
            children.start(name, [*FLASK, name])
        self.commands("workspace add Demo")
        self.ask("GET", f"{self.klaviyo}/sandbox/faults")
        source, *_ = self.commands(
            "source add Vrio --workspace Demo --json",
            "connection add Klaviyo --workspace Demo --key-file {folder}/klaviyo.key",
            f"user add {VISITOR} --workspace Demo --role operator --name Visitor",
        )
        self.webhook_url = self.web + json.loads(source)["webhook_path"]
        children.wait_until(self._is_ready, "the web server, the worker and the clock to be ready", within_s=30)

    def commands(self, *commands: str) -> list[str]:
        """
        What commands of the product print that are run side by side; `{folder}` in them is ours.

        Raises: Failure, when one fails.
        """
        folder = shlex.quote(str(self.folder))
        return self.children.outputs(*([*FLASK, *shlex.split(each.replace("{folder}", folder))] for each in commands))

    def link_to_log_of(self, email: str) -> str:
        """A link that signs the visitor in once, and leads to what was sent for this customer."""
        (shown,) = self.commands(f"customer show {email} --workspace Demo --json")
        customer = json.loads(shown)["id"]
        (made,) = self.commands(f"user link {VISITOR} --next /customers/{customer}/webhooks --json")
        link: str = json.loads(made)["link"]
        return link

    def lists(self, *commands: str) -> list[list[Row]]:
        """What commands list, each the oldest first."""
        printed = self.commands(*(f"{command} --limit 1000 --json" for command in commands))
        return [[json.loads(line) for line in lines.splitlines()][::-1] for lines in printed]

    def ask(self, method: str, url: str, **more: Any) -> requests.Response:
        """The answer of one of our servers, which is asked until there is one, or it turns out to have ended."""
        return self.children.wait_until(lambda: self._answer(method, url, **more), "an answer of our own server")

    def sandbox(self, what: str, **query: Any) -> Any:
        """What the sandbox tells of itself."""
        return self.ask("GET", f"{self.klaviyo}/sandbox/{what}", params=query).json()

    def is_at_rest(self, retrying: int) -> bool | None:
        """
        True when no webhook is left to work off and no delivery is owed, as our own figures have it; else None.

        Shape:  `retrying` is how many requests are being tried again and again.
        """
        figures = self.ask("GET", f"{self.web}/metrics").text.splitlines()
        counts = {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in figures if line.startswith(UNDER_WAY)}
        # What waits for another webhook has nothing to do until that comes.
        counts.pop(WAITING, None)
        tried = float(counts.pop(RETRYING, 0))
        return (bool(counts) and tried == retrying and not any(map(float, counts.values()))) or None

    def _answer(self, method: str, url: str, **more: Any) -> requests.Response | None:
        try:
            return self._http.request(method, url, timeout=ANSWER_WITHIN_S, **more)
        except requests.RequestException:
            return None

    def _is_ready(self) -> bool | None:
        answer = self._answer("GET", f"{self.web}/readyz")
        # Also without a worker it would be ready to keep webhooks.
        return True if answer is not None and answer.ok and answer.json()["status"] == "ok" else None

    def _keep(self, name: str, content: str) -> None:
        """A file that only we may read."""
        with open(os.open(self.folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(content)
