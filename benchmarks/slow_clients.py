"""Slow clients: connections that drip a byte a second do not slow the others down."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from statistics import median
from urllib.parse import urlsplit

from benchmarks.house import Ground
from benchmarks.load import head, pour
from benchmarks.report import Report, ratio
from benchmarks.sizes import Size
from benchmarks.webhooks import sales

TITLE = "Slow clients"
NOTES = "Each has sent the head of a webhook and sends its body a byte a second. SQLite."
LENGTH = 8_000


def measure(ground: Ground, size: Size) -> Report:
    """The median answer with them and without them."""
    report = Report("slow_clients", TITLE, NOTES)
    with ground.house() as house:
        house.start("web")
        numbers = count(step=size.received)
        pour(house.address, sales(30, -30))
        without, beside = [], []
        for _ in range(size.rounds):
            poured = pour(house.address, sales(size.received, next(numbers)))
            with _dripping(house.address, size.dripping):
                among = pour(house.address, sales(size.received, next(numbers)))
            assert set(poured.statuses) | set(among.statuses) == {202}
            without.append(poured.percentile_ms(50))
            beside.append(among.percentile_ms(50))
    share = ratio(beside, without)
    report.add(
        f"median answer among {size.dripping} slow clients", f"{median(beside):.1f} ms",
        f"without them {median(without):.1f} ms, ratio {share:.2f}", "at most 1.2", share <= 1.2,
    )  # fmt: skip
    return report


@contextmanager
def _dripping(url: str, clients: int) -> Iterator[None]:
    parts = urlsplit(url)
    over = threading.Event()
    with ExitStack() as stack:
        channels = [stack.enter_context(socket.create_connection((parts.hostname, parts.port))) for _ in range(clients)]
        for channel in channels:
            channel.sendall(head(url, LENGTH) + b"{")

        def drip() -> None:
            while not over.wait(1):
                for channel in channels:
                    channel.sendall(b" ")

        dripping = threading.Thread(target=drip)
        dripping.start()
        yield
        over.set()
        dripping.join()
