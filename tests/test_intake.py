"""The first half of the story, on a real database: every webhook ends in a visible row, and promises nothing twice."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from tests.building import DECLINED, NOON, SALE, SAMPLES, House, declined, emptied, sample, standing_database
from vrio_klaviyo import intake
from vrio_klaviyo.consequences import NO_CONNECTION, TEST_ADDRESS, TOLD_OTHERWISE
from vrio_klaviyo.intake import BATCH, DIED
from vrio_klaviyo.klaviyo.requests import EventRequest, loads
from vrio_klaviyo.store import leases
from vrio_klaviyo.store.connections import Connection, add_connection
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.inbound import MOST_STARTS, InboundEvent, note_crash
from vrio_klaviyo.store.memory import Memory
from vrio_klaviyo.store.workspaces import add_workspace


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def standing(request: pytest.FixtureRequest) -> Iterator[Database]:
    yield from standing_database(request)


@pytest.fixture
def database(standing: Database) -> Database:
    return emptied(standing)


@pytest.fixture
def house(database: Database) -> Iterator[House]:
    house = House(database)
    yield house
    house.close()


@pytest.fixture
def connection(house: House) -> Connection:
    return house.connect()


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


def break_down(house: House, connection: Connection) -> None:
    """Something that no webhook can cause, so that work on it raises: a row that only this transaction trips over."""
    house.change(connection, campaigns=7)


def test_what_raises_is_tried_alone_three_times_and_then_set_aside(house: House, connection: Connection) -> None:
    ids = [house.post(declined(number)) for number in range(3)]
    break_down(house, connection)
    for _ in range(MOST_STARTS):
        with pytest.raises(TypeError):
            house.take_in()
        with house.db.write() as session:
            note_crash(session, house.source.id, "Traceback: boom")
    # Nothing was half done, and the lease is free.
    assert house.deliveries() == []
    assert [house.inbound(one).starts for one in ids] == [3, 1, 1]
    house.change(connection, campaigns=[])
    house.take_in()

    first, *others = [house.inbound(inbound_id) for inbound_id in ids]
    assert (first.status, first.reason) == ("failed", "Traceback: boom")
    assert {other.status for other in others} == {"processed"}
    assert len(house.deliveries()) == 2


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
