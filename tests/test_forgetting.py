"""Forgetting: what is old goes, what is still needed stays; of a person who asks for it nothing stays but figures."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import LargeBinary, Text, func, select, update

from tests.bodies import SALE, declined, sample
from tests.building import House
from tests.steered import Klaviyo
from vrio_klaviyo import replaying
from vrio_klaviyo.errors import NotFound, Refused
from vrio_klaviyo.forgetting import EVERY, LEASE, Erased, Forgetter, Forgotten, Kept, due, erase
from vrio_klaviyo.store import leases
from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import Customer
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.erasure import ERASED
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.listing import Wanted
from vrio_klaviyo.store.memory import RecordRow
from vrio_klaviyo.store.replays import Replay
from vrio_klaviyo.store.tables import metadata

KEPT = Kept(bodies=timedelta(days=30), rows=timedelta(days=400))
JOHN = "john@acme.test"


@pytest.fixture
def house(house: House) -> House:
    """Ids hold the time of this computer, so the house's clock shows it too."""
    house.clock.now = datetime.now(UTC)
    return house


def owe(house: House, *bodies: dict[str, Any]) -> None:
    for body in bodies or [declined()]:
        house.post(body)
    house.take_in()


def sent(house: House, connection: Connection, *bodies: dict[str, Any]) -> None:
    owe(house, *bodies)
    house.settle(connection)


def forget(house: House, **how: bool) -> Forgotten:
    return Forgetter(db=house.db, kept=KEPT, now=house.clock).forget("worker/1", **how)


def rows(house: House, table: Any) -> int:
    with house.db.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def bodies(house: House) -> list[bytes | None]:
    """Every body that is kept."""
    with house.db.read() as session:
        found = [*session.scalars(select(InboundEvent.body)), *session.scalars(select(Delivery.request))]
        for attempt in session.scalars(select(Attempt)):
            found += [attempt.request_body, attempt.response_body or b""]
    return [body for body in found if body]


def test_bodies_go_after_their_time_and_not_before(house: House, connection: Connection) -> None:
    sent(house, connection)
    before, attempts = house.delivery(), house.attempts()
    house.clock.advance(days=29, hours=23)
    assert forget(house) == Forgotten()
    assert len(bodies(house)) == 3
    house.clock.advance(days=1, hours=2)
    assert forget(house) == Forgotten(bodies=2)

    assert bodies(house) == []
    after = house.delivery()
    assert after.bodies_removed_at == house.clock()
    assert house.inbound(after.inbound_event_id).body_removed_at == house.clock()
    kept = ("id", "status", "unique_id", "dedup_key", "metric", "finished_at", "created_at")
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    assert [(one.id, one.response_status, one.duration_ms) for one in house.attempts()] == [
        (one.id, one.response_status, one.duration_ms) for one in attempts
    ]


def test_what_comes_again_is_still_seen_to_have_come_before(house: House, connection: Connection) -> None:
    sent(house, connection)
    house.clock.advance(days=31)
    forget(house)
    house.post(declined())
    owe(house, declined() | {"webhook_event_id": 9999})

    assert rows(house, InboundEvent) == 2
    assert rows(house, Delivery) == 1


@pytest.mark.parametrize("status", ["queued", "retrying", "held"])
def test_what_is_still_owed_keeps_its_body_and_that_of_its_webhook(
    house: House, connection: Connection, status: str
) -> None:
    owe(house)
    with house.db.write() as session:
        session.execute(update(Delivery).values(status=status))
    house.clock.advance(days=500)

    assert forget(house) == Forgotten()
    assert len(bodies(house)) == 2
    assert rows(house, InboundEvent) == 1


def test_what_nobody_has_looked_at_keeps_its_body(house: House) -> None:
    house.post(declined())
    house.clock.advance(days=500)

    assert forget(house) == Forgotten()
    assert len(bodies(house)) == 1


def test_the_webhook_keeps_its_body_while_one_of_its_deliveries_needs_it(house: House, connection: Connection) -> None:
    house.connect("Other")
    owe(house)
    house.settle(connection)
    house.clock.advance(days=31)

    assert forget(house) == Forgotten(bodies=1)
    with house.db.read() as session:
        assert [bool(body) for body in session.scalars(select(InboundEvent.body))] == [True]


def test_what_makes_no_delivery_loses_its_body_too(house: House) -> None:
    house.post(b"nonsense")
    owe(house, sample("order_updated"))
    house.clock.advance(days=31)

    assert forget(house).bodies == 2
    assert bodies(house) == []


def test_rows_go_after_their_time_with_all_that_followed(house: House, connection: Connection) -> None:
    sent(house, connection, sample(SALE))
    with house.db.write() as session:
        session.execute(update(Delivery).values(status="failed"))
        replay = replaying.start(session, connection, Wanted(status=["failed"]), house.clock(), started_by="me")
        replaying.stop(session, replay, house.clock())
    house.clock.advance(days=399)
    forget(house)
    assert rows(house, InboundEvent) == 1
    house.clock.advance(days=2)
    sent(house, connection, declined(2, customer=302, email="jane@acme.test"))

    forgotten = forget(house)
    assert (forgotten.webhooks, forgotten.customers, forgotten.replays) == (1, 1, 1)
    assert [rows(house, table) for table in (InboundEvent, Delivery, Customer, Replay)] == [1, 1, 1, 0]
    with house.db.read() as session:
        assert set(session.scalars(select(RecordRow.vrio_customer_id))) == {"302"}


def test_a_customer_who_is_still_heard_of_is_not_forgotten(house: House, connection: Connection) -> None:
    sent(house, connection, declined(1))
    house.clock.advance(days=401)
    sent(house, connection, declined(2, at=house.clock().strftime("%Y-%m-%d %H:%M:%S")))

    assert forget(house).customers == 0
    with house.db.read() as session:
        assert session.scalars(select(Customer.email)).all() == [JOHN]
        kinds = session.execute(select(RecordRow.kind, func.count()).group_by(RecordRow.kind)).all()
    assert dict(kinds)["transaction"] == 2


def test_it_runs_once_a_day(house: House, connection: Connection) -> None:
    sent(house, connection)
    house.clock.advance(days=29, hours=12)
    forget(house)
    with house.db.read() as session:
        assert LEASE in leases.resting(session, house.clock())
    house.clock.advance(days=1)
    assert forget(house).bodies == 2
    sent(house, connection, declined(2))
    with house.db.write() as session:
        session.execute(update(Delivery).values(finished_at=house.clock() - timedelta(days=60)))
    house.clock.advance(hours=23)

    assert forget(house) == Forgotten()
    house.clock.now += EVERY
    assert forget(house).bodies == 1


def test_a_person_need_not_wait_for_the_day(house: House, connection: Connection) -> None:
    forget(house)
    sent(house, connection)
    with house.db.write() as session:
        session.execute(update(Delivery).values(finished_at=house.clock() - timedelta(days=60)))

    assert due(house.db, KEPT, house.clock()) == Forgotten(bodies=1)
    assert len(bodies(house)) == 3
    assert forget(house, at_once=True).bodies == 1


def test_two_at_once_do_no_harm(house: House) -> None:
    leases.acquire(house.db, LEASE, "worker/2", house.clock())

    assert forget(house) == Forgotten()
    with pytest.raises(Refused, match="A worker is at it right now"):
        forget(house, at_once=True)


def test_more_than_one_batch_goes(house: House, connection: Connection) -> None:
    for number in range(230):
        house.post(b"nonsense %d" % number)
    house.clock.advance(days=31)

    assert forget(house, at_once=True).bodies == 230


def everything(house: House) -> str:
    """All that stands in the database, as text."""
    told = []
    with house.db.read() as session:
        for table in metadata.sorted_tables:
            columns = [column for column in table.columns if isinstance(column.type, LargeBinary) or _is_text(column)]
            if columns:
                told += [str(value) for row in session.execute(select(*columns)) for value in row]
    return "\n".join(told).lower()


def _is_text(column: Any) -> bool:
    return isinstance(getattr(column.type, "impl", column.type), Text)


def erased(house: House, email: str = JOHN) -> Erased:
    return erase(house.db, house.source.workspace_id, email, house.clock())


def test_of_a_person_who_is_erased_nothing_stays(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("status", status=400)
    one = declined(1, phone="(555) 000-0101")
    one["webhook_data"]["transaction"]["customer"] |= {"first_name": "Zebulon", "last_name": "Quartermain"}
    sent(house, connection, one, declined(2, phone="(555) 000-0101"))
    for body in (b'{"webhook_type": "odd", "mail": "JOHN\\u0040acme.test"}', b"nonsense of john@acme.test"):
        house.post(body)
    house.take_in()
    assert "john" in everything(house)
    counted = [rows(house, table) for table in (InboundEvent, Delivery, Attempt, Customer)]

    assert asdict(erased(house, " John@Acme.test ")) == {
        "customers": 1,
        "deliveries": 2,
        "webhooks": 4,
        "under_way": 0,
    }
    left = everything(house)
    for trace in (JOHN, "john", "zebulon", "quartermain", "0000101", "000-0101"):
        assert trace not in left
    assert [rows(house, table) for table in (InboundEvent, Delivery, Attempt, Customer)] == counted


def test_of_others_everything_stays(house: House, connection: Connection) -> None:
    sent(house, connection, declined(1), declined(2, customer=302, email="jane@acme.test"))
    house.post(b"nonsense of jane@acme.test")
    before = bodies(house)
    erased(house)

    assert len(before) - len(bodies(house)) == 3
    assert "jane@acme.test" in everything(house)
    with house.db.read() as session:
        assert set(session.scalars(select(RecordRow.vrio_customer_id))) == {"302"}


def test_after_an_erasure_nothing_is_doubled(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    sent(house, connection, sample(SALE))
    email = house.customers()[0].email
    erased(house, email)
    house.post(sample(SALE))
    sent(house, connection, sample(SALE) | {"webhook_event_id": 9999})

    assert len(klaviyo.events()) == 3
    assert rows(house, InboundEvent) == 2


@pytest.mark.parametrize("status", ["queued", "retrying", "held"])
def test_what_was_not_sent_yet_is_given_up(house: House, connection: Connection, klaviyo: Klaviyo, status: str) -> None:
    owe(house)
    with house.db.write() as session:
        session.execute(update(Delivery).values(status=status))
    erased(house)
    house.settle(connection)

    assert (house.delivery().status, house.delivery().reason) == ("failed", ERASED)
    assert klaviyo.requests() == []


def test_what_nobody_has_looked_at_yet_is_not_looked_at_any_more(house: House, connection: Connection) -> None:
    sent(house, connection, declined(1))
    inbound_id = house.post(declined(2))
    erased(house)
    house.take_in()

    assert (house.inbound(inbound_id).status, house.inbound(inbound_id).reason) == ("ignored", ERASED)
    assert rows(house, Delivery) == 1
    assert JOHN not in everything(house)


def test_what_is_on_its_way_is_told_and_left_for_a_second_time(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    told: list[Erased] = []
    owe(house)
    klaviyo.while_asked(lambda: told.append(erased(house)))
    house.send(connection)
    assert [one.under_way for one in told] == [1]

    assert erased(house).under_way == 0
    assert JOHN not in everything(house)


def test_who_is_in_another_workspace_or_nowhere_is_not_found(house: House, connection: Connection) -> None:
    sent(house, connection)

    with pytest.raises(NotFound):
        erase(house.db, "ws_other", JOHN, house.clock())
    with pytest.raises(NotFound):
        erased(house, "nobody@acme.test")
    assert JOHN in everything(house)


def test_an_erased_customer_is_found_no_more_and_may_come_anew(house: House, connection: Connection) -> None:
    sent(house, connection)
    erased(house)
    with pytest.raises(NotFound):
        erased(house)
    sent(house, connection, declined(5))

    assert [customer.email for customer in house.customers()] == [JOHN]
    assert rows(house, Customer) == 1
