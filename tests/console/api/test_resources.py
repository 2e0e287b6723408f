"""What the API's resources tell and do: connections, webhooks, deliveries, customers, replays, figures."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from console.site import Site
from sandbox.klaviyo import GOOD_KEY
from tests.bodies import declined
from tests.building import House
from tests.console.api.conftest import Program
from tests.console.api.test_api import is_problem
from vrio_klaviyo.klaviyo.known_errors import INVALID_EMAIL
from vrio_klaviyo.store.deliveries import Delivery

Programs = Callable[..., Program]

BAD_EMAIL = "400 invalid /data/attributes/profile/data/attributes/email"


@pytest.fixture
def site(site: Site, klaviyo_url: str) -> Site:
    """With a Klaviyo to talk to."""
    return replace(site, settings=replace(site.settings, klaviyo_api_url=klaviyo_url))


@pytest.fixture
def manager(program: Programs) -> Program:
    return program()


def made(manager: Program, **changes: Any) -> Any:
    body = {"name": "Shop", "key": GOOD_KEY} | changes
    return manager.post("/connections", body, 201)


def fail(house: House, delivery: Delivery, reason: str = BAD_EMAIL) -> None:
    with house.db.write() as session:
        row = update(Delivery).where(Delivery.id == delivery.id)
        session.execute(row.values(status="failed", reason=reason, next_attempt_at=None))


def test_a_connection_is_made_checked_and_active(manager: Program) -> None:
    connection = made(manager, campaigns=["12", "12 "[:2]], values="typed", phone="attribute")

    assert (connection["status"], connection["key_status"]) == ("active", "accepted")
    assert (connection["campaigns"], connection["values"], connection["phone"]) == (["12"], "typed", "attribute")
    assert connection["key_hint"].endswith(GOOD_KEY[-4:])
    about = {"id": "SbxA01", "name": "Acme Supplements"}
    assert connection["account"] == about | {"time_zone": "US/Eastern", "currency": "USD", "is_test": True}
    assert manager.get(f"/connections/{connection['id']}") == connection
    assert manager.get("/connections")["data"] == [connection]


def test_a_connection_whose_key_klaviyo_does_not_take_is_saved_paused(manager: Program) -> None:
    connection = made(manager, key="pk_000000000000000000000000000000dead")

    assert (connection["status"], connection["key_status"]) == ("paused", "rejected")


@pytest.mark.parametrize("key", ["ABC123", "pk_has a space in it"])
def test_a_key_that_can_be_none_is_refused_before_anybody_is_asked(manager: Program, key: str) -> None:
    answer = manager.call("POST", "/connections", {"name": "Shop", "key": key})

    assert is_problem(answer, 422, "invalid-body")
    assert key not in answer.text


def test_a_change_must_name_the_state_that_it_changes(manager: Program) -> None:
    path = f"/connections/{made(manager)['id']}"
    etag = manager.call("GET", path).headers["ETag"]

    assert is_problem(manager.call("PATCH", path, {"push_events": False}), 428, "precondition-required")
    changed = manager.call("PATCH", path, {"push_events": False, "name": "Store"}, If_Match=etag)
    assert (changed.get_json()["push_events"], changed.get_json()["name"]) == (False, "Store")
    assert changed.headers["ETag"] == manager.call("GET", path).headers["ETag"] != etag
    stale = manager.call("PATCH", path, {"push_events": True}, If_Match=etag)
    assert is_problem(stale, 412, "stale")
    assert manager.get(path)["push_events"] is False


def test_a_rate_caps_what_is_sent_in_a_minute_until_it_is_lifted(manager: Program) -> None:
    path = f"/connections/{made(manager, rate_per_minute=60)['id']}"
    assert manager.get(path)["rate_per_minute"] == 60

    for rate in (120, None):
        etag = manager.call("GET", path).headers["ETag"]
        changed = manager.call("PATCH", path, {"rate_per_minute": rate}, If_Match=etag)
        assert changed.get_json()["rate_per_minute"] == manager.get(path)["rate_per_minute"] == rate
        assert changed.headers["ETag"] != etag
    for rate in (0, 100_001, "many"):
        answer = manager.call("PATCH", path, {"rate_per_minute": rate}, If_Match="*")
        assert is_problem(answer, 422, "invalid-body")


def test_a_name_that_is_taken_is_refused(manager: Program) -> None:
    made(manager)
    other = made(manager, name="Store")
    etag = manager.call("GET", f"/connections/{other['id']}").headers["ETag"]

    assert is_problem(manager.call("POST", "/connections", {"name": "shop", "key": GOOD_KEY}), 422, "invalid-body")
    answer = manager.call("PATCH", f"/connections/{other['id']}", {"name": "Shop"}, If_Match=etag)
    assert is_problem(answer, 422, "invalid-body")


def test_a_key_that_klaviyo_does_not_take_changes_nothing(manager: Program) -> None:
    path = f"/connections/{made(manager)['id']}"
    before = manager.call("GET", path)
    body = {"key": "pk_000000000000000000000000000000dead", "name": "Store"}
    answer = manager.call("PATCH", path, body, If_Match=before.headers["ETag"])

    assert is_problem(answer, 409, "conflict")
    assert manager.get(path) == before.get_json()


def test_a_connection_is_paused_activated_verified_and_archived(manager: Program, house: House) -> None:
    connection = made(manager)
    path = f"/connections/{connection['id']}"

    assert manager.post(f"{path}/pause")["status"] == "paused"
    assert manager.post(f"{path}/activate")["status"] == "active"
    assert manager.post(f"{path}/verify")["verdict"] == "accepted"
    assert manager.post(f"{path}/archive")["status"] == "archived"
    assert manager.get("/connections")["data"] == []
    assert [row["id"] for row in manager.get("/connections", archived="true")["data"]] == [connection["id"]]
    assert is_problem(manager.call("POST", f"{path}/activate"), 409, "conflict")
    assert made(manager)["id"] != connection["id"]
    actions = [entry["action"] for entry in manager.get("/audit", subject=connection["id"])["data"]]
    assert actions == [
        "connection.archived",
        "connection.verified",
        "connection.activated",
        "connection.paused",
        "connection.activated",
        "connection.added",
    ]


def test_a_test_event_is_owed_also_through_a_paused_connection(manager: Program) -> None:
    connection = made(manager, paused=True)
    path = f"/connections/{connection['id']}/test"
    told = manager.post(path, {"email": "ada@acme.test"}, 202)

    assert (told["connection"], told["metric"], told["status"]) == (connection["id"], "Placed Order", "queued")
    assert manager.get(f"/deliveries/{told['id']}")["unique_id"] == told["unique_id"]
    refused = manager.call("POST", path, {"email": "ada@example.com"})
    assert is_problem(refused, 422, "invalid-body")


def test_no_answer_has_a_byte_of_the_key(manager: Program, house: House) -> None:
    connection = made(manager)
    path = f"/connections/{connection['id']}"
    etag = manager.call("GET", path).headers["ETag"]
    answers = [
        manager.call("GET", path),
        manager.call("PATCH", path, {"key": GOOD_KEY}, If_Match=etag),
        manager.call("POST", f"{path}/verify"),
        manager.call("GET", "/connections"),
        manager.call("GET", "/audit"),
        manager.call("POST", "/connections", {"name": "Shop", "key": GOOD_KEY}),
    ]

    assert all(GOOD_KEY[:-4] not in answer.text for answer in answers)


def sent(house: House, site: Site) -> Delivery:
    """A webhook that was worked off, and its delivery that Klaviyo has accepted."""
    connection = house.connect()
    house.post(declined())
    house.take_in()
    house.klaviyo_url = site.settings.klaviyo_api_url
    house.settle(connection)
    return next(delivery for delivery in house.deliveries() if delivery.kind == "event")


def test_a_delivery_is_told_with_its_attempts_and_its_bodies(manager: Program, house: House, site: Site) -> None:
    delivery = sent(house, site)
    path = f"/deliveries/{delivery.id}"
    (attempt,) = manager.get(f"{path}/attempts")["data"]

    assert manager.get(path)["status"] == "accepted"
    assert manager.get(path, expand="attempts")["expanded"] == [attempt]
    assert attempt["response_status"] == 202
    assert "authorization" not in {name.lower() for name in attempt["request_headers"]}
    (kept,) = house.attempts(delivery)
    assert manager.call("GET", f"{path}/attempts/{attempt['id']}/request").data == kept.request_body
    assert manager.call("GET", f"{path}/attempts/{attempt['id']}/response").data == (kept.response_body or b"")


def test_bodies_need_the_scope_for_personal_data(program: Programs, house: House, site: Site) -> None:
    delivery = sent(house, site)
    (attempt,) = house.attempts(delivery)
    reader = program("read")

    for path in (
        f"/deliveries/{delivery.id}/attempts/{attempt.id}/request",
        f"/deliveries/{delivery.id}/attempts/{attempt.id}/response",
        f"/webhooks/{delivery.inbound_event_id}/body",
    ):
        assert is_problem(reader.call("GET", path), 403, "scope-missing")


def test_a_webhook_is_told_with_what_followed_and_its_body(manager: Program, house: House, site: Site) -> None:
    delivery = sent(house, site)
    told = manager.get(f"/webhooks/{delivery.inbound_event_id}")

    assert told["webhook"]["status"] == "processed"
    assert delivery.id in [each["id"] for each in told["deliveries"]]
    assert [row["id"] for row in manager.get("/webhooks", status="processed")["data"]] == [delivery.inbound_event_id]
    body = manager.call("GET", f"/webhooks/{delivery.inbound_event_id}/body").data
    assert body == house.inbound(delivery.inbound_event_id).body


def test_what_happened_to_a_customer_is_grouped_by_webhook(manager: Program, house: House, site: Site) -> None:
    delivery = sent(house, site)
    path = f"/customers/{delivery.customer_id}/webhooks"
    (happening,) = manager.get(path)["data"]

    assert happening["webhook"]["id"] == delivery.inbound_event_id
    assert delivery.id in [each["id"] for each in happening["deliveries"]]
    assert manager.get(path, status="failed")["data"] == []


def test_what_went_wrong_is_grouped_by_cause_with_what_to_do(manager: Program, house: House) -> None:
    connection = house.connect()
    first, second, other = (house.owe(connection, number) for number in (1, 2, 3))
    for delivery in (first, second):
        fail(house, delivery)
    fail(house, other, "503")
    groups = manager.get("/causes", status="failed")["data"]

    assert [(group["cause"], group["count"]) for group in groups] == [("503", 1), (BAD_EMAIL, 2)]
    assert groups[1]["sample"] == second.id
    assert groups[1]["explanation"]["meaning"] == INVALID_EMAIL.meaning
    assert [group["explanation"]["again_helps"] for group in groups] == [True, False]


def test_a_failed_delivery_is_sent_again(manager: Program, house: House) -> None:
    delivery = house.owe(house.connect())
    fail(house, delivery)
    told = manager.post(f"/deliveries/{delivery.id}/resend", status=202)

    assert told["status"] == "queued"
    again = manager.call("POST", f"/deliveries/{delivery.id}/resend", {}, Idempotency_Key="another")
    assert is_problem(again, 409, "conflict")
    (entry,) = manager.get("/audit", action="delivery.resent")["data"]
    assert (entry["subject"], entry["actor"]) == (delivery.id, "token A program")


def test_a_replay_is_planned_started_and_cancelled(manager: Program, house: House) -> None:
    connection = house.connect()
    for number in (1, 2):
        fail(house, house.owe(connection, number), "503")
    wanted = {"status": ["failed"], "cause": ["503"]}
    (plan,) = manager.post("/replays/plan", wanted)["data"]
    started = manager.post("/replays", wanted | {"connection": connection.id}, 201)
    refused = manager.call("POST", "/replays", wanted | {"connection": connection.id}, Idempotency_Key="another")

    assert (plan["connection"], plan["count"]) == (connection.id, 2)
    assert (started["status"], started["total"]) == ("running", 2)
    assert is_problem(refused, 409, "conflict")
    assert [row["id"] for row in manager.get("/replays")["data"]] == [started["id"]]
    assert manager.post(f"/replays/{started['id']}/cancel")["status"] == "stopped"
    assert manager.get(f"/replays/{started['id']}")["status"] == "stopped"


def test_figures_tell_how_it_goes(manager: Program, house: House, site: Site) -> None:
    # Ids carry the time of this machine, and the figures are read off them.
    house.clock.now = datetime.now(UTC)
    delivery = sent(house, site)
    house.clock.advance(seconds=5)
    told = manager.get("/metrics/summary")

    assert told["webhooks"] == 1
    assert told["deliveries"] == {"opened": 1, "accepted": 1, "not_sent": 0, "failed": 0, "waiting": 0}
    assert told["before"]["opened"] == 0
    assert told["accept_seconds"] == {"p50": 0, "p95": 0, "p99": 0}
    assert told["oldest_waiting_at"] is None
    assert manager.get("/metrics/summary", connection="cn_none")["deliveries"]["opened"] == 0
    assert delivery.status == "accepted"


def ids_of(house: House, site: Site, manager: Program) -> dict[str, str]:
    """The ids that stand in addresses, each of something that is there."""
    delivery = sent(house, site)
    fail(house, house.owe(house.connect("Second"), 9), "503")
    failed = house.deliveries()[-1]
    (attempt,) = house.attempts(delivery)
    replay = manager.post("/replays", {"status": ["failed"], "connection": failed.connection_id}, 201)
    return {
        "connection_id": delivery.connection_id,
        "webhook_id": delivery.inbound_event_id,
        "delivery_id": delivery.id,
        "attempt_id": attempt.id,
        "customer_id": str(delivery.customer_id),
        "replay_id": replay["id"],
    }


def test_nothing_of_another_workspace_is_found_at_any_address(
    app: Flask, house: House, site: Site, manager: Program, program: Programs, another: str
) -> None:
    ids = ids_of(house, site, manager)
    stranger = program(workspace=another)
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/v1/") and rule.arguments]
    tried = 0
    for rule in rules:
        assert rule.arguments <= ids.keys(), f"{rule}: tell ids_of what stands in it"
        path = rule.rule.removeprefix("/api/v1")
        for name, value in ids.items():
            path = path.replace(f"<{name}>", value)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            body = {"PATCH": {"name": "Mine"}}.get(method, {})
            body |= {"email": "john@acme.test"} if path.endswith("/test") else {}
            answer = stranger.call(method, path, body, If_Match="*", Idempotency_Key=path)
            assert is_problem(answer, 404, "not-found"), f"{method} {path}"
            if method == "GET":
                assert manager.call(method, path).status_code == 200, path
            tried += 1

    assert tried >= 15
    lists = ["/connections", "/webhooks", "/deliveries", "/customers", "/replays", "/audit"]
    assert all(stranger.get(path)["data"] == [] for path in lists)
    assert stranger.get("/causes")["data"] == []
    asked = {"status": ["failed"], "connection": ids["connection_id"]}
    assert is_problem(stranger.call("POST", "/replays", asked, Idempotency_Key="x"), 404, "not-found")
