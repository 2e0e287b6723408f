"""Reading lists: the newest first, page by page, of one workspace only, without bodies, and by an index at any size."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from tests.building import House
from vrio_klaviyo.store import listing
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import Customer
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.ids import earliest_id, moment_of_id, new_id
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.listing import (
    Wanted,
    count_of_deliveries,
    page_of_connections,
    page_of_deliveries,
    page_of_happenings,
    page_of_webhooks,
)
from vrio_klaviyo.store.paging import MANY, Place
from vrio_klaviyo.store.sources import Source
from vrio_klaviyo.store.workspaces import add_workspace, find_workspace


def workspace_of(house: House) -> str:
    return house.source.workspace_id


def another_workspace(house: House) -> str:
    with house.db.write() as session:
        return add_workspace(session, "Another").id


def change(house: House, delivery_id: str, **values: Any) -> None:
    with house.db.write() as session:
        session.execute(update(Delivery).where(Delivery.id == delivery_id).values(values))


def ids(house: House, wanted: Wanted | None = None, **options: Any) -> list[str]:
    with house.db.read() as session:
        page = page_of_deliveries(session, workspace_of(house), wanted or Wanted(), **options)
    return [row.id for row in page.rows]


def owe(house: House, connection: Connection, count: int, **changes: Any) -> list[str]:
    """Deliveries that are due, the newest first."""
    return [house.owe(connection, number, **changes).id for number in range(1, count + 1)][::-1]


def test_pages_go_back_and_forth_without_a_gap_or_a_repeat(house: House) -> None:
    owed = owe(house, house.connect(), 7)
    with house.db.read() as session:
        newest = page_of_deliveries(session, workspace_of(house), Wanted(), limit=3)
        middle = page_of_deliveries(session, workspace_of(house), Wanted(), place=newest.older, limit=3)
        oldest = page_of_deliveries(session, workspace_of(house), Wanted(), place=middle.older, limit=3)
        back = page_of_deliveries(session, workspace_of(house), Wanted(), place=oldest.newer, limit=3)
        first = page_of_deliveries(session, workspace_of(house), Wanted(), place=back.newer, limit=3)

    assert [[row.id for row in page.rows] for page in (newest, middle, oldest)] == [owed[:3], owed[3:6], owed[6:]]
    assert (newest.newer, oldest.older) == (None, None)
    assert [row.id for row in back.rows] == owed[3:6]
    assert [row.id for row in first.rows] == owed[:3]
    assert first.newer is None


def test_what_comes_in_meanwhile_moves_no_page(house: House) -> None:
    connection = house.connect()
    owed = owe(house, connection, 4)
    with house.db.read() as session:
        older = page_of_deliveries(session, workspace_of(house), Wanted(), limit=2).older
    house.owe(connection, 9)

    assert ids(house, place=older, limit=2) == owed[2:]


def test_a_page_is_merged_from_all_connections_in_the_order_in_which_things_were_made(house: House) -> None:
    first, second = house.connect("First"), house.connect("Second")
    made = [house.owe(connection, number).id for number in range(1, 5) for connection in (first, second)]

    assert ids(house) == made[::-1]
    assert ids(house, Wanted(connections=[second.id])) == made[1::2][::-1]


def test_a_list_can_be_asked_for_less(house: House) -> None:
    connection = house.connect()
    one, two, three = owe(house, connection, 3)
    change(house, one, status="failed", reason="503", metric="Placed Order")
    change(house, two, status="held", reason="key_rejected")

    assert ids(house, Wanted(status=["failed", "held"])) == [one, two]
    assert ids(house, Wanted(event=["Placed Order"])) == [one]
    assert ids(house, Wanted(event=["Placed Order", "Declined Order"], status=["queued", "failed"])) == [one, three]
    assert ids(house, Wanted(causes=["503", "key_rejected"])) == [one, two]
    assert ids(house, Wanted(causes=["503"], event=["Declined Order"])) == []
    assert ids(house, Wanted(connections=["cn_none"])) == []


def test_a_list_can_be_asked_for_a_time(house: House) -> None:
    newest, middle, oldest = owe(house, house.connect(), 3)
    made_at = moment_of_id(middle)

    assert middle in ids(house, Wanted(since=made_at))
    assert oldest not in ids(house, Wanted(since=made_at + timedelta(milliseconds=1)))
    assert middle not in ids(house, Wanted(until=made_at))
    assert ids(house, Wanted(until=made_at + timedelta(days=1))) == [newest, middle, oldest]


def test_a_list_of_one_customer_holds_nobody_elses(house: House) -> None:
    connection = house.connect()
    mine, theirs = house.owe(connection, 1, customer=301), house.owe(connection, 2, customer=302)

    assert ids(house, Wanted(customers=[str(mine.customer_id)])) == [mine.id]
    assert ids(house, Wanted(customers=[str(theirs.customer_id)], status=["failed"])) == []
    assert ids(house, Wanted(customers=[])) == []


def test_nothing_of_another_workspace_is_listed(house: House) -> None:
    connection = house.connect()
    owed = house.owe(connection)
    with house.db.write() as session:
        session.execute(update(InboundEvent).values(customer_id=owed.customer_id))
    other = another_workspace(house)
    asked = (
        Wanted(),
        Wanted(connections=[connection.id]),
        Wanted(sources=[house.source.id]),
        Wanted(customers=[str(owed.customer_id)]),
    )
    with house.db.read() as session:
        for wanted in asked:
            assert page_of_deliveries(session, other, wanted).rows == []
            assert page_of_webhooks(session, other, wanted).rows == []
            assert page_of_happenings(session, other, wanted).rows == []
        assert page_of_connections(session, other).rows == []


def test_lists_load_no_bodies(house: House) -> None:
    house.owe(house.connect())
    with house.db.read() as session:
        (delivery,) = page_of_deliveries(session, workspace_of(house), Wanted()).rows
        (webhook,) = page_of_webhooks(session, workspace_of(house), Wanted()).rows
        with pytest.raises(InvalidRequestError):
            delivery.request  # noqa: B018
        with pytest.raises(InvalidRequestError):
            webhook.body  # noqa: B018


def test_webhooks_are_listed_by_status_event_and_source(house: House) -> None:
    other = house.add_source("Second")
    mine, theirs = house.post(b"not JSON"), house.post(b"{}", other)
    with house.db.read() as session:

        def listed(**wanted: Any) -> list[str]:
            return [row.id for row in page_of_webhooks(session, workspace_of(house), Wanted(**wanted)).rows]

        assert listed() == [theirs, mine]
        assert listed(status=["unreadable"]) == [mine]
        assert listed(sources=[other.id]) == [theirs]
        assert listed(event=["transaction_completed"]) == []
        assert listed(event=[""]) == [theirs, mine]


def test_archived_connections_are_a_list_of_their_own(house: House) -> None:
    kept, gone = house.connect("Kept"), house.connect("Gone")
    house.change(gone, archived_at=house.clock())
    with house.db.read() as session:
        assert [row.id for row in page_of_connections(session, workspace_of(house)).rows] == [kept.id]
        assert [row.id for row in page_of_connections(session, workspace_of(house), archived=True).rows] == [gone.id]


def test_what_happened_to_a_customer_is_grouped_by_webhook(house: House) -> None:
    connection = house.connect()
    first, second = house.owe(connection, 1), house.owe(connection, 2)
    with house.db.write() as session:
        session.execute(update(InboundEvent).values(customer_id=first.customer_id))
    change(house, second.id, status="failed", reason="400 invalid /data/attributes/profile/data/attributes/email")
    customers = [str(first.customer_id)]
    with house.db.read() as session:
        page = page_of_happenings(session, workspace_of(house), Wanted(customers=customers))
        failed = page_of_happenings(session, workspace_of(house), Wanted(customers=customers, status=["failed"]))
        count = listing.count_of_happenings(session, workspace_of(house), Wanted(customers=customers))

    assert [[row.id for row in happening.deliveries] for happening in page.rows] == [[second.id], [first.id]]
    assert page.rows[0].statuses == {"failed": 1}
    assert [happening.webhook.id for happening in failed.rows] == [second.inbound_event_id]
    assert count == 2


def test_webhooks_are_found_by_the_ids_of_their_events_or_by_their_own(house: House) -> None:
    connection = house.connect()
    first, second = house.owe(connection, 1), house.owe(connection, 2)
    change(house, first.id, unique_id="1668_2_sub", customer_id=second.customer_id)
    change(house, second.id, unique_id="16681")
    with house.db.write() as session:
        session.execute(update(InboundEvent).values(customer_id=second.customer_id, event_id="77"))

    def about(*names: str, event_id: str = "", whose: str | None = second.customer_id) -> list[str]:
        with house.db.read() as session:
            return listing.webhooks_about(session, [str(whose)], names, event_id)

    for name in ("1668", "1668_2", "1668_2_sub"):
        assert about(name) == [first.inbound_event_id], name
    assert about("1668", "16681") == about(event_id="77") == [second.inbound_event_id, first.inbound_event_id]
    for name in ("166", "1668_", "16%", "2_sub"):
        assert about(name) == [], name
    assert about() == about("1668", event_id="77", whose="cu_1") == []


def test_a_list_is_counted_up_to_many(house: House) -> None:
    connection = house.connect()
    fill(house, connection, MANY - 1)
    with house.db.read() as session:
        assert count_of_deliveries(session, workspace_of(house), Wanted()) == MANY - 1
    fill(house, connection, 2)
    with house.db.read() as session:
        assert count_of_deliveries(session, workspace_of(house), Wanted()) is None
        assert count_of_deliveries(session, workspace_of(house), Wanted(status=["held"])) == 0


def fill(house: House, connection: Connection, count: int) -> None:
    """Accepted deliveries, and a webhook for each."""
    with house.db.write() as session:
        rows = [values(house.source, connection) for _ in range(count)]
        session.execute(insert(InboundEvent), [webhook for webhook, _ in rows])
        session.execute(insert(Delivery), [delivery for _, delivery in rows])


def make_various(house: House, connection: Connection, source: Source) -> None:
    """Let every third row be another one's, failed, or of another kind: where all are alike no index is needed."""
    with house.db.write() as session:
        for model, other in (
            (Delivery, {"connection_id": connection.id, "metric": "Refunded Order"}),
            (InboundEvent, {"source_id": source.id, "event": "refunded"}),
        ):
            found = list(session.scalars(select(model.id).order_by(model.id)))
            session.execute(update(model).where(model.id.in_(found[::3])).values(other))
            session.execute(update(model).where(model.id.in_(found[1::3])).values(status="failed", reason="503"))


def values(source: Source, connection: Connection) -> tuple[dict[str, Any], dict[str, Any]]:
    webhook_id, now = new_id("in"), datetime.now(UTC)
    webhook = {"id": webhook_id, "source_id": source.id, "type": "transaction", "event": "transaction_completed"}
    webhook |= {"event_id": "", "received_at": now, "body": b"{}", "dedup_key": webhook_id, "status": "processed"}
    webhook |= {"reason": "", "notes": [], "starts": 1, "customer_id": None, "finished_at": now}
    webhook |= {"waits_for": "", "wait_until": None}
    delivery = {"id": new_id("dl"), "connection_id": connection.id, "customer_id": None, "kind": "event"}
    delivery |= {"inbound_event_id": webhook_id, "metric": "Placed Order", "unique_id": webhook_id, "as_of": now}
    delivery |= {"dedup_key": webhook_id, "request": b"{}", "status": "accepted", "reason": "", "notes": [], "tries": 1}
    delivery |= {"next_attempt_at": None, "next_trigger": "first", "created_at": now, "queued_at": now}
    return webhook, delivery | {"finished_at": now}


WANTED = {
    "all deliveries": ("deliveries", Wanted()),
    "deliveries by status": ("deliveries", Wanted(status=["failed", "held"])),
    "deliveries by event": ("deliveries", Wanted(event=["Placed Order"])),
    "deliveries by event and status": ("deliveries", Wanted(event=["Placed Order"], status=["failed"])),
    "deliveries by cause": ("deliveries", Wanted(causes=["503"])),
    "failures that nobody looked at": ("deliveries", Wanted(status=["failed"], looked_at=False)),
    "failures of a cause that nobody looked at": (
        "deliveries",
        Wanted(status=["failed"], causes=["503"], looked_at=False),
    ),
    "failures of a cause that were looked at": (
        "deliveries",
        Wanted(status=["failed"], causes=["503"], looked_at=True),
    ),
    "deliveries of a customer": ("deliveries", Wanted(customers=["cu_1"])),
    "deliveries since": ("deliveries", Wanted(since=datetime(2026, 1, 1, tzinfo=UTC))),
    "all webhooks": ("inbound_events", Wanted()),
    "webhooks by status": ("inbound_events", Wanted(status=["failed"])),
    "webhooks by event": ("inbound_events", Wanted(event=["transaction_completed"])),
    "webhooks of a customer": ("inbound_events", Wanted(customers=["cu_1"])),
}


@pytest.mark.parametrize(("table", "wanted"), WANTED.values(), ids=WANTED)
def test_every_stream_of_a_list_is_read_in_the_order_of_an_index(house: House, table: str, wanted: Wanted) -> None:
    """No sorting and no reading through: so a page costs the same whatever the table holds."""
    connection = house.connect()
    fill(house, connection, 300)
    make_various(house, house.connect("Another"), house.add_source("Another"))
    deliveries = table == "deliveries"
    place = Place(earliest_id("dl" if deliveries else "in", datetime(2050, 1, 1, tzinfo=UTC)))
    swept(house, table)
    with house.db.write() as session:
        if session.get_bind().dialect.name == "postgresql":
            # Of so few rows it would sort some or read them all; what it does without is what it does with a million.
            for way in ("seqscan", "bitmapscan", "sort"):
                session.execute(text(f"SET LOCAL enable_{way} = off"))
        streams = (listing.deliveries_wanted if deliveries else listing.webhooks_wanted)(
            session, workspace_of(house), wanted
        )
        assert streams
        plans = [plan(session, table, stream, place) for stream in streams]

    for lines in plans:
        assert "sort" not in lines.lower(), lines
        assert "temp b-tree" not in lines.lower(), lines
        assert "seq scan" not in lines.lower(), lines
        assert f"ix_{table}_" in lines, lines


def swept(house: House, table: str) -> None:
    """PostgreSQL: what other tests left in a table and its indexes counts no more when it chooses among them."""
    if house.db.engine.dialect.name == "postgresql":
        with house.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connected:
            connected.execute(text(f"REINDEX TABLE {table}"))
            connected.execute(text(f"VACUUM ANALYZE {table}"))


def plan(session: Session, table: str, stream: Any, place: Place) -> str:
    column = Delivery.id if table == "deliveries" else InboundEvent.id
    query = select(column).where(*stream, column < place.key).order_by(column.desc()).limit(51)
    dialect = session.get_bind().dialect
    compiled = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN QUERY PLAN" if dialect.name == "sqlite" else "EXPLAIN"
    rows = session.connection().exec_driver_sql(f"{explain} {compiled}").all()
    return "\n".join(str(row[-1]) for row in rows)


def test_failures_are_parted_by_whether_somebody_looked_at_them(house: House) -> None:
    newest, middle, oldest = owe(house, house.connect(), 3)
    for failed in (newest, oldest):
        change(house, failed, status="failed", reason="503")
    change(house, oldest, looked_at=house.clock())

    for causes in ([], ["503"]):
        assert ids(house, Wanted(status=["failed"], causes=causes, looked_at=False)) == [newest]
        assert ids(house, Wanted(status=["failed"], causes=causes, looked_at=True)) == [oldest]
        assert ids(house, Wanted(status=["failed"], causes=causes)) == [newest, oldest]
    assert ids(house, Wanted(ids=[middle, oldest, "dl_none"])) == [middle, oldest]


def test_failures_that_were_looked_at_are_not_read_to_count_the_others(house: House) -> None:
    """The count stands on every page, and what is put aside may be much."""
    connection = house.connect()
    fill(house, connection, 300)
    make_various(house, house.connect("Another"), house.add_source("Another"))
    with house.db.write() as session:
        session.execute(update(Delivery).where(Delivery.status == "failed").values(looked_at=house.clock()))
    place = Place(earliest_id("dl", datetime(2050, 1, 1, tzinfo=UTC)))
    swept(house, "deliveries")
    with house.db.read() as session:
        wanted = Wanted(status=["failed"], connections=[connection.id], looked_at=False)
        (stream,) = listing.deliveries_wanted(session, workspace_of(house), wanted)
        assert "ix_deliveries_open" in plan(session, "deliveries", stream, place)


def test_customers_have_their_own_workspace(house: House) -> None:
    """What a list of customers is bound to."""
    owed = house.owe(house.connect())
    with house.db.read() as session:
        assert session.get_one(Customer, owed.customer_id).workspace_id == find_workspace(session).id
