"""Connections as they are listed and shown, and who may steer them."""

import re
from datetime import UTC, datetime

import pytest

from sandbox.klaviyo import GOOD_KEY, SECOND_KEY
from tests.console.pages.conftest import words
from tests.console.pages.connections.conftest import FORM, HOSTILE, the_one
from vrio_klaviyo.store import deliveries
from vrio_klaviyo.store.accounts import account_of
from vrio_klaviyo.store.connections import KeyStatus
from vrio_klaviyo.store.key_checks import record_key


def test_an_empty_workspace_says_what_to_do_next(visit):
    page = words(visit("manager").get("/connections"))
    assert "No connection yet." in page
    assert "You need a private Klaviyo key." in page
    assert "Ask a manager" in words(visit("viewer").get("/connections"))


def test_a_connection_shows_its_account_and_whether_that_is_one_to_test_with(visit, house):
    manager = visit("manager")
    manager.post("/connections/new/klaviyo", **FORM)
    connection = the_one(house)
    for role in ("manager", "viewer"):
        page = words(visit(role).get(f"/connections/{connection.id}"))
        assert "Acme Supplements · SbxA01 · US/Eastern · USD TEST account" in page
    assert "Acme Supplements TEST account" in words(manager.get("/connections"))

    with house.db.write() as session:
        account = account_of(session, session.merge(connection))
        account.is_test, account.time_zone, account.currency = False, HOSTILE, ""
    page = manager.get(f"/connections/{connection.id}")
    assert "TEST account" not in page
    assert "<script>alert" not in page


def test_the_list_tells_names_and_states(visit, house):
    house.connect("Northwind US")
    house.connect("Northwind EU", SECOND_KEY, active=False)
    viewer = visit("viewer")
    page = words(viewer.get("/connections"))
    assert "Northwind US" in page
    assert "✓ Active" in page
    assert "Paused" in page
    assert "Northwind US" not in words(viewer.get("/connections", q="eu"))
    assert "No connection matches" in words(viewer.get("/connections?status=key_rejected"))


def test_long_lists_have_pages(visit, house):
    for number in range(27):
        house.connect(f"Shop {number:02}", f"{GOOD_KEY}{number}")
    viewer = visit("viewer")
    first = viewer.get("/connections")
    assert "Shop 26" in first
    assert "Shop 01" not in first
    older = re.search(r'href="(/connections\?cursor=[^"]+)" rel="next"', first)[1]
    second = viewer.get(older)
    assert "Shop 01" in second
    assert "Shop 00" in second
    assert "Shop 02" not in second
    newer = re.search(r'href="(/connections\?cursor=[^"]+)" rel="prev"', second)[1]
    assert "Shop 26" in viewer.get(newer)


def test_health_tells_figures_and_causes_in_words(visit, house):
    connection = house.connect()
    delivery = house.owe(connection)
    with house.db.write() as session:
        deliveries.fail(session, session.merge(delivery), "400 invalid /data/attributes/profile/email", house.clock())
    # Ids are made by the real clock.
    house.clock.now = datetime.now(UTC)
    page = words(visit("viewer").get(f"/connections/{connection.id}", period="24h", compare="1"))
    assert "Failed 1" in page
    assert "Invalid e-mail address" in page
    assert "sending again does not help" in page
    listed = words(visit("support").get(f"/connections/{connection.id}/deliveries?status=failed"))
    assert "Declined Order 1001 ✕ Failed Invalid e-mail address" in listed


def test_two_ways_to_one_account_are_warned_of(visit, house):
    one, other = house.connect("One"), house.connect("Other", SECOND_KEY)
    with house.db.write() as session:
        for connection in (one, other):
            account_of(session, session.merge(connection)).klaviyo_id = "SbxA01"
    viewer = visit("viewer")
    assert "Other sends to the same Klaviyo account: events would be sent twice." in words(
        viewer.get(f"/connections/{one.id}")
    )
    house.change(other, active=False)
    assert "sent twice" not in words(viewer.get(f"/connections/{one.id}"))


def test_a_rejected_key_is_told_with_the_way_to_mend_it(visit, house):
    connection = house.connect()
    with house.db.write() as session:
        record_key(session, connection.id, KeyStatus.REJECTED, "Klaviyo does not know this key.", house.clock())
    page = visit("manager").get(f"/connections/{connection.id}")
    assert "Klaviyo does not know this key." in page
    assert f"/connections/{connection.id}/settings#key" in page


def test_hostile_names_are_text(visit, house):
    connection = house.connect("Klaviyo")
    house.change(connection, name=HOSTILE + "x" * 10_000, key_reason=HOSTILE, campaigns=[HOSTILE])
    manager = visit("manager")
    for path in ("", f"/{connection.id}", f"/{connection.id}/settings", f"/{connection.id}/deliveries",
                 f"/{connection.id}/audit", f"/{connection.id}/test", f"/{connection.id}/pause"):  # fmt: skip
        page = manager.get(f"/connections{path}")
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/connections/new"), ("get", "/connections/new/klaviyo"), ("post", "/connections/new/klaviyo"),
        ("post", "/connections/{}/settings"), ("post", "/connections/{}/key"), ("post", "/connections/{}/check"),
        ("get", "/connections/{}/pause"), ("post", "/connections/{}/pause"), ("post", "/connections/{}/activate"),
        ("get", "/connections/{}/archive"), ("post", "/connections/{}/archive"), ("get", "/connections/{}/test"),
        ("post", "/connections/{}/test"), ("get", "/connections/{}/audit"),
    ],
)  # fmt: skip
def test_only_managers_steer(visit, house, method, path):
    connection = house.connect()
    getattr(visit("support"), method)(path.format(connection.id), 403)


def test_what_a_role_may_not_do_is_not_offered(visit, house):
    connection = house.connect()
    support = visit("support")
    for path in (f"/connections/{connection.id}", f"/connections/{connection.id}/settings", "/connections"):
        page = support.get(path)
        for word in ("Send a test event</a>", "Pause</a>", "Edit</a>", "Replace the key", "Add New Connection</a>"):
            assert word not in page
