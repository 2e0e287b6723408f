"""`flask delivery …`."""

import json

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
