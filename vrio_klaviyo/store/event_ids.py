"""Event ids that cannot be derived from what happened, because they count: the second parcel, the second pause."""

from collections.abc import Callable, Mapping

from sqlalchemy import ForeignKey, UniqueConstraint, func, select
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


def event_id_of(session: Session, source_id: str, thing: str, series: str, make: Callable[[int], str]) -> str:
    """The event id that this thing has; at the first time, what `make` makes of its number in the series."""
    given = session.get(GivenEventId, (source_id, thing))
    if given is None:
        counted = select(func.max(GivenEventId.number))
        last = session.scalar(counted.where(GivenEventId.source_id == source_id, GivenEventId.series == series))
        number = (last or 0) + 1
        given = GivenEventId(source_id=source_id, thing=thing, series=series, number=number, event_id=make(number))
        session.add(given)
        session.flush()
    return given.event_id


def line_ids_of(session: Session, source_id: str, series: str, ids: Mapping[str, str]) -> dict[str, str]:
    """
    The event id of each line of a payment, as it was told first.

    Shape:  ids are those that the lines would have now, by their places: 4001/2 is the second line of order offer 4001.
            "" for a line whose order offer was told before without it: then there is nothing more to tell.
    """
    rows = session.execute(
        select(GivenEventId.thing, GivenEventId.event_id).where(
            GivenEventId.source_id == source_id, GivenEventId.series == series
        )
    )
    given = {thing.removeprefix(f"{series}/"): event_id for thing, event_id in rows}
    told = {place.rpartition("/")[0] for place in given}
    fresh = {place: event_id for place, event_id in ids.items() if place.rpartition("/")[0] not in told}
    for number, (place, event_id) in enumerate(fresh.items(), len(given) + 1):
        session.add(
            GivenEventId(
                source_id=source_id, thing=f"{series}/{place}", series=series, number=number, event_id=event_id
            )
        )
    known = given | fresh
    return {place: known.get(place, "") for place in ids}
