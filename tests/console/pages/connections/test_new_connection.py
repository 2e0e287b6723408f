"""How a connection is made, and what is said of its key."""

import pytest

from sandbox.klaviyo import NO_ACCOUNTS_READ_KEY, REVOKED_KEY
from tests.bodies import declined
from tests.console.pages.conftest import words
from tests.console.pages.connections.conftest import FORM, HOSTILE, the_one
from vrio_klaviyo.store.connections import KeyStatus, list_connections


def none_was_made(house):
    with house.db.read() as session:
        return list_connections(session) == []


def test_the_way_is_the_published_pages(visit):
    manager = visit("manager")
    assert "/connections" in manager.get("/settings")
    assert "Add New Connection" in words(manager.get("/connections"))
    kinds = words(manager.get("/connections/new"))
    assert kinds.index("Marketing") < kinds.index("Klaviyo Sends") < kinds.index("Connect Now")
    form = words(manager.get("/connections/new/klaviyo"))
    for word in ("Connection name", "Private API key", "Push events", "Campaigns", "Save"):
        assert word in form


def test_a_good_key_is_saved_and_sends(visit, house):
    manager = visit("manager")
    answer = manager.post("/connections/new/klaviyo", **FORM)
    connection = the_one(house)
    assert answer.location == f"/connections/{connection.id}"
    assert (connection.status, connection.key_status) == ("active", KeyStatus.ACCEPTED)
    page = words(manager.get(answer.location))
    assert "Klaviyo knows this key." in page
    assert "Account: Acme Supplements (SbxA01, US/Eastern, USD)." in page
    assert connection.scopes["events:read"] == "yes"


def test_one_can_be_saved_paused(visit, house):
    visit("manager").post("/connections/new/klaviyo", **FORM | {"start": "paused"})
    assert the_one(house).status == "paused"


def test_a_key_that_may_not_read_the_account_is_good(visit, house):
    manager = visit("manager")
    manager.post("/connections/new/klaviyo", **FORM | {"key": NO_ACCOUNTS_READ_KEY})
    connection = the_one(house)
    assert (connection.status, connection.key_status) == ("active", KeyStatus.ACCEPTED)
    page = words(manager.get(f"/connections/{connection.id}/settings"))
    assert "accounts:read missing" in page
    assert "✓ events:read" in page
    assert "events:write not tested" in page
    assert "It may not read the account’s name, which changes nothing else." in page


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("AbC123", "This looks like your public API key (Site ID). Paste the private key, it starts with pk_."),
        ("pk_abc def", "The key was copied incompletely: it has spaces, line breaks or other signs in it."),
        (REVOKED_KEY, "Klaviyo does not know this key, or it was revoked."),
        ("", "The private API key is empty."),
    ],
)
def test_each_wrong_key_has_its_sentence_and_saves_nothing(visit, house, key, sentence):
    answer = visit("manager").post("/connections/new/klaviyo", 422, **FORM | {"key": key})
    page = words(answer.text)
    assert f"Private API key: {sentence}" in page
    assert 'value="Klaviyo Production"' in answer.text
    assert not key or key not in answer.text
    assert none_was_made(house)


def test_a_key_that_could_not_be_checked_is_saved_paused(visit, house, klaviyo):
    klaviyo.fault("status", status=503, times=9)
    manager = visit("manager")
    answer = manager.post("/connections/new/klaviyo", **FORM)
    connection = the_one(house)
    assert (connection.status, connection.key_status) == ("paused", KeyStatus.UNCHECKED)
    assert "Klaviyo could not be asked about the key" in words(manager.get(answer.location))


def test_two_connections_are_not_called_alike(visit, house):
    house.connect("Klaviyo production")
    answer = visit("manager").post("/connections/new/klaviyo", 422, **FORM)
    assert "Another connection is called Klaviyo Production." in words(answer.text)


def test_choosing_campaigns_means_choosing_one(visit, house):
    manager = visit("manager")
    answer = manager.post("/connections/new/klaviyo", 422, **FORM | {"which": "chosen"})
    assert "No campaign is chosen: choose one, or all campaigns." in words(answer.text)
    manager.post("/connections/new/klaviyo", **FORM | {"which": "chosen", "campaigns": "1", "more_campaigns": "12, 15"})
    assert the_one(house).campaigns == ["1", "12", "15"]


def test_campaigns_that_webhooks_named_are_there_to_choose(visit, house):
    house.connect()
    body = declined(1, campaign="77")
    body["webhook_data"]["transaction"]["campaign"]["campaign_name"] = HOSTILE
    house.post(body)
    house.take_in()
    page = visit("manager").get("/connections/new/klaviyo")
    assert 'name="campaigns" value="77"' in page
    assert "<script>alert" not in page
