"""`flask source set|rotate` and `flask connection set`."""

import json

import pytest

from sandbox.klaviyo import GOOD_KEY, NO_ACCOUNTS_READ_KEY, OTHER_ACCOUNT_KEY, REVOKED_KEY
from tests.console.shop import ENCRYPTION_KEY, utc_now
from vrio_klaviyo.store import holding
from vrio_klaviyo.store.connections import find_connection
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.sources import find_source, source_of_key
from vrio_klaviyo.vrio.routes import BEYOND, METRICS

SALE = "transaction_completed_sale_subscription_cycle1"
ONE_TIME = "transaction_completed_sale_onetime"
TEST_ORDER = "transaction_completed_sale_test_order"


@pytest.fixture
def there(monkeypatch, klaviyo_url):
    """Klaviyo is there."""
    monkeypatch.setenv("KLAVIYO_API_URL", klaviyo_url)


@pytest.fixture
def connection(shop):
    return shop.connect(GOOD_KEY)


def change(flask, *args, stdin=b"", exit_code=0):
    return flask.told("connection", "set", "Klaviyo Production", *args, stdin=stdin, exit_code=exit_code)


def opened(flask):
    return {(one["metric"], one["status"], one["reason"]) for one in flask.listed("delivery", "list")}


def bodies(flask, metric):
    shown = [flask.told("delivery", "show", one["id"]) for one in flask.listed("delivery", "list", "--event", metric)]
    return [json.loads(one["request"]["body"])["data"]["attributes"] for one in shown]


@pytest.mark.parametrize(
    ("args", "changed"),
    [
        (["--rename", " Your  shop "], {"name": "Your shop"}),
        (["--time-zone", "America/New_York"], {"time_zone": "America/New_York"}),
        (["--upcoming-days", "7"], {"upcoming_days": 7}),
        (["--country", "de", "--currency", "eur"], {"country": "DE", "currency": "EUR"}),
        (["--api-key-file", "-"], {"has_api_key": True}),
    ],
)
def test_a_sources_settings_change_one_by_one(flask, shop, args, changed):
    before = flask.told("source", "show", "My shop")

    told = flask.told("source", "set", "My shop", *args, stdin=b"MARKED-vrio-key")

    after = flask.told("source", "show", shop.source.id)
    assert after == before | changed
    assert told == {name: value for name, value in after.items() if name != "webhook_path"}
    assert after["webhook_path"] == before["webhook_path"]


def test_vrios_key_is_replaced_kept_and_forgotten(flask, shop, database):
    def key():
        with database.read() as session:
            source = find_source(session, shop.source.id)
        sealed = source.api_key_sealed
        return sealed and Vault([ENCRYPTION_KEY]).unseal(sealed, source.workspace_id, source.id)

    result = flask.invoke("source", "set", "My shop", "--api-key-file", "-", stdin=b"MARKED-vrio-key\n")
    assert (result.exit_code, key()) == (0, "MARKED-vrio-key")
    assert "MARKED" not in result.output
    flask.told("source", "set", "My shop", "--country", "CA")
    assert key() == "MARKED-vrio-key"
    assert flask.told("source", "set", "My shop", "--no-api-key")["has_api_key"] is False
    assert key() is None


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        ([], "no setting is named"),
        (["--rename", "other"], "another source is called other"),
        (["--rename", " "], "must have 1 to 80 characters"),
        (["--country", "CA", "--time-zone", "Mars/Olympus"], "no time zone"),
        (["--country", "CA", "--currency", "dollars"], "no currency"),
        (["--country", "Canada"], "no country"),
        (["--api-key-file", "-", "--no-api-key"], "opposite things"),
    ],
)
def test_a_source_with_one_bad_setting_stays_as_it_is(flask, shop, args, complaint):
    flask.told("source", "add", "Other")
    before = flask.told("source", "show", "My shop")

    result = flask.invoke("source", "set", "My shop", *args, stdin=b"key")

    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr
    assert flask.told("source", "show", "My shop") == before


@pytest.mark.requirement("003-A")
@pytest.mark.parametrize("at_once", [False, True])
def test_a_rotated_source_has_a_new_path_and_keeps_the_old_one_for_a_while(flask, shop, database, at_once):
    before = flask.told("source", "show", "My shop")

    told = flask.told("source", "rotate", "My shop", *["--at-once"] * at_once)

    assert told == flask.told("source", "show", "My shop")
    assert told["webhook_path"] != before["webhook_path"]
    assert told["previous_key_until"] > before["created_at"]
    with database.read() as session:
        new, old = (
            source_of_key(session, shown["webhook_path"].rpartition("/")[2], utc_now()) for shown in (told, before)
        )
    assert (new, old) == (shop.source.id, None if at_once else shop.source.id)


@pytest.mark.parametrize(
    ("args", "changed"),
    [
        (["--no-push-events"], {"push_events": False}),
        (["--campaign", "7", "--campaign", " 8", "--campaign", "7"], {"campaigns": ["7", "8"]}),
        (["--metric-off", "Order Alert", "--metric-off", "Order Auth"], {"metrics_off": ["Order Alert", "Order Auth"]}),
        (["--metric-on", "Upcoming Order"], {"metrics_on": ["Upcoming Order"]}),
        (["--additional-properties"], {"additional_properties": True}),
        (["--values", "typed"], {"values": "typed"}),
        (["--one-time-as-placed-order"], {"one_time_as_placed_order": True}),
        (["--test-orders"], {"test_orders": True}),
        (["--phone", "property"], {"phone": "property"}),
        (["--rate", "60"], {"rate_per_minute": 60}),
    ],
)  # fmt: skip
def test_a_connections_settings_change_one_by_one_and_back(flask, connection, args, changed):
    back = {
        "--no-push-events": ["--push-events"],
        "--campaign": ["--all-campaigns"],
        "--metric-off": ["--metric-on", "Order Alert", "--metric-on", "Order Auth", "--metric-on", "Placed Order"],
        "--metric-on": ["--metric-off", "Upcoming Order", "--metric-off", "Payment Recovered"],
        "--additional-properties": ["--no-additional-properties"],
        "--values": ["--values", "strings"],
        "--one-time-as-placed-order": ["--no-one-time-as-placed-order"],
        "--test-orders": ["--no-test-orders"],
        "--phone": ["--phone", "both"],
        "--rate": ["--rate", "none"],
    }
    before = flask.told("connection", "show", connection.id)

    assert change(flask, *args) == before | changed
    assert flask.told("connection", "show", connection.id) == before | changed
    assert change(flask, *back[args[0]]) == before


@pytest.mark.parametrize("rate", ["0", "100001", "many", "-1", ""])
def test_a_rate_is_a_number_or_none(flask, connection, rate):
    before = change(flask, "--rate", "60")

    result = flask.invoke("connection", "set", "Klaviyo Production", "--rate", rate)

    assert (result.exit_code, result.stdout) == (2, "")
    assert flask.told("connection", "show", connection.id) == before


def test_one_setting_leaves_the_others_alone(flask, connection):
    everything = change(
        flask, "--no-push-events", "--campaign", "7", "--metric-off", "Order Auth", "--values", "typed",
        "--one-time-as-placed-order", "--test-orders", "--phone", "attribute", "--rate", "60",
    )  # fmt: skip

    assert change(flask, "--metric-off", "Order Alert") == everything | {"metrics_off": ["Order Alert", "Order Auth"]}


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        ([], "no setting is named"),
        (["--campaign", "7", "--all-campaigns"], "opposite things"),
        (["--campaign", "7", "--campaign", " "], "A campaign's id has 1 to 40 characters"),
        (["--metric-off", "Order Auth", "--metric-on", "Order Auth"], "opposite things of Order Auth"),
        (["--test-orders", "--values", "numbers"], "'strings', 'typed'"),
        (["--test-orders", "--phone", "none"], "'both', 'attribute', 'property'"),
        (["--test-orders", "--key-file", "-"], "This looks like your public API key"),
    ],
)
def test_a_connection_with_one_bad_setting_stays_as_it_is(flask, there, connection, args, complaint):
    before = flask.told("connection", "show", connection.id)

    result = flask.invoke("connection", "set", connection.id, *args, stdin=b"AbC123")

    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr
    assert flask.told("connection", "show", connection.id) == before


@pytest.mark.parametrize("option", ["--metric-off", "--metric-on"])
def test_an_unknown_metric_is_refused_with_those_that_there_are(flask, connection, option):
    result = flask.invoke("connection", "set", connection.id, option, "Viewed Product")

    assert result.exit_code == 2
    assert all(f"'{metric}'" in result.stderr for metric in (*METRICS, *BEYOND))
    assert flask.told("connection", "show", connection.id)["metrics_off"] == []


def test_a_metric_that_is_off_is_not_sent(flask, shop, connection):
    change(flask, "--metric-off", "Ordered Product")

    shop.receive_sample(SALE)

    assert opened(flask) == {
        ("Placed Order", "queued", ""),
        ("Ordered Product", "skipped", "metric_off"),
        ("Started Subscription", "queued", ""),
    }


@pytest.mark.requirement("003-31")
def test_one_time_orders_go_as_placed_order_too(flask, shop, connection):
    change(flask, "--one-time-as-placed-order")

    shop.receive_sample(ONE_TIME)

    assert {metric for metric, _, _ in opened(flask)} == {
        "Placed Non-Recurring Order",
        "Placed Order",
        "Ordered Product",
    }


@pytest.mark.parametrize(("wanted", "reason"), [("--no-test-orders", "test_order"), ("--test-orders", "")])
def test_test_orders_go_when_they_are_wanted(flask, shop, connection, wanted, reason):
    change(flask, wanted)

    shop.receive_sample(TEST_ORDER)

    assert {told for _, _, told in opened(flask)} == {reason}


@pytest.mark.requirement("003-23", "003-33")
def test_values_and_phone_hold_for_what_is_queued_already(flask, shop, connection):
    shop.receive_sample(SALE)
    (before,) = bodies(flask, "Ordered Product")
    change(flask, "--values", "typed", "--phone", "attribute")
    (after,) = bodies(flask, "Ordered Product")

    assert (before["properties"]["Quantity"], after["properties"]["Quantity"]) == ("1", 1)
    profiles = [body["profile"]["data"]["attributes"] for body in (before, after)]
    assert ["$phone_number" in profile["properties"] for profile in profiles] == [True, False]
    assert ["phone_number" in profile for profile in profiles] == [True, True]


@pytest.mark.requirement("003-9")
def test_another_key_is_checked_and_frees_what_the_old_one_held(flask, shop, there, database):
    connection = shop.connect(REVOKED_KEY)
    shop.receive_sample(SALE)
    with database.write() as session:
        holding.hold_owed(session, [connection.id], holding.KEY_REJECTED)

    told = change(flask, "--key-file", "-", "--test-orders", stdin=GOOD_KEY.encode())

    assert (told["verdict"], told["key_status"], told["key_hint"]) == ("accepted", "accepted", "pk_…0000")
    assert (told["account"]["id"], told["scopes"]["lists:read"], told["test_orders"]) == ("SbxA01", "yes", True)
    assert {status for _, status, _ in opened(flask)} == {"queued"}
    assert flask.rung() == {f"bell:lane:{connection.account_id}"}
    assert _key(shop, connection) == GOOD_KEY


@pytest.mark.requirement("003-9")
@pytest.mark.parametrize("key", [REVOKED_KEY, OTHER_ACCOUNT_KEY], ids=["refused", "of_another_account"])
def test_a_key_that_is_not_taken_changes_nothing(flask, shop, there, connection, key):
    flask.told("connection", "check", connection.id)
    before = flask.told("connection", "show", connection.id)

    told = change(flask, "--key-file", "-", "--test-orders", stdin=key.encode(), exit_code=1)

    assert told == before | {"verdict": "rejected", "sentence": told["sentence"]}
    assert ("SbxB02" in told["sentence"]) == (key == OTHER_ACCOUNT_KEY)
    assert _key(shop, connection) == GOOD_KEY


def test_a_key_that_klaviyo_cannot_be_asked_about_changes_nothing(flask, shop, connection):
    told = change(flask, "--key-file", "-", stdin=NO_ACCOUNTS_READ_KEY.encode(), exit_code=1)

    assert (told["verdict"], told["key_status"]) == ("unknown", "unchecked")
    assert _key(shop, connection) == GOOD_KEY


def _key(shop, connection):
    with shop.db.read() as session:
        found = find_connection(session, connection.id)
    return shop.vault.unseal(found.key_sealed, found.workspace_id, found.id)
