"""
Who may work on a source or a lane: until when, and with which fence.

A bell is no mutual exclusion, the lease is. Every writing transaction of a job begins with `hold`: a job that lost its
lease (it slept too long, another took over) finds its fence outdated and can change nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.errors import LeaseLost
from vrio_klaviyo.store.db import Base, Database
from vrio_klaviyo.store.upserts import insert

# Longer than RQ lets a job run, which is longer than a slice and all time-outs of HTTP and the database together. What
# a worker held that was killed is taken over after this time.
LEASE_S = 35
# No lease ends further ahead than this, beside its length: clocks of several machines differ by less. One that does was
# taken by a clock that has been set back since.
SKEW = timedelta(minutes=2)
# For how long a process is taken to live after it showed that it does.
WORKER_S, CLOCK_S = 30.0, 15.0


class LeaseRow(Base):
    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str | None]
    fence: Mapped[int]
    until: Mapped[datetime | None]
    wake_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Lease:
    """
    The right to work on `name`, as long as nobody has a higher fence.

    Shape:  wake_at is what the last holder left: until then the clock need not ring.
    """

    name: str
    fence: int
    wake_at: datetime | None = None


def acquire(db: Database, name: str, owner: str, now: datetime, seconds: float = LEASE_S) -> Lease | None:
    """The lease, or None while somebody else has it."""
    with db.write() as session:
        session.execute(insert(session, LeaseRow).values(name=name, fence=0).on_conflict_do_nothing())
        taken = session.execute(
            update(LeaseRow)
            .where(LeaseRow.name == name, or_(LeaseRow.owner.is_(None), LeaseRow.until < now))
            .values(owner=owner, fence=LeaseRow.fence + 1, until=now + timedelta(seconds=seconds))
            .returning(LeaseRow.fence, LeaseRow.wake_at)
        ).one_or_none()
    return None if taken is None else Lease(name, taken.fence, taken.wake_at)


def hold(session: Session, lease: Lease, now: datetime, seconds: float = LEASE_S) -> None:
    """
    Prolong the lease, and keep others from taking it while this transaction lasts.

    Raises: LeaseLost when somebody else has taken it.
    """
    # Past the ORM, which costs more than the statement: this is done in every round.
    table = LeaseRow.__table__
    held = session.connection().execute(
        update(table)  # type: ignore[arg-type]
        .where(table.c.name == lease.name, table.c.fence == lease.fence, table.c.owner.is_not(None))
        .values(until=now + timedelta(seconds=seconds))
    )
    if not held.rowcount:
        raise LeaseLost(f"{lease.name} is worked on by somebody else since fence {lease.fence}")


def shut_out(session: Session, name: str) -> None:
    """Keep who holds this lease from writing while this transaction lasts, so that nothing is claimed beside it."""
    session.execute(update(LeaseRow).where(LeaseRow.name == name).values(fence=LeaseRow.fence))


def release(db: Database, lease: Lease, wake_at: datetime | None = None) -> None:
    """Give the lease back; `wake_at` says when somebody must look again although nothing new came."""
    with db.write() as session:
        session.execute(
            update(LeaseRow)
            .where(LeaseRow.name == lease.name, LeaseRow.fence == lease.fence)
            .values(owner=None, until=None, wake_at=wake_at)
        )


def owners(session: Session) -> set[str]:
    """Everybody who has a lease."""
    return {owner for owner in session.scalars(select(LeaseRow.owner).distinct()) if owner}


def free(session: Session, owner: str) -> None:
    """Take all leases from an owner that is known to be dead; whoever comes next need not wait for their end."""
    session.execute(update(LeaseRow).where(LeaseRow.owner == owner).values(owner=None, until=None))


def resting(session: Session, now: datetime) -> set[str]:
    """The names that nobody need be called for: worked on now, or waiting for a time yet to come."""
    busy = (LeaseRow.owner.is_not(None)) & (LeaseRow.until >= now)
    return set(session.scalars(select(LeaseRow.name).where(or_(busy, LeaseRow.wake_at > now))))


def waits(session: Session, prefix: str, now: datetime) -> dict[str, datetime]:
    """What follows the prefix in the names that wait for a time yet to come, each with that time."""
    waiting = select(LeaseRow.name, LeaseRow.wake_at).where(
        LeaseRow.name.startswith(prefix, autoescape=True), LeaseRow.wake_at > now
    )
    return {name.removeprefix(prefix): wake_at for name, wake_at in session.execute(waiting) if wake_at}


def keep(db: Database, name: str, owner: str, now: datetime, seconds: float) -> bool:
    """Take or prolong a lease that shows that a process lives; False when another one has it."""
    until = now + timedelta(seconds=seconds)
    over = or_(LeaseRow.until < now, LeaseRow.until > until + SKEW)
    mine = or_(LeaseRow.owner.is_(None), LeaseRow.owner == owner, over)
    with db.write() as session:
        statement = insert(session, LeaseRow).values(name=name, fence=0, owner=owner, until=until)
        return bool(
            session.execute(
                statement.on_conflict_do_update(
                    index_elements=["name"], set_={"owner": owner, "until": until}, where=mine
                ).returning(LeaseRow.name)
            ).scalar()
        )


def alive(session: Session, prefix: str, now: datetime) -> int:
    """How many leases under the prefix are good: processes that show that they live."""
    good = LeaseRow.until.between(now, _until_at_most(now))
    return session.scalar(select(func.count()).where(LeaseRow.name.startswith(prefix, autoescape=True), good)) or 0


def shows_life(until: datetime, now: datetime) -> bool:
    """Whether a process lives that was to be taken to live until then."""
    return now <= until <= _until_at_most(now)


def _until_at_most(now: datetime) -> datetime:
    # Without this, who died before the clock was set back would be alive until it has shown that time again.
    return now + timedelta(seconds=max(WORKER_S, CLOCK_S)) + SKEW


def presences(session: Session, prefix: str) -> dict[str, datetime]:
    """Until when each lease under the prefix is good, or was: that of a process that died stays until `forget`."""
    kept = select(LeaseRow.name, LeaseRow.until).where(LeaseRow.name.startswith(prefix, autoescape=True))
    return {name: until for name, until in session.execute(kept.order_by(LeaseRow.name)) if until}


def forget(session: Session, prefix: str, before: datetime | None = None) -> None:
    """Remove the leases under the prefix: all, or those that ended before then."""
    ended = delete(LeaseRow).where(LeaseRow.name.startswith(prefix, autoescape=True))
    if before is not None:
        ended = ended.where(or_(LeaseRow.until < before, LeaseRow.until.is_(None)))
    session.execute(ended)
