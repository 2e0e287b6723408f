"""What is done behind everything else is killed around each of its commits: forgetting what is old, and a replay."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import chain, takewhile

from sqlalchemy import func, select, update

from tests.faults.town import Town
from tests.product import wait_until
from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.customers import Customer
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.memory import RecordRow
from vrio_klaviyo.store.replays import Replay, ReplayStatus, find_replay

# Rows are kept for 400 days, and bodies for 30.
OLD, STALE, YOUNG = range(1, 4), range(4, 7), range(7, 10)
# The lease, four batches, one that finds nothing, and the lease again: each life goes on where the last one ended. So
# one ends between any two commits, by turns before the second or after the first one.
FORGETTING = (1, 3, 4, 5, 4, 5, 5, 6)

REPLAYED = range(1, 21)
# Of twenty a second the first second's worth goes at once: the lease, a portion, one that must wait, and the lease.
RELEASING = (3, 4, 5, 8)
# The end is one more commit, and comes in the life that finds nothing left in the lane; seldom that is a later one.
ENDING = (3, 4) * 3


def dies_through(town: Town, work: str, moments: Iterable[int]) -> None:
    """One worker after the other dies at the next of these moments of this work, and the last one lives."""
    for moment in moments:
        town.dies_at(moment, "worker", work).wait(f"the worker dies at moment {moment} of {work}")
        wait_until(town.product.ended, "it is gone")
    town.product.start("worker")


def test_retention_is_killed_at_every_commit(town: Town) -> None:
    town.start_with("web", "worker", FAULT_IDS_DAYS_AGO="500")
    take_in(town, OLD)
    town.product.start("web", "worker")
    take_in(town, STALE, YOUNG)
    age(town, OLD, days=500)
    age(town, STALE, days=40)

    town.product.start("clock")
    dies_through(town, "forgetting", FORGETTING)
    # What is forgotten is nobody's promise any more.
    town.vrio.acknowledged -= set(OLD)
    town.vrio.doubtful |= set(OLD)
    town.keeps_its_promise()
    whole, emptied = [(True, True, True)] * 3, [(False, False, False)] * 3
    assert kept(town) == dict.fromkeys(STALE, emptied) | dict.fromkeys(YOUNG, whole)
    with town.db.read() as session:
        counted = [session.scalar(select(func.count()).select_from(table)) for table in (Customer, Delivery, Attempt)]
        customers = set(session.scalars(select(RecordRow.vrio_customer_id)))
    assert counted == [6, 18, 18]
    assert not customers & {f"{900_000 + number}" for number in OLD}


def take_in(town: Town, *numbers: range) -> None:
    """Have these sales posted and sent, and end all who did it."""
    town.vrio.insist(*numbers)
    wait_until(town.at_rest, "everything has gone")
    town.product.kill("web", "worker")


def age(town: Town, numbers: range, *, days: int) -> None:
    """These sales came to their end so many days ago, and of their customers nothing was heard since."""
    then = datetime.now(UTC) - timedelta(days=days)
    came = InboundEvent.event_id.in_([f"{70_000 + number}" for number in numbers])
    owed = Delivery.inbound_event_id.in_(select(InboundEvent.id).where(came))
    people = select(InboundEvent.customer_id).where(came)
    with town.db.write() as session:
        session.execute(update(Delivery).where(owed).values(finished_at=then))
        session.execute(update(InboundEvent).where(came).values(finished_at=then))
        session.execute(update(Customer).where(Customer.id.in_(people)).values(as_of=then))


def kept(town: Town) -> dict[int, list[tuple[bool, bool, bool]]]:
    """Of every sale what it came to, and whether the bodies of webhook, delivery and attempt are there."""
    bodies = select(InboundEvent.event_id, InboundEvent.body, Delivery.request, Attempt.request_body)
    joined = bodies.join(Delivery, Delivery.inbound_event_id == InboundEvent.id).join(Attempt)
    found: dict[int, list[tuple[bool, bool, bool]]] = {}
    with town.db.read() as session:
        for event_id, *more in session.execute(joined.where(Attempt.delivery_id == Delivery.id)):
            body, request, request_body = map(bool, more)
            found.setdefault(int(event_id) - 70_000, []).append((body, request, request_body))
    return found


def test_a_replay_is_killed_at_every_commit(town: Town) -> None:
    owed = 3 * len(REPLAYED)
    town.klaviyo.fault("status", status=400, times=owed)
    town.product.start("web", "worker", "clock")
    town.vrio.insist(REPLAYED)
    town.keeps_its_promise(still=("failed",))
    assert town.klaviyo.events() == []
    town.product.kill("worker")

    (begun,) = town.product.flask("replay", "run", "--rate", "20", "--yes")

    def replay() -> Replay:
        with town.db.read() as session:
            return find_replay(session, begun["id"])

    until_the_end = takewhile(lambda _: replay().status == ReplayStatus.RUNNING, ENDING)
    dies_through(town, "replaying", chain(RELEASING, until_the_end))
    wait_until(lambda: replay().status == ReplayStatus.DONE, "the replay is over")
    town.keeps_its_promise()
    assert (replay().total, replay().released) == (owed, owed)
    assert {name: number for name, number in replay().summary.items() if number} == {"accepted": owed}
    assert {(status, *triggers) for status, triggers in town.product.deliveries()} == {("accepted", "replay", "first")}
    assert {event["repeats"] for event in town.klaviyo.events()} == {0}
