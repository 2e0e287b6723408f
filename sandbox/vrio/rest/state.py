"""What the REST side of one sandbox remembers, behind one lock: requests, faults, answers that are not finished."""

import threading
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.faults import Faults
from sandbox.vrio.rest.faults import Fault
from sandbox.vrio.rest.refusals import too_many
from sandbox.vrio.settings import Settings
from sandbox.vrio.world import World


@dataclass
class Entry:
    """
    One request.

    Shape:  `key` is "right", "wrong" or "missing"; `at_once` counts the counted requests to the same endpoint that were
            under way when it came, itself among them; `status` is None until it is answered, and when the connection
            was cut.
    """

    number: int
    path: str
    query: dict[str, str]
    key: str
    endpoint: str
    is_counted: bool
    at_once: int = 0
    status: int | None = None
    fault: int | None = None


@dataclass
class Unfinished:
    """An answer that is kept back for so many polls."""

    polls: int
    status: int
    body: Any


class Sandbox:
    """Everything about the REST side. Whoever reads or changes it holds `lock`; of the world only the clock moves."""

    def __init__(self, world: World, settings: Settings, wait: Callable[[float], object]) -> None:
        self.world = world
        self.settings = settings
        self.wait = wait
        self.lock = threading.RLock()
        self.under_way: Counter[str] = Counter()
        self.reset()

    def reset(self) -> None:
        """Forget the requests and the faults; the story stays."""
        self.journal: deque[Entry] = deque(maxlen=self.settings.journal_entries)
        self.requests = 0
        self.most_at_once: Counter[str] = Counter()
        self.faults = Faults[Fault]()
        self.unfinished: dict[str, Unfinished] = {}

    def open(self, **facts: Any) -> Entry:
        """A new entry in the journal."""
        with self.lock:
            self.requests += 1
            entry = Entry(number=self.requests, **facts)
            self.journal.append(entry)
            return entry

    @contextmanager
    def slot(self, entry: Entry) -> Iterator[None]:
        """
        Held as long as a counted request is under way.

        Raises: Refused, when its endpoint has too many already.
        """
        if not entry.is_counted:
            yield
            return
        endpoint, most = entry.endpoint, self.settings.at_once
        with self.lock:
            entry.at_once = self.under_way[endpoint] + 1
            self.most_at_once[endpoint] = max(self.most_at_once[endpoint], entry.at_once)
            if entry.at_once > most:
                raise too_many(self.settings.throttle_status, endpoint, most)
            self.under_way[endpoint] += 1
        try:
            yield
        finally:
            with self.lock:
                self.under_way[endpoint] -= 1

    def keep_back(self, polls: int, status: int, body: Any) -> str:
        """The id under which the answer is found later."""
        with self.lock:
            request_id = str(uuid.UUID(int=self.requests))
            self.unfinished[request_id] = Unfinished(polls, status, body)
            return request_id

    def as_json(self) -> dict[str, Any]:
        world = self.world
        return {
            "now": f"{world.now:%Y-%m-%d %H:%M:%S}",
            "opened_at": f"{world.opened_at:%Y-%m-%d %H:%M:%S}",
            "ends_at": f"{world.ends_at:%Y-%m-%d %H:%M:%S}",
            "time_zone": world.zone.key,
            "seed": world.seed,
            "webhooks": sum(fact.at >= world.opened_at for fact in world.facts),
            "requests": self.requests,
            "most_at_once": dict(self.most_at_once),
            "settings": {**asdict(self.settings), "api_key": "…" + self.settings.api_key[-4:]},
        }
