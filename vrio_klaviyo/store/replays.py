"""
Replays: deliveries that a person has sent again together, as a list that is frozen when it begins.

A replay releases its list from the front, a few at a time; `released` says how far it has come, and is written in the
transaction that queues them. So one that was cut off anywhere goes on where it was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, func, literal, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.errors import NotFound, Refused
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.db import Base
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus
from vrio_klaviyo.store.ids import new_id
from vrio_klaviyo.store.listing import Wanted
from vrio_klaviyo.store.matches import sendable
from vrio_klaviyo.store.resending import IS_IN_VAIN, REPLAY
from vrio_klaviyo.store.upserts import insert

# More than this is asked for in parts, so that no transaction keeps webhooks waiting for long.
LONGEST_LIST = 100_000

_RUNNING = text("status = 'running'")


class ReplayStatus(StrEnum):
    """How far a replay has come."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"


class Replay(Base):
    """
    One replay through one connection.

    Shape:  wanted is the filter as it was asked for, with ids and without anybody's e-mail. released is how many places
            of the list have had their turn. summary is empty until the end.
    Units:  rate is deliveries a second, at most.
    """

    __tablename__ = "replays"
    __table_args__ = (
        Index("ix_replays_workspace_id", "workspace_id", "id"),
        Index("uq_replays_running", "connection_id", unique=True, sqlite_where=_RUNNING, postgresql_where=_RUNNING),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"))
    status: Mapped[str]
    wanted: Mapped[dict[str, Any]]
    rebuild: Mapped[bool]
    despite_pause: Mapped[bool]
    rate: Mapped[int]
    total: Mapped[int]
    released: Mapped[int]
    started_by: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    summary: Mapped[dict[str, Any]]


class ReplayItem(Base):
    """One place of a replay's list; left_out says in a sentence why its delivery was not sent again."""

    __tablename__ = "replay_items"

    replay_id: Mapped[str] = mapped_column(ForeignKey("replays.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[str] = mapped_column(ForeignKey("deliveries.id"), index=True)
    left_out: Mapped[str]


def start(
    session: Session,
    connection: Connection,
    wanted: Wanted,
    hopeless: Sequence[str],
    now: datetime,
    *,
    rebuild: bool,
    despite_pause: bool,
    rate: int,
    started_by: str,
) -> Replay:
    """
    Begin a replay: its list is what is wanted now, and nothing that comes later.

    Raises: Refused when another one is under way for this connection, or the list would be too long or empty.
    """
    replay_id = new_id("rp")
    values = {
        "id": replay_id,
        "workspace_id": connection.workspace_id,
        "connection_id": connection.id,
        "status": ReplayStatus.RUNNING,
        "wanted": kept(wanted),
        "rebuild": rebuild,
        "despite_pause": despite_pause,
        "rate": rate,
        "total": 0,
        "released": 0,
        "started_by": started_by,
        "started_at": now,
        "summary": {},
    }
    statement = insert(session, Replay).values(values)
    alone = statement.on_conflict_do_nothing(index_elements=["connection_id"], index_where=_RUNNING)
    if session.execute(alone.returning(Replay.id)).scalar() is None:
        raise Refused(f"Another replay is under way for {connection.name}. Stop it, or wait for its end.")
    place = func.row_number().over(order_by=Delivery.id) - 1
    listed = select(literal(replay_id), place, Delivery.id, literal("")).where(
        *sendable(connection.id, wanted, hopeless)
    )
    items = insert(session, ReplayItem).from_select(
        ["replay_id", "place", "delivery_id", "left_out"], listed.order_by(Delivery.id).limit(LONGEST_LIST + 1)
    )
    session.execute(items)
    total = session.scalar(select(func.count()).where(ReplayItem.replay_id == replay_id)) or 0
    if total > LONGEST_LIST:
        raise Refused(f"More than {LONGEST_LIST} deliveries match. Ask for a shorter time at once.")
    if not total:
        raise Refused("No delivery that may be sent again matches.")
    session.execute(update(Replay).where(Replay.id == replay_id).values(total=total))
    return session.get_one(Replay, replay_id)


def next_of(session: Session, replay: Replay, limit: int) -> list[tuple[int, Delivery]]:
    """The next places of a replay's list, and their deliveries, which nobody else writes meanwhile."""
    query = select(ReplayItem.place, Delivery).join(Delivery, Delivery.id == ReplayItem.delivery_id)
    ahead = query.where(ReplayItem.replay_id == replay.id, ReplayItem.place >= replay.released)
    next_ones = ahead.order_by(ReplayItem.place).limit(limit).with_for_update(of=Delivery)
    return [(place, delivery) for place, delivery in session.execute(next_ones)]


def leave_out(session: Session, replay: Replay, place: int, reason: str) -> None:
    """Write why a place of the list was passed over."""
    here = update(ReplayItem).where(ReplayItem.replay_id == replay.id, ReplayItem.place == place)
    session.execute(here.values(left_out=reason))


def in_flight(session: Session, connection_id: str) -> int:
    """How many deliveries were queued for a replay and have not had their turn in the lane."""
    waiting = Delivery.connection_id == connection_id, Delivery.status == DeliveryStatus.QUEUED
    return session.scalar(select(func.count()).where(*waiting, Delivery.asked == REPLAY)) or 0


def end(session: Session, replay: Replay, status: ReplayStatus, now: datetime) -> None:
    """Write that a replay is over, and what it came to."""
    replay.status, replay.ended_at, replay.summary = status, now, results(session, replay)


def results(session: Session, replay: Replay) -> dict[str, int]:
    """
    What a replay has come to so far: by status the deliveries whose turn it was, and how many were left out.

    Shape:  once it is over, as it was then: what a person does afterwards to one of them is another story.
    """
    if replay.summary:
        return dict(replay.summary)
    of = ReplayItem.replay_id == replay.id, ReplayItem.place < replay.released
    stands = select(Delivery.status, func.count()).join(ReplayItem, ReplayItem.delivery_id == Delivery.id)
    counts = dict(session.execute(stands.where(*of, ReplayItem.left_out == "").group_by(Delivery.status)).all())
    # What Klaviyo had taken before stays accepted; of this replay it is a failure.
    again = select(func.count()).select_from(Delivery).join(ReplayItem, ReplayItem.delivery_id == Delivery.id)
    if in_vain := session.scalar(again.where(*of, ReplayItem.left_out == "", IS_IN_VAIN)) or 0:
        counts |= {"accepted": counts["accepted"] - in_vain, "failed": counts.get("failed", 0) + in_vain}
    # What was not sent again has a reason, or is gone by now.
    left_out = replay.released - sum(counts.values())
    return dict.fromkeys(map(str, DeliveryStatus), 0) | counts | {"left_out": left_out}


def failures(session: Session, replay: Replay) -> Iterator[tuple[Delivery, str]]:
    """The deliveries of a replay that Klaviyo did not take or that were left out, each with the reason, in order."""
    query = select(Delivery, ReplayItem.left_out).join(ReplayItem, ReplayItem.delivery_id == Delivery.id)
    missed = or_(Delivery.status != DeliveryStatus.ACCEPTED, ReplayItem.left_out != "", IS_IN_VAIN)
    of = query.where(ReplayItem.replay_id == replay.id, ReplayItem.place < replay.released, missed)
    for delivery, left_out in session.execute(of.order_by(ReplayItem.place).execution_options(yield_per=500)):
        # The last note of one that was taken before says why sending it again was in vain.
        why = left_out or delivery.reason
        yield delivery, why or (delivery.notes[-1] if delivery.status == DeliveryStatus.ACCEPTED else delivery.status)


def running(session: Session) -> list[str]:
    """The replays that are under way."""
    return list(session.scalars(select(Replay.id).where(Replay.status == ReplayStatus.RUNNING)))


def connections_busy(session: Session, workspace_id: str) -> list[str]:
    """The connections of a workspace through which a replay is under way."""
    under_way = Replay.workspace_id == workspace_id, Replay.status == ReplayStatus.RUNNING
    return list(session.scalars(select(Replay.connection_id).where(*under_way)))


def find_replay(session: Session, replay_id: str, workspace_id: str | None = None) -> Replay:
    """
    The replay of that id.

    Raises: NotFound.
    """
    found = session.get(Replay, replay_id, populate_existing=True)
    if found is None or workspace_id not in (None, found.workspace_id):
        raise NotFound(f"no replay has the id {replay_id}")
    return found


def take_replay(session: Session, replay_id: str) -> Replay:
    """
    The replay of that id, which nobody else writes while this transaction lasts.

    Raises: NotFound.
    """
    replay = find_replay(session, replay_id)
    session.refresh(replay, with_for_update=True)
    return replay


def running_through(session: Session, connection_id: str) -> Replay | None:
    """The replay that is under way through this connection, if any is."""
    under_way = Replay.connection_id == connection_id, Replay.status == ReplayStatus.RUNNING
    return session.scalar(select(Replay).where(*under_way))


def list_replays(session: Session, workspace_id: str | None = None, limit: int = 50) -> list[Replay]:
    """The newest replays first."""
    query = select(Replay).order_by(Replay.id.desc()).limit(limit)
    return list(session.scalars(query.where(Replay.workspace_id == workspace_id) if workspace_id else query))


def kept(wanted: Wanted) -> dict[str, Any]:
    """The filter of a replay as it is kept: what is open is left out, and times are text."""
    asked = {name: value for name, value in asdict(wanted).items() if value or value is False}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asked.items()}
