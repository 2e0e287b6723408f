"""How long a job may be."""

from dataclasses import replace
from datetime import timedelta

from tests.bodies import event
from tests.building import NOON, House
from tests.rush.rushed import (
    BULK,
    asked,
    calls,
    keep_short,
    length_of_a_job,
    owe,
    owe_copies,
    owe_long,
    rush,
    sizes,
)
from tests.steered import Klaviyo
from vrio_klaviyo.store.connections import Connection


def test_a_job_that_is_too_long_for_klaviyo_goes_in_halves(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owed = owe_long(house, connection, range(8))
    klaviyo.settings(bulk_bytes=length_of_a_job(house, connection) // 2 + 100)
    rush(house, connection)

    assert sizes(klaviyo) == [(8, 413), (4, 202), (4, 202)]
    assert set(asked(klaviyo)) == {BULK}
    assert {(one.status, one.tries) for one in house.deliveries()} == {("accepted", 1)}
    logged = [(one.trigger, one.response_status) for one in house.attempts(owed[0])]
    assert logged == [("bulk", 413), ("bulk", 202)]

    # What it takes is remembered, so that the next backlog is not refused again; but not for ever.
    owe_long(house, connection, range(8, 16))
    rush(house, connection)
    assert sizes(klaviyo)[3:] == [(4, 202), (4, 202)]
    klaviyo.settings(bulk_bytes=5_000_000)
    house.clock.advance(days=1, seconds=1)
    owe_long(house, connection, range(16, 24))
    rush(house, connection)
    assert sizes(klaviyo)[5:] == [(8, 202)]


def test_an_entry_that_is_too_long_by_itself_is_found_and_goes_singly(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    (large,) = owe_long(house, connection, [0], 90_000)
    others = owe_long(house, connection, range(1, 9), 2000)
    klaviyo.settings(bulk_bytes=80_000)
    rush(house, connection)

    assert sizes(klaviyo) == [(9, 413), (1, 413), (8, 202)]
    assert asked(klaviyo).count("/api/events") == 1
    assert {(one.status, one.tries) for one in house.deliveries()} == {("accepted", 1)}
    assert [one.trigger for one in house.attempts(large)] == ["bulk", "bulk", "singly"]
    assert [one.trigger for one in house.attempts(others[0])] == ["bulk", "bulk"]


def test_where_every_job_is_too_long_all_goes_singly(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("status", status=413, match={"path": BULK}, times=None)
    owe_long(house, connection, range(12))
    rush(house, connection)

    # At some twenty kilobytes it is seen that length is not what is wrong.
    assert [entries for entries, _ in sizes(klaviyo)] == [12, 6, 3]
    assert asked(klaviyo).count("/api/events") == 12
    assert {(one.status, one.tries) for one in house.deliveries()} == {("accepted", 1)}


def owe_one_person(house: House, connection: Connection, count: int) -> None:
    """So many long events of one person, the last one first."""
    for number in reversed(range(count)):
        request = replace(event(f"{1000 + number}", email="john1@acme.test"), properties={"Text": "x" * 9000})
        house.owe(connection, number, customer=1, as_of=NOON + timedelta(minutes=number), request=request)


def test_what_one_person_has_too_much_of_goes_in_parts_and_in_order(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe_one_person(house, connection, 6)
    keep_short(house, connection, 30_000)
    klaviyo.settings(bulk_bytes=30_200)
    rush(house, connection)

    assert calls(house) == [["1000", "1001", "1002"], ["1003", "1004", "1005"]]
    assert sizes(klaviyo) == [(1, 202), (1, 202)]


def test_one_person_s_job_that_is_too_long_for_klaviyo_goes_in_halves(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe_one_person(house, connection, 9)
    klaviyo.settings(bulk_bytes=length_of_a_job(house, connection) // 2)
    rush(house, connection)

    assert [len(call) for call in calls(house)] == [9, 4, 4, 1]
    assert sizes(klaviyo) == [(1, 413), (1, 202), (1, 202)]


def test_length_is_counted_in_bytes(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe_long(house, connection, range(6), letter="ü")
    keep_short(house, connection, 40_000)
    klaviyo.settings(bulk_bytes=40_200)
    rush(house, connection)

    assert sizes(klaviyo) == [(2, 202), (2, 202)]
    assert {one.status for one in house.deliveries()} == {"accepted"}


def test_a_job_is_no_longer_than_klaviyo_takes(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    (first,) = owe_long(house, connection, [0], 60_000)
    owe_copies(house, first, 90)
    rush(house, connection)

    assert [status for _, status in sizes(klaviyo)] == [202, 202]
    assert {one.status for one in house.deliveries()} == {"accepted"}


def test_a_job_has_no_more_events_than_klaviyo_takes(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    (first,) = owe(house, connection, 1)
    owe_copies(house, first, 1004)
    rush(house, connection)

    assert [len(call) for call in calls(house)] == [1000, 5]
    assert [status for _, status in sizes(klaviyo)] == [202, 202]
