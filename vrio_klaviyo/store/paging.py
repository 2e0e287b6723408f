"""
Pages of a list: the newest first, each found by the id at which the last one ended, never by counting rows away.

A list is merged from streams. A stream says what its rows have in common, in words that an index begins with, so that
its rows stand in that index in the order in which they are shown: a page reads the rows that it shows, and no more,
however many there are.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, TextClause, func, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

# A list is counted up to here. Beyond it there are many, and nobody waits for how many.
MANY = 1000
# SQLite: no more than 500 in one statement.
_MOST_STREAMS = 100

Row = TypeVar("Row")
Shown = TypeVar("Shown")
Condition = ColumnElement[bool] | TextClause
Stream = Sequence[Condition]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after the row of this key, or, read backwards, before it."""

    key: str
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """
    Rows, the newest first.

    Shape:  newer and older are where the pages beside this one begin; None when there is none.
    """

    rows: list[Row]
    newer: Place | None = None
    older: Place | None = None

    def of(self, shown: Iterable[Shown]) -> "Page[Shown]":
        """The same page of something else."""
        return Page(list(shown), self.newer, self.older)


def page_of_ids(
    session: Session, column: InstrumentedAttribute[str], streams: Sequence[Stream], place: Place | None, limit: int
) -> Page[str]:
    """One page of the ids that stand in any of the streams."""
    backwards = place is not None and place.backwards
    order: Any = column.asc() if backwards else column.desc()
    beyond = [] if place is None else [column > place.key if backwards else column < place.key]
    found: set[str] = set()
    for some in _batches(streams):
        parts = [select(column).where(*stream, *beyond).order_by(order).limit(limit + 1).subquery() for stream in some]
        found.update(session.scalars(union_all(*(select(part) for part in parts))))
    return page_around(sorted(found, reverse=not backwards), place, limit, key=str)


def page_around(found: Sequence[Row], place: Place | None, limit: int, key: Callable[[Row], str]) -> Page[Row]:
    """The page of what was found from a place on, which is one row more than it shows when there are more."""
    rows, more = list(found[:limit]), len(found) > limit
    if not rows:
        return Page([])
    backwards = place is not None and place.backwards
    if backwards:
        rows.reverse()
    newer, older = (more, True) if backwards else (place is not None, more)
    return Page(
        rows,
        newer=Place(key(rows[0]), backwards=True) if newer else None,
        older=Place(key(rows[-1])) if older else None,
    )


def count_up_to_many(
    session: Session, column: InstrumentedAttribute[str], streams: Sequence[Stream], most: int = MANY
) -> int | None:
    """How many rows stand in the streams, of which none has a row of another; None when there are more than `most`."""
    count = 0
    for stream in streams:
        rest = most + 1 - count
        part = select(column).where(*stream).limit(rest).subquery()
        count += session.scalar(select(func.count()).select_from(part)) or 0
        if count > most:
            return None
    return count


def _batches(streams: Sequence[Stream]) -> Iterable[Sequence[Stream]]:
    return (streams[start : start + _MOST_STREAMS] for start in range(0, len(streams), _MOST_STREAMS))
