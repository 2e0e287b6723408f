"""`flask replay …`."""

import csv
import io

import pytest
from sqlalchemy import update

from sandbox.klaviyo import GOOD_KEY
from tests.console.shop import klaviyo, nobody, utc_now
from vrio_klaviyo.replaying import Replayer
from vrio_klaviyo.store.deliveries import Delivery

SALE = "transaction_completed_sale_subscription_cycle1"


@pytest.fixture
def connection(shop):
    return shop.connect(GOOD_KEY)


@pytest.fixture
def failed(shop, connection):
    """A sale of which nothing reached Klaviyo; its three deliveries."""
    shop.receive_sample(SALE)
    fail(shop, "503 unavailable")


def fail(shop, reason):
    with shop.db.write() as session:
        news = {"status": "failed", "reason": reason, "next_attempt_at": None, "finished_at": utc_now()}
        session.execute(update(Delivery).values(news))


def advance(shop, replay):
    Replayer(db=shop.db, ring=nobody, now=utc_now).advance(replay["id"], "test")


def test_a_plan_counts_and_changes_nothing(flask, connection, failed):
    before = flask.listed("delivery", "list")
    plan = flask.told("replay", "plan")

    assert plan == {
        "connection": connection.id,
        "name": "Klaviyo Production",
        "count": 3,
        "by_metric": {"Ordered Product": 1, "Placed Order": 1, "Started Subscription": 1},
        "left_out": {},
        "oldest": plan["oldest"],
    }
    assert flask.listed("delivery", "list") == before
    assert flask.rung() == set()
    plain = flask.invoke("replay", "plan").stdout
    assert plain.startswith("Klaviyo Production: 3 would be sent again (Ordered Product 1, Placed Order 1")


@pytest.mark.parametrize(
    ("args", "count"),
    [
        (["--event", "Placed Order"], 1),
        (["--event", "Placed Order", "--event", "Ordered Product"], 2),
        (["--error", "503"], 3),
        (["--error", "400"], None),
        (["--status", "skipped"], None),
        (["--status", "skipped", "--status", "failed"], 3),
        (["--since", "2h"], 3),
        (["--until", "2h"], None),
        (["--since", "2020-01-01"], 3),
        (["--connection", "klaviyo production"], 3),
        (["--customer", "john@example.com"], 3),
    ],
)
def test_a_plan_is_for_what_is_asked(flask, failed, args, count):
    assert [plan["count"] for plan in flask.listed("replay", "plan", *args)] == ([count] if count else [])


def test_a_plan_for_nothing_says_so(flask, shop):
    assert flask.invoke("replay", "plan").stdout == "No delivery matches.\n"
    assert flask.invoke("replay", "run", "--yes").exit_code == 1


def test_a_replay_is_run_watched_and_summed_up(flask, shop, connection, failed):
    (replay,) = flask.listed("replay", "run", "--error", "503", "--rate", "2", "--yes")

    assert (replay["status"], replay["total"], replay["released"], replay["rate"]) == ("running", 3, 0, 2)
    assert replay["wanted"]["causes"] == ["503 unavailable"]
    assert flask.rung() == {f"bell:replay:{replay['id']}"}
    assert flask.invoke("replay", "run", "--yes").exit_code == 1  # One at a time.
    advance(shop, replay)
    assert flask.told("replay", "status", replay["id"])["results"]["queued"] == 2
    with klaviyo() as (url, _):
        shop.send(connection, url)
    stopped = flask.told("replay", "stop", replay["id"])

    assert (stopped["status"], stopped["released"]) == ("stopped", 2)
    assert (stopped["results"]["accepted"], stopped["results"]["left_out"]) == (2, 0)
    assert flask.listed("replay", "status") == [stopped]
    assert flask.invoke("replay", "stop", replay["id"]).exit_code == 1
    assert flask.invoke("replay", "status", "rp_0").exit_code == 3


def test_its_failures_come_as_csv_that_no_spreadsheet_runs(flask, shop, connection, failed):
    (replay,) = flask.listed("replay", "run", "--yes")
    advance(shop, replay)
    fail(shop, '=cmd|" /C calc"!A0\x1b[2J')
    rows = list(csv.DictReader(io.StringIO(flask.invoke("replay", "status", replay["id"], "--failures").stdout)))

    assert [row["metric"] for row in rows] == ["Placed Order", "Ordered Product", "Started Subscription"]
    assert {row["reason"] for row in rows} == {'\'=cmd|" /C calc"!A0\\x1b[2J'}
    assert flask.invoke("replay", "status", "--failures").exit_code == 2


def test_without_a_terminal_nobody_is_asked(flask, failed):
    result = flask.invoke("replay", "run")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "repeat it with --yes" in result.stderr
    assert flask.listed("replay", "status") == []


def test_a_paused_connection_must_be_meant(flask, connection, failed):
    flask.told("connection", "pause", connection.id)

    assert flask.invoke("replay", "run", "--yes").exit_code == 1
    assert flask.told("replay", "run", "--yes", "--despite-pause")["despite_pause"] is True


@pytest.mark.parametrize("args", [["--since", "yesterday"], ["--status", "queued"], ["--rate", "0"]])
def test_what_cannot_be_understood_is_refused(flask, failed, args):
    assert flask.invoke("replay", "run", "--yes", *args).exit_code == 2
