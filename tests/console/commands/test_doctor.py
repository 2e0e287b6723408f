"""`flask doctor`."""

from datetime import UTC, datetime

import pytest

from sandbox.klaviyo import GOOD_KEY, REVOKED_KEY
from vrio_klaviyo.store import leases

SALE = "transaction_completed_sale_subscription_cycle1"


@pytest.fixture
def running(database):
    """Worker and clock show that they live."""
    for name in ("worker/host/1", "clock"):
        leases.keep(database, name, "host/1", datetime.now(UTC), 60)


def test_all_is_well(flask, shop, running):
    shop.connect(GOOD_KEY)

    told = {finding["name"]: finding for finding in flask.listed("doctor")}

    assert {told[name]["state"] for name in ("settings", "database", "migrations", "worker", "clock", "keys")} == {"ok"}
    assert told["webhooks"]["sentence"] == "No webhook has ever come."
    plain = flask.invoke("doctor").stdout
    assert "✓ settings" in plain
    assert "– webhooks" in plain


def test_without_settings_it_names_all_faults_at_once(invoke, monkeypatch, tmp_path):
    for name in ("SECRET_KEY", "ENCRYPTION_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PORT", "eighty")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/new.db")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:9/0")

    result = invoke("doctor")

    assert result.exit_code == 5
    lines = [line.split("  ")[0].strip() for line in result.stdout.splitlines()]
    assert [line for line in lines if line.startswith("✗")] == [
        *("✗ SECRET_KEY", "✗ ENCRYPTION_KEYS", "✗ PORT", "✗ migrations", "✗ redis"),
    ]
    assert "→ flask db upgrade" in result.stdout
    assert result.stderr == "Error: 5 problems\n"


@pytest.mark.parametrize(
    ("name", "value", "part"), [("DATABASE_URL", "mysql://x", "database"), ("REDIS_URL", "http://x", "redis")]
)
def test_what_a_bad_setting_hides_is_not_looked_at(invoke, environment, monkeypatch, name, value, part):
    monkeypatch.setenv(name, value)

    result = invoke("doctor", part)

    assert (result.exit_code, result.stdout) == (0, f"– {part}  not looked at: {name} comes first\n")


def test_one_part_alone_is_looked_at(flask, shop, running):
    assert {finding["part"] for finding in flask.listed("doctor", "redis")} == {"redis"}
    assert flask.invoke("doctor", "weather").exit_code == 2


def test_a_database_that_cannot_be_opened_is_one_problem_and_its_password_is_not_told(invoke, environment, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://vk:topsecret@127.0.0.1:1/vk")

    result = invoke("doctor", "database")

    assert (result.exit_code, result.stderr) == (5, "Error: 1 problem\n")
    assert "topsecret" not in result.output


def test_online_asks_klaviyo_too(flask, shop, running, monkeypatch, klaviyo_url):
    monkeypatch.setenv("KLAVIYO_API_URL", klaviyo_url)

    assert {finding["state"] for finding in flask.listed("doctor", "klaviyo", "--online")} == {"ok"}


@pytest.mark.requirement("003-63", "003-65")
def test_why_a_customer_s_event_did_not_arrive(flask, shop):
    connection = shop.connect(GOOD_KEY)
    shop.receive_sample(SALE)
    flask.told("connection", "pause", connection.id)

    told = flask.told("doctor", "--email", "john@example.com")

    (found,) = told["connections"]
    assert (found["connection"], told["email"]) == (connection.id, "john@example.com")
    faults = [check for check in found["checks"] if check["state"] == "fault"]
    assert [(fault["name"], fault["target"]) for fault in faults] == [
        ("Connection is active", f"connection:{connection.id}:settings")
    ]
    assert {delivery["status"] for delivery in found["deliveries"]} == {"held"}
    assert "drops them without a word" in told["clues"][0]["sentence"]
    plain = flask.invoke("doctor", "--email", "john@example.com").stdout
    assert "✗ Connection is active: The connection is paused" in plain
    assert "✓ Push Events is enabled" in plain


def test_klaviyo_is_asked_about_the_key_when_that_is_wanted(flask, shop, monkeypatch, klaviyo_url):
    monkeypatch.setenv("KLAVIYO_API_URL", klaviyo_url)
    shop.connect(REVOKED_KEY)

    def key():
        (found,) = flask.told("doctor", "--email", "x@y.zz")["connections"]
        return next(check["state"] for check in found["checks"] if "key" in check["name"])

    assert key() == "unknown"
    flask.told("doctor", "--email", "x@y.zz", "--online")
    assert key() == "fault"


def test_a_part_and_a_customer_are_two_questions(flask):
    assert flask.invoke("doctor", "redis", "--email", "x@y.zz").exit_code == 2
