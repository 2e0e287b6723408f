"""`flask tail`."""

import json

from sandbox.klaviyo import GOOD_KEY
from tests.console.shop import klaviyo

SALE = "transaction_completed_sale_refused_phone"


def told(flask, *args):
    result = flask.invoke("tail", "--once", "--since", "1h", "--format", "json", *args)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_what_came_and_what_was_sent_stand_in_their_order(flask, shop):
    connection = shop.connect(GOOD_KEY)
    inbound_id = shop.receive_sample(SALE)
    with klaviyo(refused_phones=("+",)) as (url, _):
        shop.send(connection, url)

    lines = told(flask)

    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert (lines[0]["kind"], lines[0]["id"], lines[0]["what"]) == ("webhook", inbound_id, "transaction_completed")
    attempts = [line for line in lines if line["kind"] == "attempt"]
    assert {line["status"] for line in attempts} == {"accepted"}
    assert "phone_removed" in {line["trigger"] for line in attempts}
    assert {line["answer"] for line in attempts} >= {400, 202}
    plain = flask.invoke("tail", "--once", "--since", "1h").stdout
    assert "✓ 202" in plain
    assert "attempt 2, phone_removed" in plain
    assert "john@" not in plain


def test_a_connection_and_a_status_leave_the_rest_out(flask, shop):
    connection, other = shop.connect(GOOD_KEY), shop.connect(GOOD_KEY, "Other", active=False)
    shop.receive_sample(SALE)
    with klaviyo() as (url, _):
        shop.send(connection, url)

    assert {line["kind"] for line in told(flask, "--connection", connection.id)} == {"attempt"}
    assert told(flask, "--connection", other.id) == []
    assert told(flask, "--status", "failed") == []


def test_nothing_is_printed_of_before(flask, shop):
    shop.connect(GOOD_KEY)
    shop.receive_sample(SALE)

    assert flask.invoke("tail", "--once").stdout == ""
