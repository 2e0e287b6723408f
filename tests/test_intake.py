"""The first half of the story, on a real database: every webhook ends in a visible row, and promises nothing twice."""

import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text, update

from tests.building import (
    DECLINED,
    NOON,
    SALE,
    SAMPLES,
    House,
    declined,
    klaviyo_served,
    sample,
)
from vrio_klaviyo import intake
from vrio_klaviyo.consequences import NO_CONNECTION, TOLD_OTHERWISE
from vrio_klaviyo.intake import BATCH, DIED
from vrio_klaviyo.klaviyo.requests import EventRequest, loads
from vrio_klaviyo.store import leases
from vrio_klaviyo.store.catalog import keep_catalog
from vrio_klaviyo.store.connections import Connection, add_connection
from vrio_klaviyo.store.db import DatabaseError, is_outage
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.inbound import MOST_STARTS, InboundEvent, note_crash
from vrio_klaviyo.store.memory import Memory, RecordRow
from vrio_klaviyo.store.workspaces import add_workspace
from vrio_klaviyo.vrio import keeping
from vrio_klaviyo.vrio.catalog import Catalog, CatalogItem, CatalogOffer
from vrio_klaviyo.wanted import TEST_ADDRESS


def without_customer(body: dict[str, Any]) -> dict[str, Any]:
    for thing in body["webhook_data"].values():
        thing["customer"] = None
    return body


def taken_in(house: House, *bodies: bytes | dict[str, Any]) -> list[InboundEvent]:
    """Post these webhooks and run the intake; how each of them ended."""
    ids = [house.post(body) for body in bodies]
    rung = len(house.bells)
    house.take_in()
    # A run ends after its slice of time, and rings.
    while ("intake", house.source.id) in house.bells[rung:]:
        house.bells.remove(("intake", house.source.id))
        rung = len(house.bells)
        house.take_in()
    return [house.inbound(inbound_id) for inbound_id in ids]


def promised(house: House) -> list[tuple[str, str, str, str]]:
    """What is owed, was sent, or was not: metric, id, status, reason."""
    return [(one.metric, one.unique_id, one.status, one.reason) for one in house.deliveries()]


def request_of(delivery: Delivery) -> EventRequest:
    request = loads(delivery.request)
    assert isinstance(request, EventRequest)
    return request


@pytest.mark.parametrize(
    ("name", "status", "owed", "skipped"),
    [
        (
            "transaction_completed_sale_subscription_cycle1",
            "processed",
            {("Placed Order", "1668"), ("Ordered Product", "1668_1"), ("Started Subscription", "1668_1_sub")},
            None,
        ),
        (
            "transaction_completed_sale_onetime",
            "processed",
            {("Placed Non-Recurring Order", "1690"), ("Ordered Product", "1690_7")},
            None,
        ),
        (
            "transaction_completed_capture_recurring_cycle2",
            "processed",
            {("Placed Order", "1701"), ("Ordered Product", "1701_1")},
            None,
        ),
        ("transaction_completed_declined_cycle1", "processed", {("Declined Order", "1670")}, None),
        ("transaction_completed_declined_rebill_attempt2", "processed", {("Declined Order", "1711")}, None),
        (
            "transaction_completed_sale_no_email",
            "processed",
            {("Placed Non-Recurring Order", "1698"), ("Ordered Product", "1698_7")},
            "no_email",
        ),
        (
            "transaction_completed_sale_test_order",
            "processed",
            {("Placed Order", "1699"), ("Ordered Product", "1699_1"), ("Started Subscription", "1699_1_sub")},
            "test_order",
        ),
    ],
)
@pytest.mark.requirement("003-30", "003-31", "003-36", "003-44", "003-49", "003-67")
def test_a_sample_comes_to_this(
    house: House, connection: Connection, name: str, status: str, owed: set[tuple[str, str]], skipped: str | None
) -> None:
    (event,) = taken_in(house, sample(name))

    assert (event.status, event.reason, event.finished_at) == (status, "", house.clock())
    assert {(metric, unique_id) for metric, unique_id, _, _ in promised(house)} == owed
    expected = ("skipped", skipped) if skipped else ("queued", "")
    assert {(status, reason) for _, _, status, reason in promised(house)} == {expected}
    assert house.bells[1:] == ([] if skipped else [("lane", connection.account_id)])


@pytest.mark.requirement("003-50", "003-51", "003-52")
def test_the_ids_are_those_of_the_published_page(house: House, connection: Connection) -> None:
    taken_in(house, sample(SALE))

    assert [unique_id for _, unique_id, _, _ in promised(house)] == ["1668", "1668_1", "1668_1_sub"]


@pytest.mark.requirement("003-53")
def test_the_same_sale_told_again_promises_nothing(house: House, connection: Connection) -> None:
    taken_in(house, sample(SALE))
    house.bells.clear()
    (event,) = taken_in(house, sample(SALE) | {"webhook_event_id": 9999, "webhook_event_date": "2025-08-16 09:00:00"})

    assert event.status == "processed"
    assert len(house.deliveries()) == 3
    assert house.bells == [("intake", house.source.id)]


@pytest.mark.requirement("003-53")
def test_a_repeat_under_another_e_mail_promises_nothing(house: House, connection: Connection) -> None:
    taken_in(house, declined(1))
    taken_in(house, declined(1, email="johnny@acme.test", at="2026-08-30 11:30:00") | {"webhook_event_id": 2})

    assert len(house.deliveries()) == 1
    assert request_of(house.delivery()).profile.email == "john@acme.test"
    assert house.customers()[0].email == "johnny@acme.test"


def test_all_samples_twice_promise_what_they_promise_once(house: House, connection: Connection) -> None:
    names = sorted(path.stem for path in SAMPLES.glob("*.json"))
    taken_in(house, *map(sample, names))
    once = [row for row in promised(house) if row[0]]
    taken_in(house, *[sample(name) | {"webhook_event_id": f"again {name}"} for name in names])
    twice = promised(house)
    taken_in(house, *[sample(name) | {"webhook_event_id": f"once more {name}"} for name in names])

    assert [row for row in twice if row[0]] == once
    # A profile may be told once more, when more was known of it by then.
    assert promised(house) == twice
    assert len(once) > 20


def test_every_connection_of_the_workspace_gets_its_own(house: House, connection: Connection) -> None:
    other = house.connect("Other")
    taken_in(house, declined())

    assert {delivery.connection_id for delivery in house.deliveries()} == {connection.id, other.id}
    assert set(house.bells[1:]) == {("lane", connection.account_id), ("lane", other.account_id)}


def test_two_sources_with_the_same_transaction_each_get_their_own(house: House, connection: Connection) -> None:
    other = house.add_source("Other")
    house.post(declined())
    house.post(declined(), other)
    house.take_in()
    house.take_in(other)

    assert len(house.deliveries()) == 2
    assert len(house.customers()) == 2


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (sample("order_gift_wrapped"), "unknown", "Vrio's event order_gift_wrapped is not one that we know."),
        (
            without_customer(sample("order_updated")),
            "ignored",
            "Vrio sends it for any change of an order; it says nothing of its own.",
        ),
        ({}, "unreadable", "The body has no webhook_type that can be read."),
        ({"webhook_type": "order"}, "unreadable", "The body has no webhook_event that can be read."),
        (sample(SALE) | {"webhook_data": {}}, "unreadable", "webhook_data has no object named like webhook_type."),
        (sample(SALE) | {"webhook_data": {"transaction": {}}}, "unreadable", "The transaction has no id."),
    ],
)
def test_what_makes_no_event_says_why(
    house: House, connection: Connection, body: dict[str, Any], status: str, reason: str
) -> None:
    (event,) = taken_in(house, body)

    assert (event.status, event.reason, event.finished_at) == (status, reason, house.clock())
    assert house.deliveries() == []
    assert house.bells == [("intake", house.source.id)]


def test_without_a_connection_a_webhook_is_ignored_and_remembered(house: House) -> None:
    (event,) = taken_in(house, declined())

    assert (event.status, event.reason) == ("ignored", NO_CONNECTION)
    assert event.customer_id == house.customers()[0].id
    with house.db.read() as session:
        assert Memory(session, house.source.id).recall("customer", "301")


def test_a_connection_of_another_workspace_gets_nothing(house: House) -> None:
    with house.db.write() as session:
        other = add_workspace(session, "Other")
        session.flush()
        add_connection(session, house.vault, other, "Klaviyo", "pk_other")
    (event,) = taken_in(house, declined())

    assert (event.status, event.reason) == ("ignored", NO_CONNECTION)
    assert house.deliveries() == []


def test_the_same_id_with_another_body_is_noted(house: House, connection: Connection) -> None:
    first, second = taken_in(house, declined(1), declined(2) | {"webhook_event_id": 7001})

    assert TOLD_OTHERWISE not in first.notes
    assert TOLD_OTHERWISE in second.notes
    assert [TOLD_OTHERWISE in delivery.notes for delivery in house.deliveries()] == [False, True]


def test_what_could_not_be_read_is_noted_on_the_delivery(house: House, connection: Connection) -> None:
    body = declined()
    body["webhook_data"]["transaction"] |= {"transaction_total": "a lot", "currency_id": None}
    (event,) = taken_in(house, body)

    notes = house.delivery().notes
    assert "transaction_total is not an amount: left out." in notes
    assert "No amount is given: the event goes without a value." in notes
    assert "No currency is given: taken to be USD." in notes
    assert event.notes == notes
    assert not any("a lot" in note for note in notes)


@pytest.mark.parametrize(
    ("email", "noted"),
    [("john@example.com", True), ("john@TEST.com", True), ("john@acme.test", False), ("john@myexample.com", False)],
)
def test_an_address_that_klaviyo_drops_is_noted(house: House, connection: Connection, email: str, noted: bool) -> None:
    taken_in(house, declined(email=email))

    assert (TEST_ADDRESS in house.delivery().notes) is noted


def test_a_source_says_what_its_payloads_leave_out(house: House, connection: Connection) -> None:
    berlin = house.add_source("Berlin", time_zone="Europe/Berlin", country="DE", currency="EUR")
    body = declined(phone="030 901820", at="2026-08-30 11:00:00")
    transaction = body["webhook_data"]["transaction"]
    transaction["currency_id"] = None
    for place in ("customer_address_billing", "customer_address_shipping"):
        transaction.pop(place, None)
    house.post(body, berlin)
    house.take_in(berlin)

    delivery = house.delivery()
    request = request_of(delivery)
    assert request.time.isoformat() == "2026-08-30T09:00:00+00:00"
    assert delivery.as_of == request.time
    assert (request.currency, request.profile.phone) == ("EUR", "+4930901820")


@pytest.mark.requirement("003-C")
def test_what_the_webhook_leaves_out_of_the_customer_is_remembered(house: House, connection: Connection) -> None:
    bare = declined(2, at="2026-08-30 11:30:00")
    bare["webhook_data"]["transaction"]["customer"] = {"id": "301"}
    bare["webhook_data"]["transaction"].pop("customer_address_billing", None)
    taken_in(house, declined(1))
    taken_in(house, bare, bare | {"webhook_event_id": "again"})

    first, second = house.deliveries()
    assert second.status == "queued"
    assert request_of(second).profile.email == request_of(first).profile.email == "john@acme.test"
    assert second.customer_id == first.customer_id


@pytest.mark.requirement("003-C")
def test_what_the_webhook_does_say_of_the_customer_stands(house: House, connection: Connection) -> None:
    renamed = declined(2, at="2026-08-30 11:30:00")
    renamed["webhook_data"]["transaction"]["customer"] = {"id": "301", "first_name": "Jon"}
    taken_in(house, declined(1), renamed)

    profile = request_of(house.deliveries()[1]).profile
    assert (profile.email, profile.first_name, profile.last_name) == ("john@acme.test", "Jon", "Doe")


@pytest.mark.requirement("003-D")
def test_a_mere_mention_does_not_wipe_what_is_remembered(house: House, connection: Connection) -> None:
    mention = declined(2, at="2026-08-30 11:30:00")
    mention["webhook_data"]["transaction"]["order"] = {"id": "1254"}
    mention["webhook_data"]["transaction"]["customer"] = None
    taken_in(house, sample(DECLINED))
    with house.db.read() as session:
        before = Memory(session, house.source.id).recall("order", "1254")
    taken_in(house, mention)

    assert before
    with house.db.read() as session:
        assert Memory(session, house.source.id).recall("order", "1254") == before


@pytest.mark.requirement("003-D")
def test_webhooks_in_the_wrong_order_leave_the_newest_picture(house: House, connection: Connection) -> None:
    newer, older = (
        declined(1, email="new@acme.test"),
        declined(2, email="old@acme.test", at="2026-08-29 11:00:00"),
    )
    taken_in(house, newer, older)

    assert house.customers()[0].email == "new@acme.test"
    with house.db.read() as session:
        kept = Memory(session, house.source.id).recall("customer", "301")
    assert kept is not None
    assert b"new@acme.test" in kept.body
    # The second one was told later, and shows the customer as we know them by then.
    assert [delivery.as_of.day for delivery in house.deliveries()] == [30, 30]
    assert {loads(delivery.request).profile.email for delivery in house.deliveries()} == {"new@acme.test"}


def test_nothing_is_remembered_as_from_a_day_yet_to_come(house: House, connection: Connection) -> None:
    taken_in(house, declined(1, email="old@acme.test", at="2126-08-30 11:00:00"))
    house.clock.advance(minutes=5)
    taken_in(house, declined(2, email="new@acme.test", at="2026-08-30 12:04:00"))

    assert house.customers()[0].email == "new@acme.test"
    assert house.deliveries()[0].as_of == NOON
    with house.db.read() as session:
        kept = Memory(session, house.source.id).recall("customer", "301")
    assert kept is not None
    assert b"new@acme.test" in kept.body


@pytest.mark.requirement("003-13", "003-53")
def test_what_was_skipped_goes_when_it_is_told_again_and_may_go(house: House, connection: Connection) -> None:
    house.change(connection, active=False)
    taken_in(house, declined(1))
    taken_in(house, declined(1) | {"webhook_event_id": "still paused"})
    assert promised(house) == [("Declined Order", "1001", "skipped", "connection_paused")]

    house.change(connection, active=True)
    taken_in(house, declined(1) | {"webhook_event_id": "active again"})
    taken_in(house, declined(1) | {"webhook_event_id": "once more"})
    assert promised(house) == [
        ("Declined Order", "1001", "skipped", "connection_paused"),
        ("Declined Order", "1001", "queued", ""),
    ]


@pytest.mark.requirement("003-12")
def test_what_came_before_the_connection_was_activated_is_skipped(house: House, connection: Connection) -> None:
    house.change(connection, activated_at=NOON + timedelta(seconds=1))
    taken_in(house, declined(1))
    house.clock.advance(seconds=1)
    taken_in(house, declined(2))

    assert [(status, reason) for _, _, status, reason in promised(house)] == [
        ("skipped", "before_activation"),
        ("queued", ""),
    ]


@pytest.mark.requirement("003-11")
def test_a_filter_lets_its_campaigns_through(house: House) -> None:
    chosen, all_of_them = house.connect("Chosen", campaigns=["7"]), house.connect("All")
    unknown = declined(3)
    unknown["webhook_data"]["transaction"].pop("campaign")
    unknown["webhook_data"]["transaction"]["order"].pop("campaign_id")
    unknown["webhook_data"]["transaction"]["order"]["id"] = "9999"
    taken_in(house, declined(1, campaign="7"), declined(2, campaign="8"), unknown)

    assert [(one.status, one.reason) for one in house.deliveries(chosen)] == [
        ("queued", ""),
        ("skipped", "campaign_not_selected"),
        ("skipped", "campaign_unknown"),
    ]
    assert [one.status for one in house.deliveries(all_of_them)] == ["queued"] * 3


def starts(house: House, inbound_id: str, number: int) -> None:
    """As if work on it had begun this often and never ended."""
    with house.db.write() as session:
        session.execute(update(InboundEvent).where(InboundEvent.id == inbound_id).values(starts=number))


def test_what_killed_three_workers_is_set_aside_and_the_others_go_on(house: House, connection: Connection) -> None:
    ids = [house.post(declined(number)) for number in range(3)]
    starts(house, ids[1], MOST_STARTS)
    house.take_in()

    first, second, third = [house.inbound(inbound_id) for inbound_id in ids]
    assert (second.status, second.reason) == ("failed", DIED)
    assert (first.status, third.status) == ("processed", "processed")
    assert [unique_id for _, unique_id, _, _ in promised(house)] == ["1000", "1002"]


@pytest.mark.parametrize("number", range(1, MOST_STARTS))
def test_what_killed_fewer_workers_is_tried_again(house: House, connection: Connection, number: int) -> None:
    inbound_id = house.post(declined())
    starts(house, inbound_id, number)
    house.take_in()

    assert house.inbound(inbound_id).status == "processed"


def poison(house: House, customer: int) -> None:
    """What no webhook can cause: what is remembered of this customer cannot be read, and work on it raises."""
    row = {
        "source_id": house.source.id,
        "kind": "customer",
        "vrio_id": str(customer),
        "vrio_customer_id": str(customer),
    }
    with house.db.write() as session:
        session.execute(insert(RecordRow).values(row | {"as_of": NOON - timedelta(days=1), "body": b"nonsense"}))


def crash(house: House) -> None:
    """Run the intake into what raises, as a worker does, which notes it."""
    engine = intake.Intake(db=house.db, ring=house.ring, now=house.clock)
    try:
        engine.drain(house.source.id, "worker/1")
    except ValueError:
        with house.db.write() as session:
            note_crash(session, engine.begun, traceback.format_exc(limit=-8))
        return
    raise AssertionError("nothing raised")


def test_what_raises_is_tried_alone_and_after_three_times_set_aside_with_its_traceback(
    house: House, connection: Connection
) -> None:
    ids = [house.post(declined(number, customer=300 + number)) for number in range(3)]
    poison(house, 301)
    crash(house)
    # Nothing was half done, and nobody knows yet which one it was.
    assert house.deliveries() == []
    assert [house.inbound(one).starts for one in ids] == [1, 1, 1]
    crash(house)
    assert [house.inbound(one).starts for one in ids] == [2, 2, 1]
    assert [house.inbound(one).status for one in ids] == ["processed", "received", "received"]
    later = house.post(declined(3, customer=303))
    crash(house)
    # What killed two waits until nobody else does.
    assert [house.inbound(one).status for one in (*ids, later)] == ["processed", "received", "processed", "processed"]
    house.take_in()

    poisoned = house.inbound(ids[1])
    assert (poisoned.status, poisoned.starts) == ("failed", MOST_STARTS + 1)
    assert poisoned.reason.startswith("Traceback")
    assert "JSONDecodeError" in poisoned.reason
    assert [house.inbound(one).reason for one in (ids[0], ids[2], later)] == ["", "", ""]
    assert len(house.deliveries()) == 3


@contextmanager
def database_failing(house: House) -> Iterator[None]:
    """A database that is not to be had: for PostgreSQL a lost connection, for SQLite a table that is not there."""
    with house.db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            where = "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(text(f"{others} {where}"))
            yield
            return
    with house.db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE customers RENAME TO elsewhere"))
    yield
    with house.db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO customers"))


def test_a_database_that_fails_is_no_webhooks_death(house: House, connection: Connection) -> None:
    ids = [house.post(declined(number, customer=300 + number)) for number in range(3)]
    for _ in range(MOST_STARTS + 1):
        with ExitStack() as failing:
            asked: list[int] = []

            def clock(asked: list[int] = asked, failing: ExitStack = failing) -> Any:
                """Asked for the third time right before the second transaction, and then in it."""
                asked.append(1)
                if len(asked) == (3 if house.db.engine.dialect.name == "sqlite" else 4):
                    failing.enter_context(database_failing(house))
                return house.clock()

            engine = intake.Intake(db=house.db, ring=house.ring, now=clock)
            with pytest.raises(DatabaseError) as failed:
                engine.drain(house.source.id, "worker/1")
            assert is_outage(failed.value)
        # The lease of a worker that could not give it back ends by itself.
        house.clock.advance(minutes=1)
    assert [house.inbound(one).starts for one in ids] == [0, 0, 0]
    house.take_in()

    assert {house.inbound(one).status for one in ids} == {"processed"}


def test_what_the_database_refuses_is_no_outage(house: House) -> None:
    with pytest.raises(DatabaseError) as refused, house.db.write() as session:
        session.execute(text("INSERT INTO workspaces (id, name, created_at) VALUES (NULL, 'x', '2026-08-30')"))

    assert not is_outage(refused.value)


def test_more_than_one_batch_is_worked_off_in_order(house: House, connection: Connection) -> None:
    numbers = range(BATCH * 2 + 1)
    events = taken_in(house, *[declined(number) for number in numbers])

    assert {event.status for event in events} == {"processed"}
    assert {event.starts for event in events} == {1}
    assert [unique_id for _, unique_id, _, _ in promised(house)] == [str(1000 + number) for number in numbers]


def test_a_source_that_somebody_else_works_on_is_left_alone(house: House, connection: Connection) -> None:
    inbound_id = house.post(declined())
    leases.acquire(house.db, f"intake/{house.source.id}", "worker/2", house.clock())
    house.take_in()

    assert house.inbound(inbound_id).status == "received"
    assert house.inbound(inbound_id).starts == 0


def test_who_loses_the_lease_in_the_middle_writes_nothing(house: House, connection: Connection) -> None:
    """The third time that the clock is asked is inside the second transaction, before its lease is looked at."""
    inbound_id = house.post(declined())
    asked: list[int] = []

    def clock() -> Any:
        asked.append(1)
        if len(asked) == 3:
            leases.acquire(house.db, f"intake/{house.source.id}", "worker/2", NOON + timedelta(minutes=10))
        return NOON

    engine = intake.Intake(db=house.db, ring=house.ring, now=clock)
    engine.drain(house.source.id, "worker/1")

    assert len(asked) == 3
    assert house.inbound(inbound_id).status == "received"
    assert house.deliveries() == []
    assert house.customers() == []
    with house.db.read() as session:
        assert session.get_one(leases.LeaseRow, f"intake/{house.source.id}").owner == "worker/2"


def test_who_is_told_to_stop_begins_nothing_and_rings(house: House, connection: Connection) -> None:
    inbound_id = house.post(declined())
    house.bells.clear()
    house.take_in(stopping=lambda: True)

    assert house.inbound(inbound_id).starts == 0
    assert house.bells == [("intake", house.source.id)]


def test_with_nothing_to_do_nothing_is_rung(house: House, connection: Connection) -> None:
    house.take_in()

    assert house.bells == []


def changed_offer(at: str, **changes: Any) -> dict[str, Any]:
    """A webhook of the sale's subscription that dates nothing but itself."""
    body = sample("order_offer_updated_paused") | {"webhook_event_id": at, "webhook_event_date": at}
    undated = {"date_pause": None, "date_unpause": None, "date_reactivate": None, "date_modified": None}
    body["webhook_data"]["order_offer"] |= undated | changes
    return body


@pytest.mark.requirement("003-46", "003-D")
def test_a_change_that_waits_for_its_customer_is_judged_by_what_was_known_before_it(
    house: House, connection: Connection
) -> None:
    active, paused, resumed = taken_in(
        house,
        changed_offer("2025-08-31 10:00:00", status_type_id="Active"),
        changed_offer("2025-09-01 10:00:00", status_type_id="Paused"),
        changed_offer("2025-09-02 10:00:00", status_type_id="Active"),
    )
    assert (active.status, paused.status, resumed.status) == ("ignored", "waiting", "waiting")

    taken_in(house, sample(SALE))
    taken_in(house)
    assert house.inbound(paused.id).status == "processed"
    changes = [
        one.metric for one in house.deliveries() if one.metric in ("Paused Subscription", "Unpaused Subscription")
    ]
    assert changes == ["Paused Subscription", "Unpaused Subscription"]


@pytest.mark.requirement("003-37", "003-C", "003-D")
def test_a_parcel_waits_for_its_payment_and_is_accepted_when_that_was_told(house: House) -> None:
    with klaviyo_served() as served:
        house.klaviyo_url = served.url
        connection = house.connect()
        (parcel,) = taken_in(house, sample("shipment_shipped"))
        assert (parcel.status, parcel.reason) == (
            "waiting",
            "It waits for transaction 1668, of which Vrio has told nothing yet.",
        )
        assert house.deliveries() == []

        taken_in(house, sample(SALE))
        taken_in(house)
        house.settle(connection)

    assert house.inbound(parcel.id).status == "processed"
    told = [(one.metric, one.status) for one in house.deliveries() if one.inbound_event_id == parcel.id]
    assert told == [("Fulfilled Order", "accepted")]


def import_catalogue(house: House, *items: tuple[str, str]) -> None:
    """What the offer of the sale consists of, as the merchant imports it."""
    offer = CatalogOffer(offer_id="1", items=tuple(CatalogItem(item_id=item_id, name=name) for item_id, name in items))
    with house.db.write() as session:
        keep_catalog(session, house.source.id, keeping.dumps(Catalog(offers=(offer,))), house.clock())


@pytest.mark.requirement("003-51", "003-53")
def test_a_catalogue_that_comes_between_a_sale_and_its_repeat_makes_no_further_products(
    house: House, connection: Connection
) -> None:
    taken_in(house, sample(SALE))
    import_catalogue(house, ("2", "Vitamin D3"), ("3", "Vitamin K2"))
    taken_in(house, sample(SALE) | {"webhook_event_id": "again"})

    assert [one.unique_id for one in house.deliveries() if one.metric == "Ordered Product"] == ["1668_1"]
    assert [one.unique_id for one in house.deliveries() if one.metric == "Started Subscription"] == ["1668_1_sub"]


@pytest.mark.requirement("003-49", "003-51")
def test_a_connection_that_comes_after_the_catalogue_is_told_of_the_whole_offer_too(
    house: House, connection: Connection
) -> None:
    taken_in(house, sample(SALE))
    import_catalogue(house, ("2", "Vitamin D3"), ("3", "Vitamin K2"))
    later = house.connect("Later")
    taken_in(house, sample(SALE) | {"webhook_event_id": "again"})

    first, second = (
        [request_of(one) for one in house.deliveries(told) if one.metric == "Ordered Product"]
        for told in (connection, later)
    )
    assert [(one.unique_id, one.value, one.properties["ItemName"]) for one in second] == [
        (one.unique_id, one.value, one.properties["ItemName"]) for one in first
    ]


@pytest.mark.requirement("003-51", "003-53")
def test_an_item_that_the_catalogue_replaces_keeps_its_id(house: House, connection: Connection) -> None:
    import_catalogue(house, ("2", "Vitamin D3"), ("3", "Vitamin K2"))
    taken_in(house, sample(SALE))
    import_catalogue(house, ("2", "Vitamin D3"), ("9", "Vitamin K2 drops"))
    taken_in(house, sample(SALE) | {"webhook_event_id": "again"})

    assert [one.unique_id for one in house.deliveries() if one.metric == "Ordered Product"] == ["1668_1", "1668_1-3"]


@pytest.mark.requirement("003-31")
def test_a_one_time_order_may_count_as_placed_order_too(house: House, connection: Connection) -> None:
    other = house.connect("Other")
    house.change(connection, one_time_as_placed_order=True)
    taken_in(house, sample("transaction_completed_sale_onetime"))

    assert [(one.metric, one.unique_id) for one in house.deliveries(connection)] == [
        ("Placed Non-Recurring Order", "1690"),
        ("Ordered Product", "1690_7"),
        ("Placed Order", "1690"),
    ]
    assert "Placed Order" not in {one.metric for one in house.deliveries(other)}
    placed, same = (request_of(one) for one in house.deliveries(connection) if "Order" in one.metric[-5:])
    assert replace(same, metric=placed.metric) == placed


@pytest.mark.requirement("003-18", "003-22")
def test_where_no_event_follows_a_profile_that_changed_goes_alone(house: House, connection: Connection) -> None:
    taken_in(house, sample(SALE))
    told = {"status_type_id": "Active", "next_recurring_date": "2026-09-14 10:30:00"}
    (event, again) = taken_in(
        house, changed_offer("2026-08-29 10:00:00", **told), changed_offer("2026-08-29 11:00:00", **told)
    )

    alone = house.deliveries()[-1]
    request = loads(alone.request)
    assert (event.status, alone.kind, alone.metric) == ("processed", "profile", "")
    assert request.profile.properties["NextChargeDate"] == "2026-09-14"
    assert alone.inbound_event_id == event.id
    assert again.status == "ignored"
