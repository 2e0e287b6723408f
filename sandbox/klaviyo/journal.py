"""
The requests that reached `/api`, as they came and as they were answered, newest last and bounded.
"""

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Entry:
    """
    One request.

    Shape:  `headers` lack Authorization, `key` is the name of the private key instead; `status` is None while the
            request is under way and when the connection was cut without an answer.
    """

    number: int
    received_at: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    key: str | None
    body: str
    status: int | None = None
    duration_ms: float | None = None
    fault: int | None = None


class Journal:
    """
    The last requests; the oldest go when there are too many, or when their bodies grow too large together.
    """

    def __init__(self, most_entries: int, most_bytes: int) -> None:
        self._entries: deque[Entry] = deque()
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._bytes = 0
        self._count = 0

    def open(self, **facts: Any) -> Entry:
        """
        A new entry, kept from now on; its answer is filled in later.
        """
        self._count += 1
        entry = Entry(number=self._count, **facts)
        self._entries.append(entry)
        self._bytes += len(entry.body)
        while len(self._entries) > self._most_entries or (self._bytes > self._most_bytes and len(self._entries) > 1):
            self._bytes -= len(self._entries.popleft().body)
        return entry

    def since(self, number: int) -> list[dict[str, Any]]:
        """
        The kept entries after the one with this number, oldest first.
        """
        return [asdict(entry) for entry in self._entries if entry.number > number]
