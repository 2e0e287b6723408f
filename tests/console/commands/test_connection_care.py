"""`flask connection test-event|rotate-key|archive`."""

import threading

import pytest
import requests

from sandbox.klaviyo import GOOD_KEY, OTHER_ACCOUNT_KEY, REVOKED_KEY, SECOND_KEY

SALE = "transaction_completed_sale_subscription_cycle1"


@pytest.fixture
def there(monkeypatch, klaviyo_url):
    """Klaviyo is there."""
    monkeypatch.setenv("KLAVIYO_API_URL", klaviyo_url)
    return klaviyo_url


def test_a_test_event_is_owed_and_the_lane_is_rung(flask, shop):
    connection = shop.connect(GOOD_KEY, active=False)

    told = flask.told("connection", "test-event", "klaviyo production", "--email", "mia@acme.test", "--wait", "0")

    assert (told["metric"], told["status"], told["connection"]) == ("Placed Order", "queued", connection.id)
    assert told["unique_id"].startswith("test_")
    assert flask.rung() == {f"bell:lane:{connection.account_id}"}


@pytest.mark.parametrize(("status", "ends", "exit_code"), [(None, "accepted", 0), (400, "failed", 1)])
def test_klaviyo_s_answer_is_waited_for_and_a_refusal_is_the_command_s_failure(
    flask, shop, there, status, ends, exit_code
):
    connection = shop.connect(GOOD_KEY)
    if status:
        requests.post(f"{there}/sandbox/faults", json={"fault": "status", "status": status}, timeout=5)
    stop = threading.Event()

    def work():
        while not stop.wait(0.05):
            shop.send(connection, there)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        args = ("connection", "test-event", connection.id, "--email", "mia@acme.test", "--wait", "60")
        told = flask.told(*args, exit_code=exit_code)
    finally:
        stop.set()
        worker.join()

    assert (told["status"], told["attempts"]) == (ends, 1)


def test_a_test_event_needs_somebody_to_go_to(flask, shop):
    connection = shop.connect(GOOD_KEY)

    assert flask.invoke("connection", "test-event", connection.id, "--email", "nobody").exit_code == 2
    assert flask.invoke("connection", "test-event", connection.id).exit_code == 2
    assert flask.listed("delivery", "list") == []


def test_a_good_key_takes_the_old_one_s_place_and_a_bad_one_does_not(flask, shop, there):
    connection = shop.connect(GOOD_KEY)
    args = ("connection", "rotate-key", connection.id, "--key-file", "-")

    told = flask.told(*args, stdin=SECOND_KEY.encode())
    assert (told["verdict"], told["key_hint"]) == ("accepted", f"pk_…{SECOND_KEY[-4:]}")
    for key in (REVOKED_KEY, OTHER_ACCOUNT_KEY):
        assert flask.told(*args, stdin=key.encode(), exit_code=1)["verdict"] == "rejected"
    assert shop.vault.unseal(_sealed(shop, connection), connection.workspace_id, connection.id) == SECOND_KEY


def _sealed(shop, connection):
    with shop.db.read() as session:
        return session.get(type(connection), connection.id).key_sealed


def test_an_archived_connection_is_sent_nothing_and_its_log_stays(flask, shop):
    connection = shop.connect(GOOD_KEY)
    shop.receive_sample(SALE)

    told = flask.told("connection", "archive", connection.id, "--yes")

    assert told["status"] == "paused"
    assert flask.listed("connection", "list") == []
    before = flask.listed("delivery", "list")
    assert {delivery["status"] for delivery in before} == {"held"}
    shop.receive_sample("transaction_completed_sale_onetime")
    assert flask.listed("delivery", "list") == before
    assert flask.told("connection", "show", connection.id)["id"] == connection.id


def test_archiving_asks_first(flask, shop):
    connection = shop.connect(GOOD_KEY)

    assert flask.invoke("connection", "archive", connection.id, stdin=b"n\n").exit_code == 1
    assert len(flask.listed("connection", "list")) == 1


@pytest.mark.parametrize("args", [[], ["--no-check"]], ids=["checked", "unchecked"])
def test_an_archived_connection_is_not_activated_again(flask, shop, there, args):
    connection = shop.connect(GOOD_KEY)
    flask.told("connection", "archive", connection.id, "--yes")

    result = flask.invoke("connection", "activate", connection.id, *args)

    assert (result.exit_code, result.stderr) == (1, "Error: Klaviyo Production is archived.\n")
    assert flask.told("connection", "show", connection.id)["status"] == "paused"


def test_what_a_command_does_to_a_connection_stands_in_the_audit_log(flask, shop, there, database):
    add = ("connection", "add", "Store", "--key-file", "-")
    flask.told(*add, stdin=GOOD_KEY.encode())
    for verb, *args in (
        ("pause",),
        ("activate",),
        ("check",),
        ("set", "--campaign", "7", "--rate", "60"),
        ("test-event", "--email", "mia@acme.test", "--wait", "0"),
    ):
        flask.told("connection", verb, "Store", *args)
    flask.told("connection", "rotate-key", "Store", "--key-file", "-", stdin=SECOND_KEY.encode())
    flask.told("connection", "rotate-key", "Store", "--key-file", "-", stdin=REVOKED_KEY.encode(), exit_code=1)
    flask.told("connection", "archive", "Store", "--yes")

    done = flask.audited(database)

    assert [action for action, _ in done] == [
        "connection.added",
        "connection.activated",
        "connection.paused",
        "connection.activated",
        "connection.verified",
        "connection.changed",
        "connection.tested",
        "connection.key_replaced",
        "connection.archived",
    ]
    details = dict(done)
    assert details["connection.changed"] == {
        "before": {"Campaigns": "All campaigns", "At most so many requests a minute": "As many as Klaviyo takes"},
        "after": {"Campaigns": "7", "At most so many requests a minute": "60"},
    }
    assert details["connection.key_replaced"] == {"before": f"pk_…{GOOD_KEY[-4:]}", "after": f"pk_…{SECOND_KEY[-4:]}"}


def test_what_changes_nothing_is_not_noted(flask, shop, database):
    connection = shop.connect(GOOD_KEY)

    flask.told("connection", "set", connection.id, "--push-events", "--all-campaigns")

    assert flask.audited(database) == []
