"""`flask delivery …`."""

import json
import os
import subprocess

from sandbox.klaviyo import GOOD_KEY
from tests.console.shop import klaviyo

SALE = "transaction_completed_sale_subscription_cycle1"


def test_deliveries_are_listed_newest_first_and_found_by_what_they_are(flask, shop):
    connection = shop.connect(GOOD_KEY)
    inbound_id = shop.receive_sample(SALE)
    shop.receive_sample("transaction_completed_sale_onetime")

    listed = flask.listed("delivery", "list")
    ids = [delivery["id"] for delivery in listed]

    assert ids == sorted(ids, reverse=True)
    order = next(each for each in listed if each["metric"] == "Placed Order" and each["inbound_event"] == inbound_id)
    assert order == {
        "id": order["id"],
        "connection": connection.id,
        "customer": flask.told("customer", "show", "john@example.com")["id"],
        "inbound_event": inbound_id,
        "kind": "event",
        "metric": "Placed Order",
        "unique_id": order["unique_id"],
        "status": "queued",
        "reason": "",
        "notes": order["notes"],
        "attempts": 0,
        "next_attempt_at": order["next_attempt_at"],
        "created_at": order["created_at"],
        "finished_at": None,
    }
    assert {each["metric"] for each in flask.listed("delivery", "list", "--event", "Placed Order")} == {"Placed Order"}
    johns = flask.listed("delivery", "list", "--customer", "john@example.com")
    assert {each["inbound_event"] for each in johns} == {inbound_id}
    assert flask.listed("delivery", "list", "--connection", "klaviyo production", "--status", "queued") == listed
    assert flask.listed("delivery", "list", "--status", "failed") == []
    assert flask.listed("delivery", "list", "--limit", "2") == listed[:2]


def test_a_delivery_is_shown_with_its_request_and_its_attempts(flask, shop):
    connection = shop.connect(GOOD_KEY)
    shop.receive_sample("transaction_completed_sale_refused_phone")
    (waiting, *_) = flask.listed("delivery", "list", "--event", "Placed Order")
    before = flask.told("delivery", "show", waiting["id"])
    with klaviyo(refused_phones=("+",)) as (url, _):
        shop.send(connection, url)

    told = flask.told("delivery", "show", waiting["id"])

    assert before == waiting | {"request": before["request"], "webhooks": []}
    assert before["request"]["url"] == "http://127.0.0.1:9/api/events"
    assert json.loads(before["request"]["body"])["data"]["attributes"]["unique_id"] == waiting["unique_id"]
    assert (told["status"], told["attempts"]) == ("accepted", len(told["webhooks"]))
    # The newest first; the first one with the number, the second one without.
    assert [entry["trigger"] for entry in told["webhooks"]] == ["phone_removed", "first"]
    assert told["webhooks"][-1]["request"]["body"] == before["request"]["body"]
    plain = flask.invoke("delivery", "show", waiting["id"]).stdout
    assert all(entry["id"] in plain for entry in told["webhooks"])


def test_a_delivery_that_is_not_sent_says_why(flask, shop):
    shop.connect(GOOD_KEY)
    shop.receive_sample("transaction_completed_sale_test_order")
    (skipped, *_) = flask.listed("delivery", "list", "--status", "skipped")

    told = flask.told("delivery", "show", skipped["id"])

    assert (told["reason"], told["meaning"]) == ("test_order", "This is a test order.")
    assert told["remedy"] == "Nothing to do: test orders stay out of a merchant's figures."
    assert told["webhooks"] == []


def test_a_delivery_is_sent_again_by_hand(flask, shop):
    connection = shop.connect(GOOD_KEY)
    shop.receive_sample(SALE)
    (order,) = flask.listed("delivery", "list", "--event", "Placed Order")
    waiting = flask.invoke("delivery", "resend", order["id"])
    assert (waiting.exit_code, waiting.stdout) == (1, "")
    assert "goes out by itself" in waiting.stderr
    with klaviyo() as (url, _):
        shop.send(connection, url)
        told = flask.told("delivery", "resend", order["id"])
        assert (told["id"], told["status"], told["attempts"]) == (order["id"], "queued", 1)
        assert flask.rung() == {f"bell:lane:{connection.account_id}"}
        shop.send(connection, url)
        flask.told("delivery", "resend", order["id"], "--rebuild")
        shop.send(connection, url)

    shown = flask.told("delivery", "show", order["id"])
    assert [entry["trigger"] for entry in shown["webhooks"]] == ["manual", "manual", "first"]
    # The sample is a year old, and what is sent again so late is marked as history.
    *again, first = [json.loads(entry["request"]["body"])["data"]["attributes"] for entry in shown["webhooks"]]
    assert again == [first | {"backfill": True}] * 2
    flask.told("connection", "pause", connection.id)
    assert flask.invoke("delivery", "resend", order["id"]).exit_code == 1
    assert flask.told("delivery", "resend", order["id"], "--despite-pause")["status"] == "queued"
    assert flask.invoke("delivery", "resend", "dl_0").exit_code == 3


def test_a_delivery_becomes_a_line_for_a_shell(flask, shop):
    connection = shop.connect(GOOD_KEY)
    shop.receive_sample(SALE)
    (order,) = flask.listed("delivery", "list", "--event", "Placed Order")
    before = flask.invoke("delivery", "curl", order["id"]).stdout
    with klaviyo() as (url, app):
        shop.send(connection, url)
        line = flask.told("delivery", "curl", order["id"])["curl"]
        environment = {"PATH": os.environ["PATH"], "KLAVIYO_API_KEY": GOOD_KEY}
        subprocess.run(["/bin/sh", "-c", line], env=environment, check=True, capture_output=True, timeout=30)
        sent = app.test_client().get("/sandbox/requests").get_json()

    assert before.startswith("curl -sS -X 'POST' 'http://127.0.0.1:9/api/events' -H \"Authorization")
    bodies = [request["body"] for request in sent if json.loads(request["body"])["data"]["attributes"]["unique_id"]]
    assert bodies.count(flask.told("delivery", "show", order["id"])["webhooks"][0]["request"]["body"]) == 2
    assert GOOD_KEY not in line
    assert flask.invoke("delivery", "curl", order["id"], "--attempt", "2").exit_code == 3


def test_bodies_come_as_the_bytes_that_they_are(flask, shop):
    connection = shop.connect(GOOD_KEY)
    shop.receive_sample(SALE)
    (order,) = flask.listed("delivery", "list", "--event", "Placed Order")
    assert flask.invoke("delivery", "body", order["id"]).exit_code == 3
    with klaviyo() as (url, _):
        shop.send(connection, url)
    shown = flask.told("delivery", "show", order["id"])

    assert flask.invoke("delivery", "body", order["id"]).stdout == shown["webhooks"][0]["request"]["body"]
    assert flask.invoke("delivery", "body", order["id"], "--attempt", "1", "--response").stdout == ""
    assert json.loads(flask.invoke("delivery", "body", order["id"], "--webhook").stdout)["webhook_event_id"]
    assert flask.invoke("delivery", "body", order["id"], "--webhook", "--response").exit_code == 2
