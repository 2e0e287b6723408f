"""A connection is paused and activated, gets another key, and is archived."""

import pytest

from sandbox.klaviyo import GOOD_KEY, OTHER_ACCOUNT_KEY, REVOKED_KEY, SECOND_KEY
from tests.console.pages.conftest import words
from vrio_klaviyo.store.accounts import account_of
from vrio_klaviyo.store.connections import KeyStatus


def test_a_pause_says_what_it_does_before_and_after(visit, house):
    connection = house.connect()
    house.owe(connection)
    manager = visit("manager")
    asked = words(manager.get(f"/connections/{connection.id}/pause"))
    assert "New webhooks will be recorded as “Not sent: connection paused”." in asked
    assert "What waits now, 1 delivery, will be held" in asked
    manager.post(f"/connections/{connection.id}/pause")
    assert "1 delivery is held." in words(manager.get(f"/connections/{connection.id}"))
    assert house.connection(connection).status == "paused"
    assert house.delivery().status == "held"
    manager.post(f"/connections/{connection.id}/activate")
    assert house.delivery().status == "queued"
    assert house.connection(connection).status == "active"


def test_a_connection_with_a_bad_key_is_not_activated(visit, house):
    connection = house.connect(key=REVOKED_KEY, active=False)
    manager = visit("manager")
    answer = manager.post(f"/connections/{connection.id}/activate")
    assert "was not activated. Klaviyo does not know this key" in words(manager.get(answer.location))
    assert house.connection(connection).status == "paused"


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        (REVOKED_KEY, "The key was not replaced. Klaviyo does not know this key"),
        ("AbC123", "The key was not replaced. This looks like your public API key"),
        (OTHER_ACCOUNT_KEY, "This is a key of another Klaviyo account"),
    ],
)
def test_a_key_that_is_not_taken_changes_nothing(visit, house, key, sentence):
    connection = house.connect()
    with house.db.write() as session:
        account_of(session, session.merge(connection)).klaviyo_id = "SbxA01"
    manager = visit("manager")
    answer = manager.post(f"/connections/{connection.id}/key", key=key)
    page = manager.get(answer.location)
    assert sentence in words(page)
    assert key not in page
    assert house.connection(connection).key_sealed == connection.key_sealed


def test_a_good_key_takes_the_old_ones_place(visit, house):
    connection = house.connect(key=REVOKED_KEY)
    manager = visit("manager")
    manager.post(f"/connections/{connection.id}/key", key=f" {GOOD_KEY}\n")
    after = house.connection(connection)
    assert (after.key_status, after.key_hint[-4:]) == (KeyStatus.ACCEPTED, GOOD_KEY[-4:])
    everything = manager.get(f"/connections/{connection.id}/settings") + manager.get("/audit")
    assert GOOD_KEY not in everything
    assert "connection.key_replaced" in everything


def test_archived_ones_are_a_list_of_their_own(visit, house):
    connection = house.connect("Old shop")
    house.connect("New shop", SECOND_KEY)
    manager = visit("manager")
    assert "Its log stays" in words(manager.get(f"/connections/{connection.id}/archive"))
    manager.post(f"/connections/{connection.id}/archive")
    manager.get("/connections")
    listed = words(manager.get("/connections"))
    assert "Old shop" not in listed
    assert "New shop" in listed
    assert "Old shop" in words(manager.get("/connections", archived="1"))
    assert "Edit" not in words(manager.get(f"/connections/{connection.id}"))
    manager.post(f"/connections/{connection.id}/activate", 409)
