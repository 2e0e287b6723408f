"""Replays: a plan that counts, a start that is meant, a page that shows how far it is, and what did not go as CSV."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from tests.building import House
from tests.console.pages.conftest import words
from vrio_klaviyo.replaying import Replayer
from vrio_klaviyo.store import replays
from vrio_klaviyo.store.connections import Connection, KeyStatus
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.journals import page_of_entries
from vrio_klaviyo.store.replays import Replay

BY_503 = {"show": "failed", "cause": "503 unavailable"}


@pytest.fixture
def connection(house: House) -> Connection:
    # Ids are made by the computer's clock, and a plan is about what was made before it.
    house.clock.now = datetime.now(UTC) + timedelta(hours=1)
    return house.connect("Northwind US")


def fail(house: House, connection: Connection, numbers: range, reason: str = "503 unavailable") -> list[str]:
    """Deliveries that were given up."""
    return [stand(house, house.owe(connection, number), "failed", reason) for number in numbers]


def stand(house: House, delivery: Delivery, status: str, reason: str) -> str:
    news = {"status": status, "reason": reason, "next_attempt_at": None, "finished_at": house.clock()}
    with house.db.write() as session:
        session.execute(update(Delivery).where(Delivery.id == delivery.id).values(news))
    return delivery.id


def agreed(connection: Connection, count: int, **changes: Any) -> dict[str, Any]:
    """A plan's form as it is sent."""
    return {**BY_503, "through": connection.id, "count": count, "body": "same", "speed": 5, **changes}


def begun(house: House) -> list[Replay]:
    with house.db.read() as session:
        return replays.list_replays(session)


def listed(house: House, replay: Replay) -> list[str]:
    with house.db.read() as session:
        return [delivery.id for _, delivery in replays.next_of(session, replay, 999)]


def test_a_plan_counts_what_matches_and_changes_nothing(visit, house, connection):
    fail(house, connection, range(1, 4))
    fail(house, connection, range(4, 5), "400 invalid")
    page = words(visit("manager").get("/replays/new", **BY_503))

    assert "Replay 3 requests?" in page
    assert "3 Declined Order" in page
    assert "State Failed Cause 503 unavailable" in page
    assert "Type" not in page
    assert begun(house) == []
    assert {delivery.status for delivery in house.deliveries()} == {"failed"}


def test_what_is_started_is_the_list_of_the_plan_and_is_rung_for_and_audited(visit, house, connection, site):
    wanted = fail(house, connection, range(1, 4))
    fail(house, connection, range(4, 5), "400 invalid")
    manager = visit("manager")
    answer = manager.post("/replays", **agreed(connection, 3, speed=20, body="anew"))

    (replay,) = begun(house)
    assert answer.location == f"/replays/{replay.id}"
    assert listed(house, replay) == wanted
    assert (replay.rate, replay.rebuild, replay.started_by) == (20, True, "manager@northwind.example")
    with house.db.read() as session:
        (entry,) = page_of_entries(session, replay.workspace_id, action="replay.started").rows
    assert (entry.subject, entry.actor, entry.details["total"]) == (replay.id, "manager@northwind.example", 3)
    page = words(manager.get(answer.location))
    assert "Replay of 3 requests" in page
    assert "↻ Running" in page
    assert "0 of 3" in page


def test_only_what_was_chosen_goes(visit, house, connection):
    first, _, third = fail(house, connection, range(1, 4))
    manager = visit("manager")
    page = manager.client.get("/replays/new", query_string={**BY_503, "delivery": [first, third], "chosen": "1"}).text
    assert "Replay 2 requests?" in words(page)
    manager.post("/replays", **agreed(connection, 2, delivery=[first, third]))

    assert listed(house, begun(house)[0]) == [first, third]


def test_choosing_nothing_plans_nothing(visit, house, connection):
    fail(house, connection, range(1, 3))
    answer = visit("manager").client.get("/replays/new?show=failed&chosen=1")

    assert (answer.status_code, answer.location) == (303, "/failed/failed/requests")


def test_over_a_hundred_the_number_is_typed(visit, house, connection):
    fail(house, connection, range(1, 103))
    manager = visit("manager")
    assert "Type 102 to confirm" in words(manager.get("/replays/new", **BY_503))
    refused = manager.post("/replays", 422, **agreed(connection, 102, confirmed="101"))
    assert "Type 102 to confirm." in words(refused.text)
    assert begun(house) == []
    manager.post("/replays", **agreed(connection, 102, confirmed="102"))

    assert [replay.total for replay in begun(house)] == [102]


def test_more_than_the_plan_told_of_is_not_agreed_to(visit, house, connection):
    fail(house, connection, range(1, 4))
    refused = visit("manager").post("/replays", 422, **agreed(connection, 2))

    assert "By now 3 match, and the plan told of 2" in words(refused.text)
    assert begun(house) == []


def test_what_was_looked_at_is_left_alone(visit, house, connection):
    first, second = fail(house, connection, range(1, 3))
    manager = visit("manager")
    manager.post("/failed/put-aside?chosen=1", show="failed", delivery=[first])
    manager.post("/replays", **agreed(connection, 1))

    assert listed(house, begun(house)[0]) == [second]


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ({"push_events": False}, "Push Events is off for this connection"),
        ({"key_status": KeyStatus.REJECTED}, "Klaviyo does not take the key of this connection"),
    ],
)
def test_a_connection_that_cannot_send_says_why(visit, house, connection, change, because):
    fail(house, connection, range(1, 3))
    house.change(connection, **change)
    manager = visit("manager")
    page = words(manager.get("/replays/new", **BY_503))

    assert because in page
    assert "Start replay" not in page
    manager.post("/replays", 422, **agreed(connection, 2))
    assert begun(house) == []


def test_a_paused_connection_must_be_meant(visit, house, connection):
    fail(house, connection, range(1, 3))
    house.change(connection, active=False)
    manager = visit("manager")
    assert "Send although Northwind US is paused" in words(manager.get("/replays/new", **BY_503))
    manager.post("/replays", 422, **agreed(connection, 2))
    manager.post("/replays", **agreed(connection, 2, despite_pause="on"))

    assert [replay.despite_pause for replay in begun(house)] == [True]


def test_one_replay_for_each_connection_and_only_one_at_a_time(visit, house, connection):
    other = house.connect("Northwind EU")
    fail(house, connection, range(1, 3))
    fail(house, other, range(1, 2))
    manager = visit("manager")
    answer = manager.post("/replays", **agreed(connection, 3, through=[connection.id, other.id]))
    assert answer.location == "/replays"
    assert "2 replays are under way" in words(manager.get("/replays"))

    assert "Another replay is under way for this connection" in words(manager.get("/replays/new", **BY_503))


def test_a_replay_is_stopped_once(visit, house, connection):
    fail(house, connection, range(1, 4))
    manager = visit("manager")
    manager.post("/replays", **agreed(connection, 3))
    (replay,) = begun(house)
    assert 'data-live="2"' in manager.get(f"/replays/{replay.id}")
    manager.post(f"/replays/{replay.id}/stop")
    html = manager.get(f"/replays/{replay.id}")
    page = words(html)
    # What is over asks for itself no more.
    assert "data-live=" not in html
    assert "Stopped. What was handed to the lane already" in page
    assert "■ Stopped" in page
    assert "Not begun 3" in page
    manager.post(f"/replays/{replay.id}/stop")

    assert "This replay was over already." in words(manager.get(f"/replays/{replay.id}"))


def test_what_did_not_go_is_told_as_csv_in_which_nothing_is_a_formula(visit, house, connection):
    wanted = fail(house, connection, range(1, 3))
    manager = visit("manager")
    manager.post("/replays", **agreed(connection, 2))
    (replay,) = begun(house)
    Replayer(db=house.db, ring=house.ring, now=house.clock).advance(replay.id, "worker/1")
    for delivery in house.deliveries():
        stand(house, delivery, "failed", '=cmd|" /C calc"!A0\x1b[2J')
    answer = manager.client.get(f"/replays/{replay.id}/failures.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert [row["delivery"] for row in rows] == wanted
    assert {row["reason"] for row in rows} == {'\'=cmd|" /C calc"!A0\\x1b[2J'}
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{replay.id}-failures.csv"'
    assert "no-store" in answer.headers["Cache-Control"]


def test_replays_are_for_managers_and_shown_to_everybody(visit, house, connection):
    fail(house, connection, range(1, 3))
    visit("manager").post("/replays", **agreed(connection, 2))
    (replay,) = begun(house)
    support = visit("support")
    assert "Northwind US" in words(support.get("/replays"))
    assert "Stop" not in words(support.get(f"/replays/{replay.id}"))
    support.get("/replays/new", 403)
    support.get(f"/replays/{replay.id}/failures.csv", 403)
    support.post("/replays", 403, **agreed(connection, 2))
    support.post(f"/replays/{replay.id}/stop", 403)


def test_where_nothing_was_replayed_the_page_says_what_to_do(visit):
    assert "Nothing was replayed yet. Look at what failed" in words(visit("viewer").get("/replays"))
