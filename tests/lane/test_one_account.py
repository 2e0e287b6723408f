"""One Klaviyo account behind several connections: their lanes become one."""

from functools import partial

from sqlalchemy import select

from tests.bodies import declined, event
from tests.building import House
from tests.lane.owed import owe, together
from tests.steered import Klaviyo
from vrio_klaviyo.klaviyo.limits import LIMITS, Limit
from vrio_klaviyo.store import leases
from vrio_klaviyo.store.connections import Connection, KlaviyoAccount


def lanes(house: House) -> set[str]:
    with house.db.read() as session:
        return set(session.scalars(select(KlaviyoAccount.id)))


def test_two_connections_of_one_klaviyo_account_share_its_lane(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    second = house.connect("Second")
    owe(house, *[declined(number, customer=number, email=f"j{number}@acme.test") for number in range(3)])
    house.settle(connection)
    assert lanes(house) == {connection.account_id, second.account_id}
    house.settle(second)
    house.settle(second)

    assert house.connection(second).account_id == connection.account_id
    assert lanes(house) == {connection.account_id}
    house.settle(connection)
    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}
    assert {event["repeats"] for event in klaviyo.events()} == {1}  # Each connection sends it, with the same id.


def test_as_soon_as_klaviyo_tells_whose_key_it_is_the_older_lane_takes_over(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house)
    house.settle(connection)
    second = house.connect("Second")
    for number in range(12):
        house.owe(second, 10 + number, customer=10 + number)
    house.send(second, senders=1)
    by_itself = len(klaviyo.requests()) - 1
    house.settle(second)
    house.settle(connection)

    assert 1 <= by_itself < 12
    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}


def test_they_have_one_limit_between_them(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    beside = house.connect("Beside", beside=connection)
    for number in range(20):
        for one in (connection, beside):
            house.owe(one, number, customer=number, request=event(f"{1000 + number}", email=f"j{number}@acme.test"))
    limit = Limit(burst=10, steady=100)
    limits = {**LIMITS, "/api/events": limit}
    house.send(connection, limits=limits)
    house.send(beside, "worker/2", limits=limits)
    assert len(klaviyo.requests()) == limit.at_once == 4

    began = house.clock()
    house.settle(connection, limits=limits)
    assert len(klaviyo.requests()) == 40
    # As long as it takes one connection to send as much.
    assert (house.clock() - began).total_seconds() >= 36 / limit.per_s - 1
    assert {len(house.deliveries(one)) for one in (connection, beside)} == {20}


def test_the_smaller_cap_holds_for_both(house: House, connection: Connection) -> None:
    second = house.connect("Second")
    with house.db.write() as session:
        session.get_one(KlaviyoAccount, connection.account_id).klaviyo_id = "SbxA01"
        young = session.get_one(KlaviyoAccount, second.account_id)
        young.klaviyo_id, young.rate_per_minute, young.name = "SbxA01", 600, "Acme"
    house.settle(second)

    with house.db.read() as session:
        account = session.get_one(KlaviyoAccount, connection.account_id)
    assert (account.rate_per_minute, account.name) == (600, "Acme")
    assert house.bells == [("lane", connection.account_id)]


def test_lanes_that_merge_while_they_work_lose_and_double_nothing(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    others = [house.connect(f"Other {number}") for number in range(3)]
    everybody = [connection, *others]
    owe(house, *[declined(n, customer=n, email=f"j{n}@acme.test") for n in range(10)])
    while any(delivery.status == "queued" for delivery in house.deliveries()):
        together(*[partial(house.send, house.connection(one), f"worker/{n}") for n, one in enumerate(everybody)])
    for one in others:
        house.settle(house.connection(one))

    assert lanes(house) == {connection.account_id}
    assert {house.connection(one).account_id for one in others} == {connection.account_id}
    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}
    assert {attempt.error for one in house.deliveries() for attempt in house.attempts(one)} == {None}
    assert len(klaviyo.requests()) == 40


def test_a_lane_with_something_under_way_is_not_moved(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    """What the older lane would take for the trace of a dead worker would be sent again while it is under way."""
    second = house.connect("Second")
    owe(house)
    with house.db.write() as session:
        for one in (connection, second):
            session.get_one(KlaviyoAccount, one.account_id).klaviyo_id = "SbxA01"
    leases.acquire(house.db, f"lane/{second.account_id}", "worker/2", house.clock())
    house.settle(second)

    assert house.connection(second).account_id != connection.account_id
