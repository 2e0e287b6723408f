"""
Posts webhooks as Vrio does, over connections that stay open, and tells how long each answer took.

One thread and plain sockets: on a computer with few cores, what measures must not take the time of what is measured.
"""

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import quantiles
from urllib.parse import urlsplit

CONNECTIONS = 16
GIVE_UP_AFTER_S = 60.0


@dataclass(frozen=True, slots=True)
class Poured:
    """What came of posting: how many answers of each status, and the seconds that each took, from when it was due."""

    seconds: float
    statuses: Counter[int]
    took_s: list[float]

    @property
    def rate(self) -> float:
        """Webhooks a second that were kept."""
        return self.statuses[202] / self.seconds

    def percentile_ms(self, percent: int) -> float:
        """So many in a hundred answers took no longer."""
        return quantiles(self.took_s, n=100, method="inclusive")[percent - 1] * 1000


def pour(url: str, bodies: Iterable[bytes], *, connections: int = CONNECTIONS, rate: float | None = None) -> Poured:
    """
    Post all bodies: as fast as the answers come, or so many a second, whether answers come or not.

    Raises: TimeoutError when answers stop coming.
    """
    waiting, statuses, took_s = iter(bodies), Counter[int](), []
    interval = 1 / rate if rate else 0.0
    with _opened(url, connections) as (free, selector):
        due = began = time.perf_counter()
        body = next(waiting, None)
        under_way: dict[socket.socket, float] = {}
        while body is not None or under_way:
            now = time.perf_counter()
            while body is not None and free and due <= now:
                channel = free.pop()
                channel.sendall(_request(url, body))
                under_way[channel] = due if rate else now
                due += interval
                body = next(waiting, None)
            pause = max(0.0, due - now) if body is not None and free else GIVE_UP_AFTER_S
            answered = selector.select(pause)
            if not answered and pause == GIVE_UP_AFTER_S:
                raise TimeoutError(f"{len(under_way)} webhooks got no answer")
            for key, _ in answered:
                channel = key.fileobj  # type: ignore[assignment]
                statuses[_status(channel)] += 1
                took_s.append(time.perf_counter() - under_way.pop(channel))
                free.append(channel)
        return Poured(time.perf_counter() - began, statuses, took_s)


@contextmanager
def _opened(url: str, count: int) -> Iterator[tuple[list[socket.socket], selectors.BaseSelector]]:
    parts = urlsplit(url)
    channels = [socket.create_connection((parts.hostname, parts.port), timeout=GIVE_UP_AFTER_S) for _ in range(count)]
    with selectors.DefaultSelector() as selector:
        for channel in channels:
            channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(channel, selectors.EVENT_READ)
        yield list(channels), selector
    for channel in channels:
        channel.close()


def _request(url: str, body: bytes) -> bytes:
    return head(url, len(body)) + body


def head(url: str, length: int) -> bytes:
    """The head of a POST."""
    parts = urlsplit(url)
    lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "Content-Type: application/json"]
    return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode()


def _status(channel: socket.socket) -> int:
    """Read one whole answer."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _more(channel)
    above, _, below = answer.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in above.split(b"\r\n")[1:])
    while len(below) < int(fields[b"content-length"]):
        below += _more(channel)
    return int(above.split(b" ", 2)[1])


def _more(channel: socket.socket) -> bytes:
    if not (part := channel.recv(65_536)):
        raise ConnectionResetError("the web server closed a connection")
    return part
