"""`flask stats`."""

import pytest

from sandbox.klaviyo import GOOD_KEY
from tests.console.shop import klaviyo

SALE = "transaction_completed_sale_subscription_cycle1"


@pytest.fixture
def sold(shop):
    """A sale that Klaviyo took, and a test order that was not sent."""
    connection = shop.connect(GOOD_KEY)
    shop.receive_sample(SALE)
    with klaviyo() as (url, _):
        shop.send(connection, url)
    shop.receive_sample("transaction_completed_sale_test_order")
    return connection


def test_the_figures_of_the_last_day(flask, sold):
    told = flask.told("stats")

    assert (told["accepted"], told["failed"], told["waiting"]) == (3, 0, 0)
    assert told["opened"] == told["accepted"] + told["not_sent"]
    assert told["not_sent"] > 0
    assert told["before"]["opened"] == 0
    assert told["pipeline"]["webhooks"] == 2
    assert told["seconds_to_accept"]["timed"] == 3
    assert sum(bar["accepted"] for bar in told["bars"]) == 3
    plain = flask.invoke("stats", "--connection", sold.id).stdout
    assert "accepted: 3\n" in plain
    assert "time to accept: p50" in plain


def test_a_line_for_each_event(flask, sold):
    told = {line["event"]: line for line in flask.listed("stats", "--by", "event")}

    assert told["Placed Order"]["accepted"] == 1
    assert set(told) == {"Placed Order", "Ordered Product", "Started Subscription"}


def test_a_line_for_each_error(flask, shop):
    connection = shop.connect(GOOD_KEY)
    shop.receive_sample(SALE)
    with klaviyo() as (url, app):
        app.test_client().post("/sandbox/faults", json={"fault": "status", "status": 400})
        shop.send(connection, url)

    (told,) = flask.listed("stats", "--by", "error")

    assert (told["status"], told["cause"], told["count"]) == ("failed", "400 invalid /data", 1)
    assert told["again_helps"] is False


def test_a_period_without_anything(flask, sold):
    assert flask.told("stats", "--since", "2020-01-01", "--until", "2020-01-02")["opened"] == 0
    assert flask.invoke("stats", "--since", "2020-01-02", "--until", "2020-01-01").exit_code == 2
