"""`flask connection …`."""

import pytest

from sandbox.klaviyo import GOOD_KEY, NO_ACCOUNTS_READ_KEY, OTHER_ACCOUNT_KEY, REVOKED_KEY
from vrio_klaviyo.store import holding
from vrio_klaviyo.store.connections import KeyStatus, find_connection
from vrio_klaviyo.store.key_checks import record_key

SALE = "transaction_completed_sale_subscription_cycle1"
MARKED_KEY = "pk_MARKEDmarkedMARKEDmarkedMARKED7"


@pytest.fixture
def there(monkeypatch, klaviyo_url):
    """Klaviyo is there."""
    monkeypatch.setenv("KLAVIYO_API_URL", klaviyo_url)


def add(flask, *args, key=GOOD_KEY, exit_code=0):
    args = ("connection", "add", "Klaviyo Production", "--key-file", "-", *args)
    return flask.told(*args, stdin=key.encode(), exit_code=exit_code)


@pytest.mark.requirement("003-8", "003-12")
def test_a_good_key_makes_an_active_connection(flask, there):
    told = add(flask, "--campaign", "7", "--campaign", "8", "--campaign", "7")

    assert told == {
        "id": told["id"],
        "name": "Klaviyo Production",
        "workspace": "default",
        "status": "active",
        "account": {"id": "SbxA01", "name": "Acme Supplements"},
        "key_hint": "pk_…0000",
        "key_status": "accepted",
        "key_reason": "",
        "push_events": True,
        "campaigns": ["7", "8"],
        "metrics_off": [],
        "metrics_on": [],
        "additional_properties": False,
        "values": "strings",
        "one_time_as_placed_order": False,
        "test_orders": False,
        "phone": "both",
        "scopes": told["scopes"],
        "revision": "2026-07-15",
        "rate_per_minute": None,
        "activated_at": told["activated_at"],
        "checked_at": told["checked_at"],
        "created_at": told["created_at"],
        "verdict": "accepted",
        "sentence": "Klaviyo knows this key.",
    }
    assert told["scopes"]["lists:read"] == "yes"
    assert told["activated_at"] >= told["created_at"]
    shown = {name: value for name, value in told.items() if name not in ("verdict", "sentence")}
    assert flask.told("connection", "show", "klaviyo production") == shown
    assert flask.listed("connection", "list") == [shown]


def test_a_key_may_lack_accounts_read(flask, there):
    told = add(flask, key=NO_ACCOUNTS_READ_KEY)

    assert (told["status"], told["account"]) == ("active", {"id": "SbxA01", "name": ""})


@pytest.mark.requirement("003-9")
def test_a_refused_key_is_saved_paused(flask, there):
    told = add(flask, key=REVOKED_KEY, exit_code=1)

    assert (told["status"], told["key_status"], told["activated_at"]) == ("paused", "rejected", None)
    assert told["key_reason"] == told["sentence"]
    result = flask.invoke("connection", "check", told["id"])
    assert result.exit_code == 1
    assert result.stderr.endswith(f"Error: {told['sentence']}\n")


@pytest.mark.requirement("003-12")
def test_a_connection_is_saved_paused_while_klaviyo_is_away(flask):
    told = add(flask, exit_code=1)

    assert (told["status"], told["key_status"]) == ("paused", "unchecked")
    assert told["key_reason"] == "Klaviyo could not be asked about the key: the connection broke or was refused."


@pytest.mark.parametrize(
    ("args", "status"), [([], "active"), (["--paused"], "paused")], ids=["no_check", "no_check_paused"]
)
def test_a_key_need_not_be_checked(flask, args, status):
    told = add(flask, "--no-check", "--no-push-events", *args)

    assert (told["status"], told["key_status"], told["checked_at"]) == (status, "unchecked", None)
    assert told["push_events"] is False
    assert "verdict" not in told


def test_a_connection_may_begin_paused(flask, there):
    told = add(flask, "--paused")

    assert (told["status"], told["key_status"], told["activated_at"]) == ("paused", "accepted", None)
    assert flask.told("connection", "activate", told["id"])["status"] == "active"


@pytest.mark.requirement("003-70")
@pytest.mark.parametrize(
    ("args", "key"),
    [
        ([], "AbC123"),
        ([], "pk_half a key"),
        ([], "pk_ключ"),
        ([], ""),
        ([], "\ufeff\r\n"),
        ([], b"\xff\xfe"),
        (["--campaign", " "], GOOD_KEY),
    ],
    ids=["public", "blank_inside", "cyrillic", "empty", "mark_only", "not_text", "empty_campaign"],
)
def test_what_cannot_be_right_is_not_saved(flask, there, args, key):
    stdin = key if isinstance(key, bytes) else key.encode()
    result = flask.invoke("connection", "add", "Klaviyo", "--key-file", "-", *args, stdin=stdin)

    assert (result.exit_code, result.stdout) == (2, "")
    assert flask.listed("connection", "list") == []


def test_a_name_is_taken_in_any_letters(flask, there):
    add(flask)

    result = flask.invoke("connection", "add", "KLAVIYO production", "--key-file", "-", stdin=GOOD_KEY.encode())

    assert (result.exit_code, result.stderr) == (2, "Error: another connection is called KLAVIYO production\n")


@pytest.mark.requirement("003-9")
def test_the_key_is_in_no_output(flask, there, tmp_path):
    file = tmp_path / "klaviyo.key"
    file.write_text(f" {MARKED_KEY}\n")
    add_it = ("connection", "add", "Marked", "--key-file")

    results = [
        flask.invoke(*add_it, str(file)),
        # By mistake: the key itself where its file belongs.
        flask.invoke(*add_it, MARKED_KEY),
        flask.invoke(*add_it, f"{MARKED_KEY}\0"),
        flask.invoke("connection", "check", "Marked"),
        flask.invoke("connection", "activate", "Marked", "--no-check", "--json"),
        flask.invoke("connection", "show", "Marked", "--json"),
        flask.invoke("connection", "list"),
    ]

    assert [result.exit_code for result in results] == [1, 2, 2, 1, 0, 0, 0]
    output = "".join(result.output for result in results)
    assert MARKED_KEY not in output
    assert MARKED_KEY[3:-4] not in output
    assert MARKED_KEY[-5:] not in output
    assert f"pk_…{MARKED_KEY[-4:]}" in output


@pytest.mark.requirement("003-13")
def test_a_pause_holds_what_is_queued_and_activation_sends_it(flask, shop, there):
    told = add(flask)
    shop.receive_sample(SALE)
    queued = len(flask.listed("delivery", "list", "--status", "queued"))

    paused = flask.told("connection", "pause", "Klaviyo Production")
    held = flask.listed("delivery", "list")
    shop.receive_sample("transaction_completed_sale_onetime")
    active = flask.told("connection", "activate", "Klaviyo Production")
    after = flask.listed("delivery", "list")

    assert queued > 0
    assert (paused["status"], active["status"]) == ("paused", "active")
    assert {(delivery["status"], delivery["reason"]) for delivery in held} == {("held", "connection_paused")}
    # What was held goes; what came in meanwhile does not.
    assert sum(delivery["status"] == "queued" for delivery in after) == queued
    assert {delivery["reason"] for delivery in after if delivery["status"] == "skipped"} == {"connection_paused"}
    assert active["activated_at"] == told["activated_at"]


def test_activation_rings_the_lane(flask, shop, there):
    connection = shop.connect(GOOD_KEY, active=False)

    flask.told("connection", "activate", connection.id)

    assert flask.rung() == {f"bell:lane:{connection.account_id}"}


def test_a_key_that_is_good_again_frees_what_was_held_because_of_it(flask, shop, there, database):
    connection = shop.connect(GOOD_KEY)
    shop.receive_sample(SALE)
    with database.write() as session:
        holding.hold_owed(session, [connection.id], holding.KEY_REJECTED)

    flask.told("connection", "check", connection.id)

    assert {delivery["status"] for delivery in flask.listed("delivery", "list")} == {"queued"}
    assert flask.rung() == {f"bell:lane:{connection.account_id}"}


@pytest.mark.parametrize("key", [REVOKED_KEY, None], ids=["refused", "away"])
def test_activation_asks_again_and_leaves_a_connection_paused_unless_the_key_is_taken(
    flask, shop, monkeypatch, klaviyo_url, key
):
    connection = shop.connect(key or GOOD_KEY, active=False)
    if key:
        monkeypatch.setenv("KLAVIYO_API_URL", klaviyo_url)

    assert flask.told("connection", "activate", connection.id, exit_code=1)["status"] == "paused"
    assert flask.rung() == set()


def test_activation_without_a_check_is_taken_at_a_persons_word(flask, shop, database):
    connection = shop.connect(OTHER_ACCOUNT_KEY, active=False)

    assert flask.told("connection", "activate", connection.id, "--no-check")["status"] == "active"
    with database.write() as session:
        record_key(
            session, connection.id, KeyStatus.REJECTED, "401", find_connection(session, connection.id).created_at
        )
    # What Klaviyo said of the key stands until it is asked again.
    assert flask.told("connection", "activate", connection.id, "--no-check")["status"] == "key_rejected"


def test_pausing_and_activating_twice_is_no_mistake(flask, shop, there):
    connection = shop.connect(GOOD_KEY)

    first, second = (flask.told("connection", "pause", connection.id) for _ in range(2))

    assert first == second
    assert {flask.told("connection", "activate", connection.id)["status"] for _ in range(2)} == {"active"}


def test_redis_that_is_away_keeps_nobody_from_activating(flask, shop, there, monkeypatch):
    connection = shop.connect(GOOD_KEY, active=False)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")

    assert flask.told("connection", "activate", connection.id)["status"] == "active"
