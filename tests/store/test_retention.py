"""Retention in batches: others write in between, and what they write at that moment is passed over."""

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import func, insert, select, text, update

from tests.bodies import declined
from tests.building import House
from tests.databases import PostgresServer
from vrio_klaviyo.errors import Refused
from vrio_klaviyo.forgetting import Forgetter, Forgotten, Kept, due
from vrio_klaviyo.sending_again import send_again
from vrio_klaviyo.store import erasure, retention
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.memory import RecordRow
from vrio_klaviyo.store.next_charges import NextCharge

KEPT = Kept(bodies=timedelta(days=30), rows=timedelta(days=400))


@pytest.fixture
def house(house: House) -> House:
    """Ids hold the time of this computer, so the house's clock shows it too."""
    house.clock.now = datetime.now(UTC)
    return house


@pytest.fixture
def on_postgresql(postgres_server: PostgresServer) -> Iterator[House]:
    """A house where several write at a time."""
    with postgres_server.fresh(migrated=True) as url, closing(Database(url)) as db, closing(House(db)) as house:
        house.clock.now = datetime.now(UTC)
        yield house


def failed(house: House, number: int = 1) -> Delivery:
    """A request that was given up, and its webhook worked off."""
    house.post(declined(number))
    house.take_in()
    ended = {"status": "failed", "reason": "503", "next_attempt_at": None, "finished_at": house.clock()}
    with house.db.write() as session:
        session.execute(update(Delivery).values(ended))
    return house.deliveries()[-1]


def test_others_write_between_two_batches(house: House) -> None:
    for number in range(350):
        house.keep(str(number))
    with house.db.write() as session:
        session.execute(update(InboundEvent).values(status="ignored", finished_at=house.clock()))
    house.clock.advance(days=31)
    left = []

    def write() -> bool:
        """Another one's whole transaction, at the moment at which retention is asked whether to stop."""
        house.keep(f"new {len(left)}")
        with house.db.read() as session:
            with_body = select(func.count()).where(InboundEvent.body_removed_at.is_(None))
            left.append(session.scalar(with_body.where(InboundEvent.status == "ignored")) or 0)
        return False

    forgetter = Forgetter(db=house.db, kept=KEPT, now=house.clock, stopping=write)

    assert forgetter.forget("worker/1", at_once=True).bodies == 350
    steps = [before - after for before, after in pairwise(left)]
    assert left[-1] == 0
    assert max(steps) <= 100


@pytest.mark.parametrize("days", [31, 401])
def test_what_is_being_sent_again_at_that_moment_stays(on_postgresql: House, days: int) -> None:
    house, connection = on_postgresql, on_postgresql.connect()
    owed = failed(house)
    house.clock.advance(days=days)
    before = house.clock() - timedelta(days=30)
    with house.db.write() as session:
        send_again(session, owed.id, house.clock())
        with house.db.write() as beside:
            assert retention.remove_bodies(beside, before, house.clock(), 100) == 0
            assert retention.remove_rows(beside, before, 100) == 0

    now = house.delivery()
    assert (now.status, now.request, now.bodies_removed_at) == ("queued", owed.request, None)
    assert house.inbound(owed.inbound_event_id).body
    assert house.connection(connection).active


def test_what_is_sent_again_after_it_was_chosen_is_refused(on_postgresql: House) -> None:
    house, _ = on_postgresql, on_postgresql.connect()
    owed = failed(house)
    house.clock.advance(days=31)
    told = []

    def ask() -> None:
        try:
            with house.db.write() as session:
                send_again(session, owed.id, house.clock())
        except Refused as error:
            told.append(str(error))

    asking = threading.Thread(target=ask)
    with house.db.write() as session:
        assert retention.remove_bodies(session, house.clock() - KEPT.bodies, house.clock(), 100) == 1
        asking.start()
        while asking.is_alive() and not _somebody_waits(house):
            asking.join(0.01)
    asking.join()

    assert told == [f"Its bodies were removed on {house.clock():%d %b %Y}; nothing is left to send."]
    assert house.delivery().status == "failed"


def _somebody_waits(house: House) -> bool:
    with house.db.read() as session:
        return bool(session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def remember(house: House, kind: str, vrio_id: str, customer: str, as_of: datetime) -> None:
    row = {"source_id": house.source.id, "kind": kind, "vrio_id": vrio_id, "vrio_customer_id": customer}
    with house.db.write() as session:
        session.execute(insert(RecordRow).values(row | {"as_of": as_of, "body": b"{}"}))


def charge(house: House, order_offer_id: str, customer: str, due_at: datetime) -> None:
    row = {"source_id": house.source.id, "order_offer_id": order_offer_id, "vrio_customer_id": customer}
    with house.db.write() as session:
        session.execute(insert(NextCharge).values(row | {"due_at": due_at}))


def remembered(house: House) -> set[str]:
    with house.db.read() as session:
        return {*session.scalars(select(RecordRow.vrio_id)), *session.scalars(select(NextCharge.order_offer_id))}


def test_what_belongs_to_nobody_goes_after_its_time(house: House) -> None:
    old, recent = house.clock() - timedelta(days=401), house.clock() - timedelta(days=399)
    webhook = house.keep().id
    remember(house, "judged", "in_gone", "", old)
    remember(house, "judged", webhook, "", old)
    remember(house, "order", "order 1", "", old)
    remember(house, "order", "order 2", "", recent)
    remember(house, "order", "order 3", "301", old)
    charge(house, "past 1", "301", old)
    charge(house, "past 2", "301", recent)

    assert due(house.db, KEPT, house.clock()) == Forgotten(strays=3)
    forgotten = Forgetter(db=house.db, kept=KEPT, now=house.clock).forget("worker/1")
    assert forgotten == Forgotten(strays=3)
    assert remembered(house) == {webhook, "order 2", "order 3", "past 2"}


def test_of_what_belongs_to_nobody_a_few_go_at_a_time(house: House) -> None:
    old = house.clock() - timedelta(days=401)
    for number in range(5):
        remember(house, "order", f"order {number}", "", old)
    with house.db.write() as session:
        counts = [retention.remove_strays(session, house.clock() - KEPT.rows, 2) for _ in range(4)]

    assert counts == [2, 2, 1, 0]


@pytest.mark.parametrize("by_hand", [False, True], ids=["forgotten", "erased"])
def test_with_a_customer_go_the_charges_ahead(house: House, connection: Connection, by_hand: bool) -> None:
    ahead = house.clock() + timedelta(days=800)
    house.owe(connection, customer=301)
    house.owe(connection, 2, customer=302)
    for customer in ("301", "302"):
        remember(house, "order_offer", f"offer {customer}", customer, house.clock())
        charge(house, f"offer {customer}", customer, ahead)
    with house.db.write() as session:
        first, _ = house.customers()
        if by_hand:
            erasure.erase_customers(session, [first.id])
        else:
            retention.forget_records(session, first.source_id, first.vrio_id)

    assert remembered(house) == {"offer 302"}
