"""`flask delivery …` and `flask customer …`: the log that support staff read."""

import json
from datetime import timedelta

import pytest

from sandbox.klaviyo import GOOD_KEY
from tests.console.shop import klaviyo, utc_now
from vrio_klaviyo.store.connections import find_connection, switch
from vrio_klaviyo.store.customers import meet_customer
from vrio_klaviyo.store.sources import add_source
from vrio_klaviyo.store.workspaces import add_workspace, find_workspace

SALE = "transaction_completed_sale_subscription_cycle1"


@pytest.fixture
def sold(shop):
    """A sale to John, sent to Klaviyo and accepted; its connection, and what Klaviyo received."""
    connection = shop.connect(GOOD_KEY)
    shop.receive_sample(SALE)
    with klaviyo() as (url, app):
        shop.send(connection, url)
        received = app.test_client().get("/sandbox/requests").get_json()
    return connection, received


@pytest.mark.requirement("003-62", "003-71")
def test_a_customers_log_holds_every_request_byte_for_byte(flask, shop, sold):
    connection, received = sold
    told = flask.told("customer", "show", "John@Example.com")

    assert {name: told[name] for name in ("workspace", "source", "vrio_id", "email", "first_name", "last_name")} == {
        "workspace": "default",
        "source": shop.source.id,
        "vrio_id": "301",
        "email": "john@example.com",
        "first_name": "John",
        "last_name": "Doe",
    }
    assert [entry["request"]["body"] for entry in told["webhooks"]] == [entry["body"] for entry in reversed(received)]
    assert [entry["request"]["url"].rpartition("/api")[2] for entry in told["webhooks"]] == [
        entry["path"].removeprefix("/api") for entry in reversed(received)
    ]
    newest = told["webhooks"][0]
    assert set(newest) == {
        *("id", "attempt", "trigger", "started_at", "duration_ms", "delivery", "connection", "metric", "unique_id"),
        *("inbound_event", "request", "response", "error"),
    }
    assert (newest["attempt"], newest["trigger"], newest["error"]) == (1, "first", None)
    assert newest["response"]["status"] in (200, 202)
    assert newest["response"]["headers"]["cid"] == "SbxA01"
    assert newest["connection"] == connection.id
    assert GOOD_KEY not in json.dumps(told)
    (inbound,) = told["inbound"]
    assert (inbound["deliveries"], inbound["customer"]) == (len(told["deliveries"]), told["id"])
    assert json.loads(inbound["body"])["webhook_event_id"] == 6001
    assert {delivery["status"] for delivery in told["deliveries"]} == {"accepted"}
    assert told["not_sent"] == []
    assert flask.told("customer", "show", told["id"]) == flask.told("customer", "show", "301") == told


@pytest.mark.requirement("003-62")
def test_the_log_is_laid_out_for_people(flask, sold):
    told = flask.told("customer", "show", "john@example.com")
    lines = flask.invoke("customer", "show", "john@example.com").stdout.splitlines()

    assert "email: john@example.com" in lines
    for delivery in told["deliveries"]:
        assert sum(delivery["id"] in line and "accepted" in line for line in lines) == 1
    for entry in told["webhooks"]:
        (line,) = [line for line in lines if entry["id"] in line]
        assert f"HTTP {entry['response']['status']}" in line
        assert "attempt 1 (first)" in line
        assert f"{entry['duration_ms']} ms" in line
    assert any(line.strip() == '"value": 24.99,' for line in lines)


@pytest.mark.requirement("003-10", "003-63")
def test_what_was_not_sent_says_why_and_what_to_do(flask, shop, database):
    connection = shop.connect(GOOD_KEY)
    with database.write() as session:
        switch(session, find_connection(session, connection.id), active=False, now=utc_now())
    shop.receive_sample(SALE)

    told = flask.told("customer", "show", "john@example.com")

    assert told["webhooks"] == []
    assert len(told["not_sent"]) == len(told["deliveries"]) > 0
    reasons = {(each["reason"], each["meaning"], each["remedy"]) for each in told["not_sent"]}
    assert reasons == {
        (
            "connection_paused",
            "The connection was paused when this came in.",
            "Activate the connection, then send it again.",
        )
    }
    plain = flask.invoke("customer", "show", "john@example.com").stdout
    assert "not sent  connection_paused" in plain
    assert "Activate the connection, then send it again." in plain


def test_an_attempt_that_nobody_answered_has_no_response(flask, shop):
    connection = shop.connect(GOOD_KEY)
    shop.receive_sample(SALE)
    shop.send(connection, "http://127.0.0.1:9")

    told = flask.told("customer", "show", "john@example.com")

    assert {entry["response"] for entry in told["webhooks"]} == {None}
    assert {entry["error"] for entry in told["webhooks"]} == {"the connection broke or was refused"}
    assert "no answer" in flask.invoke("customer", "show", "john@example.com").stdout


def test_the_newest_webhooks_come_with_all_that_followed_from_them(flask, shop):
    shop.connect(GOOD_KEY)
    shop.receive_sample(SALE)
    newest = shop.receive_sample("transaction_completed_sale_mixed")

    told = flask.told("customer", "show", "john@example.com", "--limit", "1")

    assert [inbound["id"] for inbound in told["inbound"]] == [newest]
    assert {delivery["inbound_event"] for delivery in told["deliveries"]} == {newest}
    assert len(flask.told("customer", "show", "john@example.com")["inbound"]) == 2


def known_to(session, source, email, vrio_id="301"):
    meet_customer(
        session,
        workspace_id=source.workspace_id,
        source_id=source.id,
        vrio_id=vrio_id,
        email=email,
        first_name="",
        last_name="",
        phone="",
        as_of=utc_now() - timedelta(days=1),
    )


def test_two_people_with_one_id_are_not_shown_as_one(flask, shop, sold, database):
    with database.write() as session:
        other = add_source(session, shop.vault, find_workspace(session), "Other shop")
        session.flush()
        known_to(session, other, "jane@example.com")

    result = flask.invoke("customer", "show", "301")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "several customers have the e-mail or id 301" in result.stderr
    assert flask.told("customer", "show", "jane@example.com")["inbound"] == []


def test_one_person_known_to_two_sources_of_a_workspace_is_shown_as_one(flask, shop, sold, database):
    with database.write() as session:
        other = add_source(session, shop.vault, find_workspace(session), "Other shop")
        session.flush()
        known_to(session, other, "john@example.com", vrio_id="77")

    assert len(flask.told("customer", "show", "john@example.com")["inbound"]) == 1


def test_a_person_known_in_two_workspaces_must_be_looked_for_in_one(flask, shop, sold, database):
    with database.write() as session:
        session.flush()
        workspace = add_workspace(session, "Other")
        session.flush()
        other = add_source(session, shop.vault, workspace, "Shop")
        session.flush()
        known_to(session, other, "john@example.com")

    assert flask.invoke("customer", "show", "john@example.com").exit_code == 2
    assert flask.told("customer", "show", "john@example.com", "--workspace", "default")["inbound"]
    assert flask.told("customer", "show", "john@example.com", "--workspace", "Other")["inbound"] == []
    assert flask.invoke("customer", "show", "jane@example.com", "--workspace", "Other").exit_code == 3


def test_hostile_text_from_vrio_reaches_no_terminal(flask, shop, database):
    with database.write() as session:
        known_to(session, shop.source, "ann\x1b[2J@example.com\n\u202e")

    lines = flask.invoke("customer", "show", "301").stdout.splitlines()

    assert all(line.isprintable() for line in lines)
    assert len(lines) == len(flask.told("customer", "show", "301")) - 4


def test_a_customer_is_erased_for_good(flask, shop, sold):
    refused = flask.invoke("customer", "erase", "john@example.com")
    assert refused.exit_code == 2
    assert "repeat it with --yes" in refused.stderr

    told = flask.told("customer", "erase", "John@Example.com", "--yes")
    assert told == {"customers": 1, "deliveries": 3, "webhooks": 1, "under_way": 0}
    assert flask.invoke("customer", "show", "john@example.com").exit_code == 3
    assert flask.invoke("customer", "erase", "john@example.com", "--yes").exit_code == 3
    assert len(flask.listed("delivery", "list", "--status", "accepted")) == 3
