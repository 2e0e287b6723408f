"""
Chaos: under a steady stream of webhooks something random dies every few seconds.

SOAK_MINUTES says for how long, SOAK_SEED repeats a run: the same mischief in the same order, if not to the millisecond.
"""

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from threading import Event

import pytest

from tests.databases import PostgresServer, SqliteFiles
from tests.faults.mischief import crashed, flushed, frozen, locked, stopped, table_locked
from tests.faults.promise import keeps_its_promise
from tests.faults.town import INSIDE, Town
from tests.faults.vrio import mixed
from tests.product import Product, wait_until
from vrio_klaviyo.store import replays

MINUTES = float(os.environ.get("SOAK_MINUTES", "0.2"))
SEED = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(1_000_000))

STREAMS = 2
PAUSE_S = 0.6
# Every so many sales are posted twice.
TWICE = 3
# So many sales come at once; so many deliveries are a rush.
BURST, RUSH_AT = 12, 15
LATELY = timedelta(seconds=20)
PROCESSES = ("web", "worker", "clock")
FAULTS = (
    {"fault": "status", "status": 400},
    {"fault": "status", "status": 503},
    {"fault": "status", "status": 500, "processed": True},
    {"fault": "html"},
    {"fault": "reset"},
    {"fault": "reset", "processed": True},
    {"fault": "garbage", "processed": True},
    {"fault": "throttle"},
    {"fault": "latency", "ms": 700},
    {"fault": "hang", "seconds": 11},
    {"fault": "partial_failure"},
)


class Chaos:
    """Does one bad thing after the other, all of them as the seed says; `done` tells them. It posts, too."""

    def __init__(self, town: Town, databases: SqliteFiles | PostgresServer, database_url: str) -> None:
        self._town = town
        self._products = [town.product, town.beside()]
        self._random = random.Random(SEED)
        self._breaks: dict[str, Callable[[], AbstractContextManager[object]]] = {
            "redis is stopped": lambda: stopped(town),
            "redis is flushed": lambda: flushed(town),
            "redis is frozen": lambda: frozen(town),
        }
        if isinstance(databases, PostgresServer):
            self._breaks["postgresql crashes"] = lambda: crashed(databases)
            self._breaks["postgresql is locked"] = lambda: table_locked(database_url)
        else:
            self._breaks["sqlite is locked"] = lambda: locked(database_url)
        self._numbers = count(1)
        self.done: list[str] = []

    def begin(self) -> None:
        """Start everything, twice."""
        for product in self._products:
            self._start(product, PROCESSES)

    def post(self, sales: int) -> None:
        """The next so many sales with what belongs to them, some of it twice."""
        numbers = list(islice(self._numbers, sales))
        self._town.vrio.insist(mixed(numbers), mixed(number for number in numbers if number % TWICE == 0))

    def replay(self, which: str) -> None:
        """Have these deliveries sent again; there may be none."""
        self._town.product.shell(f"flask replay run {which} --rate 100 --yes || true")

    def strike(self) -> None:
        """One bad thing, and its repair."""
        acts = (self._kill, self._kill, self._stop, self._break, self._spoil, self._flood, self._replay)
        act = self._random.choice(acts)
        self.done.append(act())
        time.sleep(self._random.uniform(0.2, 2))
        self.supervise()

    def supervise(self) -> None:
        """Start again what has ended by itself: what was being started without a database, for example."""
        for number, product in enumerate(self._products):
            if names := product.ended():
                product.kill(*names)
                self._start(product, names)
                self.done.append(f"{names} {number} had ended")

    def _kill(self) -> str:
        number, product, names = self._victims()
        product.kill(*names)
        self._start(product, names)
        return f"killed {names} {number}"

    def _stop(self) -> str:
        number, product, names = self._victims()
        product.stop(*names)
        self._start(product, names)
        return f"stopped {names} {number}"

    def _victims(self) -> tuple[int, Product, list[str]]:
        number = self._random.randrange(len(self._products))
        names = self._random.sample(PROCESSES, self._random.choice((1, 1, 1, 3)))
        return number, self._products[number], names

    def _break(self) -> str:
        name = self._random.choice(list(self._breaks))
        with self._breaks[name]():
            time.sleep(self._random.uniform(0.2, 2))
        return name

    def _spoil(self) -> str:
        fault = self._random.choice(FAULTS)
        self._town.klaviyo.fault(**fault, times=self._random.randint(1, 3))
        return f"{fault}"

    def _flood(self) -> str:
        self.post(BURST)
        return f"{BURST} sales at once"

    def _replay(self) -> str:
        lately = (datetime.now(UTC) - LATELY).isoformat()
        self.replay(f"--status failed --status accepted --since {lately}")
        return "replay"

    def _start(self, product: Product, names: Sequence[str]) -> None:
        product.start(*names, PYTHONPATH=str(INSIDE), FAULT_RUSHES_AT=str(RUSH_AT))


@pytest.fixture
def chaos(town: Town, databases: SqliteFiles | PostgresServer, database_url: str) -> Iterator[Chaos]:
    print(f"SOAK_SEED={SEED}")
    chaos = Chaos(town, databases, database_url)
    yield chaos
    print(f"{len(chaos.done)} strikes: {'; '.join(chaos.done)}")


def test_nothing_is_lost_and_nothing_doubled(town: Town, chaos: Chaos) -> None:
    chaos.begin()
    over, ends = Event(), time.monotonic() + 60 * MINUTES

    def stream() -> None:
        while not over.wait(PAUSE_S):
            chaos.post(1)

    with ThreadPoolExecutor(STREAMS) as pool:
        streaming = [pool.submit(stream) for _ in range(STREAMS)]
        try:
            while time.monotonic() < ends:
                chaos.strike()
        finally:
            over.set()
        for one in streaming:
            one.result()
    chaos.supervise()
    town.heal_klaviyo()
    town.hurry()
    patience = 90 + 60 * MINUTES
    keeps_its_promise(town.vrio, town.db, town.klaviyo.url, still=("failed",), seconds=patience)
    chaos.replay("--status failed")
    wait_until(lambda: not replaying(town), "every replay is over", seconds=patience)
    keeps_its_promise(town.vrio, town.db, town.klaviyo.url, seconds=patience)
    assert not town.vrio.doubtful
    print(f"{len(town.vrio.acknowledged)} webhooks: none lost, none doubled")


def replaying(town: Town) -> list[str]:
    """The replays that go on."""
    with town.db.read() as session:
        return replays.running(session)
