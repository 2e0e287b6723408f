"""`flask inbound …`."""

import json
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select, update

from sandbox.klaviyo import GOOD_KEY, serve_in_thread
from tests.building import NOON
from tests.console.shop import SAMPLES
from vrio_klaviyo.store import retention
from vrio_klaviyo.store.inbound import MOST_STARTS, InboundEvent
from webhooks import vrio

SALE = "transaction_completed_sale_subscription_cycle1"


@pytest.fixture
def served(shop):
    """The product's own address, over real HTTP."""
    app = Flask("served")
    app.register_blueprint(vrio.blueprint(shop.receiver))
    with serve_in_thread(app) as url:
        yield url


def test_a_sample_is_posted_as_vrio_would(flask, served):
    told = flask.told("inbound", "send", "order_updated", "--source", "My shop", "--url", f"{served}/")

    assert told == {
        "file": "order_updated",
        "status": 202,
        "received": True,
        "duplicate": False,
        "id": told["id"],
        "error": None,
    }
    shown = flask.told("inbound", "show", told["id"])
    assert json.loads(shown["body"]) == json.loads((SAMPLES / "order_updated.json").read_bytes())
    again = flask.told("inbound", "send", "order_updated", "--source", "My shop", "--url", served)
    assert again == told | {"status": 200, "duplicate": True}


def test_files_and_standard_input_are_sent_as_they_are(flask, served, tmp_path):
    file = tmp_path / "mine.json"
    file.write_bytes(b'{"webhook_type": "custom",\r\n "webhook_event": "mine", "webhook_event_id": 1}')

    sent = flask.listed(
        "inbound", "send", str(file), "-", "--source", "My shop", "--url", served, stdin=b"not JSON \xff", exit_code=1
    )

    assert [(each["file"], each["status"], each["received"]) for each in sent] == [
        (str(file), 202, True),
        ("-", 400, False),
    ]
    assert sent[1]["error"] == "The body is not JSON."
    assert flask.told("inbound", "show", sent[0]["id"])["body"] == file.read_bytes().decode()
    unreadable = flask.told("inbound", "show", sent[1]["id"])
    assert (unreadable["status"], unreadable["body"]) == ("unreadable", "not JSON \ufffd")


def test_the_default_address_is_our_own_port(flask, served, monkeypatch):
    monkeypatch.setenv("PORT", str(urlsplit(served).port))

    assert flask.told("inbound", "send", "order_updated", "--source", "My shop")["status"] == 202


def test_when_nobody_answers_the_key_in_the_address_is_not_told(flask, shop):
    key = flask.told("source", "show", "My shop")["webhook_path"].rpartition("/")[2]

    result = flask.invoke("inbound", "send", "order_updated", "--source", "My shop", "--url", "http://127.0.0.1:9")

    assert result.exit_code == 1
    assert result.stdout == "order_updated\t\tno\t\tno answer (ConnectionError)\n"
    assert result.stderr.endswith("Error: 1 of 1 were not received\n")
    assert key not in result.output


def test_nothing_is_sent_when_one_of_the_files_is_none(flask, served):
    result = flask.invoke("inbound", "send", SALE, "nothing", "--source", "My shop", "--url", served)

    assert result.exit_code == 2
    assert flask.listed("inbound", "list") == []


def test_webhooks_are_listed_newest_first(flask, shop):
    shop.connect("pk_key")
    sale, updated = shop.receive_sample(SALE), shop.receive_sample("order_updated")
    odd = shop.receive(b"[]")

    listed = flask.listed("inbound", "list", "--source", "My shop")

    assert [inbound["id"] for inbound in listed] == [odd, updated, sale]
    assert listed[2] == {
        "id": sale,
        "source": shop.source.id,
        "type": "transaction",
        "event": "transaction_completed",
        "event_id": "6001",
        "customer": listed[2]["customer"],
        "status": "processed",
        "reason": "",
        "notes": listed[2]["notes"],
        "received_at": listed[2]["received_at"],
        "finished_at": listed[2]["finished_at"],
        "deliveries": len(flask.listed("delivery", "list")),
    }
    assert [inbound["status"] for inbound in flask.listed("inbound", "list", "--status", "unreadable")] == [
        "unreadable"
    ]
    assert [inbound["id"] for inbound in flask.listed("inbound", "list", "--limit", "1")] == [odd]


def test_a_webhook_is_shown_with_its_body_and_what_it_opened(flask, shop):
    shop.connect("pk_key")
    inbound_id = shop.receive_sample(SALE)

    told, plain = flask.told("inbound", "show", inbound_id), flask.invoke("inbound", "show", inbound_id).stdout

    assert told["deliveries"] == len(told["opened"]) > 0
    assert {delivery["inbound_event"] for delivery in told["opened"]} == {inbound_id}
    assert all(delivery["id"] in plain for delivery in told["opened"])


def test_a_preview_shows_what_would_go_and_why_the_rest_would_not(flask, shop):
    connection = shop.connect(GOOD_KEY)
    inbound_id = shop.receive_sample("transaction_completed_sale_subscription_cycle1")
    before = flask.listed("delivery", "list")
    flask.told("connection", "set", connection.id, "--metric-off", "Placed Order")

    told = flask.told("inbound", "preview", inbound_id)

    assert {one["metric"]: one["reason"] for one in told["requests"]} == {
        "Placed Order": "metric_off",
        "Ordered Product": "",
        "Started Subscription": "",
    }
    assert {one["connection"] for one in told["requests"]} == {connection.id}
    assert '"unique_id"' in told["requests"][0]["body"]
    assert flask.listed("delivery", "list") == before
    plain = flask.invoke("inbound", "preview", inbound_id).stdout
    assert "not sent: metric_off" in plain
    assert "would be sent" in plain
    assert flask.invoke("inbound", "preview", "in_0").exit_code == 3


def set_aside(shop, *bodies):
    """Webhooks of which workers have died three times, as the intake leaves them."""
    ids = [shop.receiver.receive(shop.source.id, body)[0].id for body in bodies]
    with shop.db.write() as session:
        session.execute(update(InboundEvent).where(InboundEvent.id.in_(ids)).values(starts=MOST_STARTS))
    shop.take_in()
    return ids


def samples(*names):
    return [(SAMPLES / f"{name}.json").read_bytes() for name in names]


def test_what_was_set_aside_is_worked_off_again(flask, shop):
    shop.connect(GOOD_KEY)
    ids = set_aside(shop, *samples(SALE, "order_updated"))
    assert {flask.told("inbound", "show", one)["status"] for one in ids} == {"failed"}

    told = flask.listed("inbound", "again", *ids)

    assert [(one["id"], one["status"], one["reason"], one["finished_at"]) for one in told] == [
        (one, "received", "", None) for one in ids
    ]
    assert flask.rung() == {f"bell:intake:{shop.source.id}"}
    assert flask.audited(shop.db) == [("inbound.taken_again", {"source": shop.source.id})] * 2
    with shop.db.read() as session:
        assert set(session.scalars(select(InboundEvent.starts))) == {0}
    shop.take_in()
    assert [flask.told("inbound", "show", one)["status"] for one in ids] == ["processed", "ignored"]
    assert len(flask.listed("delivery", "list")) == 3


def test_what_was_not_set_aside_is_not_worked_off_again(flask, shop):
    (aside,) = set_aside(shop, *samples(SALE))
    done = shop.receive_sample("order_updated")

    result = flask.invoke("inbound", "again", aside, done)

    assert (result.exit_code, result.stderr) == (1, f"Error: {done} was not set aside: it is ignored.\n")
    # All of them or none.
    assert flask.told("inbound", "show", aside)["status"] == "failed"
    assert flask.rung() == set()
    assert flask.audited(shop.db) == []


def test_a_webhook_without_its_body_or_its_row_is_not_worked_off_again(flask, shop):
    (aside,) = set_aside(shop, *samples(SALE))
    with shop.db.write() as session:
        retention.empty_inbound(session, [aside], NOON)

    gone = flask.invoke("inbound", "again", aside)

    assert gone.exit_code == 1
    assert gone.stderr == f"Error: The body of {aside} was removed on 30 Aug 2026; nothing is left to work on.\n"
    assert flask.invoke("inbound", "again", "in_0").exit_code == 3
    assert flask.invoke("inbound", "again").exit_code == 2
