"""
Arrivals: webhooks that come at the same moment are kept in one transaction, on SQLite, where only one writes at a time.

Each sender waits for the commit of its own webhook, and the disk takes as long for one as for many. Nobody waits for
company: who finds nobody writing writes at once, and what came meanwhile goes together next. PostgreSQL lets all write
at once, and puts their commits together by itself.
"""

from collections import deque
from datetime import datetime
from threading import Lock
from typing import Any

from vrio_klaviyo.store.db import Database, DatabaseError, is_outage
from vrio_klaviyo.store.keeping import Envelope, Kept, keep_all, keep_directly, keeping, row_of

# A transaction holds SQLite's write lock, for which the workers wait.
MOST_TOGETHER = 32


class _Arrival:
    """One webhook, and what became of it."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row
        self.kept: Kept | None = None
        self.error: Exception | None = None

    @property
    def is_done(self) -> bool:
        return self.kept is not None or self.error is not None


class Arrivals:
    """Keeps what comes in; safe in several threads."""

    def __init__(self, db: Database) -> None:
        self._db = db
        dialect = db.engine.dialect.name
        self._direct = None if dialect == "sqlite" else db.direct(keeping(dialect))
        self._waiting: deque[_Arrival] = deque()
        self._writing = Lock()

    def keep(
        self, source_id: str, envelope: Envelope, body: bytes, dedup_key: str, now: datetime, unreadable: str = ""
    ) -> Kept:
        """
        Commit one webhook, perhaps with others.

        Raises: DatabaseError when it could not be stored; the sender must then not be told that it was.
        """
        row = row_of(source_id, envelope, body, dedup_key, now, unreadable)
        if self._direct:
            return keep_directly(self._db, self._direct, row)
        mine = _Arrival(row)
        self._waiting.append(mine)
        with self._writing:
            # Whoever wrote before us may have taken ours along.
            while not mine.is_done:
                self._write([self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))])
        if mine.kept is None:
            assert mine.error is not None
            raise mine.error
        return mine.kept

    def _write(self, arrivals: list[_Arrival]) -> None:
        try:
            kept = keep_all(self._db, [arrival.row for arrival in arrivals])
        except DatabaseError as error:
            if len(arrivals) > 1 and not is_outage(error):
                # One that cannot be kept takes no other with it.
                for arrival in arrivals:
                    self._write([arrival])
                return
            _give_up(arrivals, error)
        except Exception as error:
            _give_up(arrivals, error)
        else:
            for arrival, found in zip(arrivals, kept, strict=True):
                arrival.kept = found


def _give_up(arrivals: list[_Arrival], error: Exception) -> None:
    for arrival in arrivals:
        arrival.error = error
