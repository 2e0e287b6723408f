"""Event ids that cannot be derived from what happened, because they count: the second parcel, the second pause."""

from collections.abc import Callable, Mapping

from sqlalchemy import ForeignKey, UniqueConstraint, bindparam, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.store.db import Base


class GivenEventId(Base):
    """
    The event id of one thing, given once and for good.

    Shape:  thing says what happened, series what it is counted among; number counts from 1.
    """

    __tablename__ = "given_event_ids"
    __table_args__ = (UniqueConstraint("source_id", "series", "number"),)

    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"), primary_key=True)
    thing: Mapped[str] = mapped_column(primary_key=True)
    series: Mapped[str]
    number: Mapped[int]
    event_id: Mapped[str]


# Made once, because building a statement takes longer than doing it.
_TABLE = GivenEventId.__table__
_OF_SOURCE = _TABLE.c.source_id == bindparam("source_id")
_OF_SERIES = _OF_SOURCE & (_TABLE.c.series == bindparam("series"))
_GIVEN = select(_TABLE.c.event_id).where(_OF_SOURCE, _TABLE.c.thing == bindparam("thing"))
_LAST = select(func.max(_TABLE.c.number)).where(_OF_SERIES)
_SERIES = select(_TABLE.c.thing, _TABLE.c.event_id).where(_OF_SERIES)
_GIVE = insert(GivenEventId.__table__)  # type: ignore[arg-type]


def event_id_of(session: Session, source_id: str, thing: str, series: str, make: Callable[[int], str]) -> str:
    """The event id that this thing has; at the first time, what `make` makes of its number in the series."""
    connection = session.connection()
    given: str | None = connection.execute(_GIVEN, {"source_id": source_id, "thing": thing}).scalar()
    if given is None:
        own = {"source_id": source_id, "series": series}
        number = (connection.execute(_LAST, own).scalar() or 0) + 1
        given = make(number)
        connection.execute(_GIVE, own | {"thing": thing, "number": number, "event_id": given})
    return given


def line_ids_of(session: Session, source_id: str, series: str, ids: Mapping[str, str]) -> dict[str, str]:
    """
    The event id of each line of a payment, as it was told first.

    Shape:  ids are those that the lines would have now, by their places: 4001/2 is the second line of order offer 4001.
            "" for a line whose order offer was told before without it: then there is nothing more to tell.
    """
    connection, own = session.connection(), {"source_id": source_id, "series": series}
    rows = connection.execute(_SERIES, own)
    given = {thing.removeprefix(f"{series}/"): event_id for thing, event_id in rows}
    told = {place.rpartition("/")[0] for place in given}
    fresh = {place: event_id for place, event_id in ids.items() if place.rpartition("/")[0] not in told}
    new = [
        own | {"thing": f"{series}/{place}", "number": number, "event_id": event_id}
        for number, (place, event_id) in enumerate(fresh.items(), len(given) + 1)
    ]
    if new:
        connection.execute(_GIVE, new)
    known = given | fresh
    return {place: known.get(place, "") for place in ids}
