"""What must go by itself is not forgotten, whatever comes between."""

import json
from typing import Any

import pytest

from tests.bodies import event
from tests.building import House
from tests.lane.owed import BAD_PHONE, PHONE, told
from tests.steered import Klaviyo
from vrio_klaviyo.deciding import A_PHONE_IGNORED
from vrio_klaviyo.klaviyo.requests import Profile
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import ProfileLink
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.holding import ENDPOINT_REFUSED, KEY_REJECTED, resume_held

BULK = "/api/event-bulk-create-jobs"
EVERY_REASON = [KEY_REJECTED, ENDPOINT_REFUSED]

BETWEEN: dict[str, tuple[dict[str, Any], int]] = {
    "throttled": ({"fault": "throttle", "retry_after": 1}, 429),
    "down": ({"fault": "status", "status": 503}, 503),
    "refused": ({"fault": "status", "status": 404}, 404),
    "not authorized": ({"fault": "status", "status": 401}, 401),
}


def goes_on(house: House, connection: Connection) -> None:
    """Whatever it waits for is over."""
    house.clock.advance(minutes=2)
    with house.db.write() as session:
        resume_held(session, [connection.id], EVERY_REASON, house.clock())
    house.change(connection, key_status="accepted")


@pytest.mark.parametrize(("fault", "status"), BETWEEN.values(), ids=BETWEEN)
def test_what_a_job_was_refused_for_is_in_no_other_job(
    house: House, connection: Connection, klaviyo: Klaviyo, fault: dict[str, Any], status: int
) -> None:
    bad = house.owe(connection, 1, customer=1, request=event("1001", email="not an address"))
    for number in range(2, 8):
        house.owe(connection, number, customer=number)
    klaviyo.fault(**fault, match={"unique_id": "1001", "path": "/api/events"})
    house.send(connection, rush_at=3)
    goes_on(house, connection)
    for number in range(8, 12):
        house.owe(connection, number, customer=number)
    house.settle(connection, rush_at=3)

    assert [told(attempt) for attempt in house.attempts(bad)] == [("bulk", 400), ("singly", status), ("singly", 400)]
    assert [request["status"] for request in klaviyo.requests() if request["path"] == BULK].count(400) == 1
    assert [one.status for one in house.deliveries()] == ["failed"] + ["accepted"] * 10


@pytest.mark.parametrize(("fault", "status"), BETWEEN.values(), ids=BETWEEN)
def test_what_a_worker_died_of_in_a_job_is_in_no_other_job(
    house: House, connection: Connection, klaviyo: Klaviyo, fault: dict[str, Any], status: int
) -> None:
    suspect = house.owe(connection, 1, customer=1)
    house.change(suspect, next_trigger="interrupted", tries=1)
    klaviyo.fault(**fault)
    house.send(connection)
    goes_on(house, connection)
    for number in range(2, 8):
        house.owe(connection, number, customer=number)
    house.settle(connection, rush_at=3)

    tried = [("interrupted", status), ("singly", 202)]
    assert [told(attempt) for attempt in house.attempts(suspect)] == tried
    assert BULK in [request["path"] for request in klaviyo.requests()]


@pytest.mark.parametrize(("fault", "status"), BETWEEN.values(), ids=BETWEEN)
def test_what_goes_out_without_its_phone_stays_without_it(
    house: House, connection: Connection, klaviyo: Klaviyo, fault: dict[str, Any], status: int
) -> None:
    owed = house.owe(connection, request=event("1001", profile=Profile(email="john@acme.test", phone=BAD_PHONE)))
    # Nothing else tells of whom the number was refused.
    house.change(owed, customer_id=None)
    klaviyo.fault("status", status=409)
    klaviyo.fault(**fault)
    house.send(connection)
    goes_on(house, connection)
    house.settle(connection)

    tried = [("first", 409), ("phone_removed", status), ("phone_removed", 202)]
    assert [told(attempt) for attempt in house.attempts()] == tried
    assert house.delivery().status == "accepted"


def test_what_may_have_arrived_by_itself_is_not_overwritten_by_older_news(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owed = house.owe(connection)
    house.change(owed, next_trigger="singly")
    klaviyo.fault("status", status=503)
    house.send(connection)

    with house.db.read() as session:
        link = session.get_one(ProfileLink, (connection.id, owed.customer_id))
    assert link.accepted_as_of == owed.as_of


def test_whose_phone_was_ignored_in_a_job_nobody_knows(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    phones = [PHONE, "+12125550121", None, None]
    for number, phone in enumerate(phones):
        request = event(f"{1000 + number}", profile=Profile(email=f"john{number}@acme.test", phone=phone))
        has_accepted(house, house.owe(connection, number, customer=number, request=request), phone)
    klaviyo.fault("partial_failure", match={"path": BULK})
    house.settle(connection, rush_at=3)

    assert [request["path"] for request in klaviyo.requests()] == [BULK]
    assert [one.notes for one in house.deliveries()] == [[A_PHONE_IGNORED]] * 2 + [[]] * 2
    with house.db.read() as session:
        links = [session.get_one(ProfileLink, (connection.id, one.customer_id)) for one in house.deliveries()]
    assert [(link.accepted_phone, link.refused_phone) for link in links] == [(phone, None) for phone in phones]
    entries = json.loads(klaviyo.requests()[0]["body"])["data"]["attributes"]["events-bulk-create"]["data"]
    assert len(entries) == 4


def has_accepted(house: House, delivery: Delivery, phone: str | None) -> None:
    """What Klaviyo took of this customer before."""
    with house.db.write() as session:
        key = {"connection_id": delivery.connection_id, "customer_id": delivery.customer_id}
        session.add(ProfileLink(**key, accepted_as_of=None, refused_phone=None, accepted_phone=phone))
