"""What never goes in a job, and what of no job can be made."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.building import House
from tests.rush.rushed import BULK, SINGLE, asked, owe, rush
from tests.steered import Klaviyo
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.resending import MANUAL

DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    "changes",
    [
        {"asked": MANUAL},
        {"same_as": "at_1"},
        {"deaths": 1},
        {"next_trigger": "singly"},
        {"next_trigger": "interrupted"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_it_goes_by_itself(house: House, connection: Connection, klaviyo: Klaviyo, changes: dict[str, Any]) -> None:
    alone, *_ = owe(house, connection, 4)
    house.change(alone, **changes)
    rush(house, connection)

    assert sorted(asked(klaviyo)) == [BULK, SINGLE]
    assert [attempt.url for attempt in house.attempts(alone)] == [klaviyo.url + SINGLE]
    assert {one.status for one in house.deliveries()} == {"accepted"}


def test_a_person_who_asked_for_one_attempt_sees_at_once_what_came_of_it(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owed = owe(house, connection, 4)
    house.change(owed[1], asked=MANUAL, next_trigger=MANUAL)
    klaviyo.fault("status", status=503, match={"path": SINGLE})
    rush(house, connection)

    assert [one.status for one in house.deliveries()] == ["accepted", "failed", "accepted", "accepted"]


def test_history_is_marked_as_such_in_a_job(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    for one in owe(house, connection, 3)[:2]:
        house.change(one, backfill=True)
    rush(house, connection)

    (job,) = [json.loads(request["body"]) for request in klaviyo.requests()]
    entries = job["data"]["attributes"]["events-bulk-create"]["data"]
    told = [entry["attributes"]["events"]["data"][0]["attributes"].get("backfill", False) for entry in entries]
    assert told == [True, True, False]


def kept(**changes: Any) -> Callable[[bytes], bytes]:
    return lambda request: json.dumps(json.loads(request) | changes).encode()


BAD_ROWS = pytest.mark.parametrize(
    "spoil",
    [
        kept(value={"$decimal": "x"}),
        kept(properties={"Price": 1.5}),
        kept(properties={"Name": "\ud800"}),
        kept(unique_id=["1002"]),
        kept(profile={"email": None, "properties": {}, "unset": []}),
        kept(profile={"email": "john2@acme.test", "properties": ["CLV"], "unset": []}),
        lambda request: request.replace(b'{"OrderId":"1253"}', DEEP),
        lambda _: b"{",
    ],
    ids=["amount", "kind", "surrogate", "id", "nobody", "profile", "depth", "no JSON"],
)


@BAD_ROWS
@pytest.mark.parametrize("rush_at", [3, 100])
def test_one_that_cannot_be_written_fails_alone(
    house: House, connection: Connection, klaviyo: Klaviyo, spoil: Callable[[bytes], bytes], rush_at: int
) -> None:
    owed = owe(house, connection, 6)
    house.change(owed[2], request=spoil(owed[2].request))
    house.owe(connection, 12, customer=2)
    rush(house, connection, rush_at=rush_at)

    found = {one.id: one for one in house.deliveries()}
    bad = found.pop(owed[2].id)
    assert (bad.status, bool(bad.reason)) == ("failed", True)
    assert {one.status for one in found.values()} == {"accepted"}
    # Unless Klaviyo saw it, and said why.
    assert bad.tries or bad.reason.startswith("Traceback")
