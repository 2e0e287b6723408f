"""Connections: how one is made, what is said of its key, how it is changed, and that nobody sees more than they may."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sandbox.klaviyo import GOOD_KEY, NO_ACCOUNTS_READ_KEY, OTHER_ACCOUNT_KEY, REVOKED_KEY, SECOND_KEY
from tests.building import declined
from tests.console.pages.conftest import words
from vrio_klaviyo.store import deliveries
from vrio_klaviyo.store.accounts import account_of
from vrio_klaviyo.store.connections import KeyStatus, list_connections
from vrio_klaviyo.store.key_checks import record_key
from vrio_klaviyo.store.sources import Source

HOSTILE = "<script>alert(1)</script>\"'‮ x"
FORM = {"name": "Klaviyo Production", "key": GOOD_KEY, "push_events": "on", "which": "all", "start": "active"}


@pytest.fixture
def settings(settings, klaviyo):
    return replace(settings, klaviyo_api_url=klaviyo.url)


def the_one(house):
    with house.db.read() as session:
        (found,) = list_connections(session)
    return found


def none_was_made(house):
    with house.db.read() as session:
        return list_connections(session) == []


# Making one


def test_the_way_is_the_published_pages(visit):
    manager = visit("manager")
    assert "/connections" in manager.get("/settings")
    assert "Add New Connection" in words(manager.get("/connections"))
    kinds = words(manager.get("/connections/new"))
    assert kinds.index("Marketing") < kinds.index("Klaviyo Sends") < kinds.index("Connect Now")
    form = words(manager.get("/connections/new/klaviyo"))
    for word in ("Connection name", "Private API key", "Push events", "Campaigns", "Save"):
        assert word in form


def test_an_empty_workspace_says_what_to_do_next(visit):
    page = words(visit("manager").get("/connections"))
    assert "No connection yet." in page
    assert "You need a private Klaviyo key." in page
    assert "Ask a manager" in words(visit("viewer").get("/connections"))


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


# Seeing one


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


# Changing one


def settings_form(page, **changes):
    """What the settings' form would post as it stands, with these changes."""
    typed = {"version": re.search(r'name="version" value="(\w*)"', page)[1]}
    typed["name"] = re.search(r'id="field-name"[^>]* value="([^"]*)"', page)[1]
    for box in re.findall(r'<input type="(?:checkbox|radio)"[^>]*checked[^>]*>', page):
        typed.setdefault(re.search(r'name="(\w+)"', box)[1], []).append(re.search(r'value="([^"]*)"', box)[1])
    for name in ("values", "phone"):
        select = re.search(rf'<select id="field-{name}".*?</select>', page, re.S)[0]
        typed[name] = re.search(r'value="([^"]*)" selected', select)[1]
    return typed | changes


def test_the_form_as_it_stands_changes_nothing(visit, house):
    connection = house.connect(campaigns=["5"])
    house.change(connection, metrics_on=["Skipped Subscription"], metrics_off=["Order Auth"], typed=True)
    manager, path = visit("manager"), f"/connections/{connection.id}/settings"
    before = house.connection(connection)
    manager.post(path, **settings_form(manager.get(path)))
    after = house.connection(connection)
    for name in ("name", "push_events", "campaigns", "metrics_on", "metrics_off", "typed", "phone_placement",
                 "test_orders", "additional_properties", "one_time_as_placed_order"):  # fmt: skip
        assert getattr(after, name) == getattr(before, name), name
    assert "Nothing was changed." in words(manager.get(path))


def test_every_setting_can_be_changed(visit, house):
    connection = house.connect()
    manager, path = visit("manager"), f"/connections/{connection.id}/settings"
    form = settings_form(
        manager.get(path), name="Renamed", which="chosen", more_campaigns="9",
        metrics=["Placed Order", "Upcoming Order"],
        values="typed", phone="attribute", additional_properties="on", one_time_as_placed_order="on", test_orders="on",
        rate_per_minute="60",
    )  # fmt: skip
    form.pop("push_events")
    manager.post(path, **form)
    after = house.connection(connection)
    assert (after.name, after.push_events, after.campaigns, after.typed) == ("Renamed", False, ["9"], True)
    assert after.metrics_on == ["Upcoming Order"]
    assert "Placed Order" not in after.metrics_off
    assert "Ordered Product" in after.metrics_off
    assert (after.phone_placement, after.additional_properties) == ("attribute", True)
    assert (after.one_time_as_placed_order, after.test_orders) == (True, True)
    with house.db.read() as session:
        assert account_of(session, after).rate_per_minute == 60
    page = words(manager.get(f"/connections/{connection.id}/audit"))
    assert "Connection changed" in page
    assert "Connection name: Klaviyo" in page
    assert "Connection name: Renamed" in page


@pytest.mark.parametrize(("rate", "sentence"), [("0", "from 1 to 100,000"), ("many", "whole number")])
def test_a_rate_is_a_number(visit, house, rate, sentence):
    connection = house.connect()
    manager, path = visit("manager"), f"/connections/{connection.id}/settings"
    answer = manager.post(path, 422, **settings_form(manager.get(path), rate_per_minute=rate))
    assert sentence in words(answer.text)


def test_a_clash_shows_both_versions_and_saves_neither(visit, house):
    connection = house.connect()
    manager, path = visit("manager"), f"/connections/{connection.id}/settings"
    mine = settings_form(manager.get(path), name="Mine")
    house.change(connection, name="Theirs", name_key="theirs")
    answer = manager.post(path, 409, **mine)
    page = words(answer.text)
    assert "Somebody else has changed this connection since you opened it." in page
    assert "Connection name Theirs Mine" in page
    assert house.connection(connection).name == "Theirs"
    manager.post(path, **settings_form(answer.text))
    assert house.connection(connection).name == "Mine"


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


# Who may


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


# Trying it out


def test_a_test_event_needs_a_source_and_says_so(visit, site, house):
    with site.db.write() as session:
        session.delete(session.get_one(Source, house.source.id))
    connection = house.connect()
    manager = visit("manager")
    page = manager.get(f"/connections/{connection.id}/test")
    assert "there is no source yet" in page
    assert "/sources/new" in page
    answer = manager.post(f"/connections/{connection.id}/test", 422, event="Placed Order", email="mia@northwind.dev")
    assert "source" in words(answer.text)
    assert "Add a source" in words(manager.get(f"/connections/{connection.id}"))


def test_a_test_event_is_shown_with_request_and_response(visit, house, klaviyo):
    house.klaviyo_url = klaviyo.url
    connection = house.connect(active=False)
    manager = visit("manager")
    answer = manager.post(
        f"/connections/{connection.id}/test", event="Declined Order", email="mia@northwind.dev", mark="on"
    )
    assert "On its way." in words(manager.get(answer.location))
    house.settle(connection)
    page = manager.get(answer.location)
    told = words(page)
    assert "✓ Accepted 202" in told
    assert "Analytics › Metrics › Declined Order" in told
    assert "VrioTest" in told
    assert "$KLAVIYO_API_KEY" in told
    assert GOOD_KEY not in page
    (event,) = klaviyo.events()
    assert event


@pytest.mark.parametrize("email", ["nobody", "john@example.com"])
def test_a_test_event_needs_an_address_that_klaviyo_takes(visit, house, email):
    connection = house.connect()
    visit("manager").post(f"/connections/{connection.id}/test", 422, event="Placed Order", email=email)
    assert house.deliveries() == []


def test_another_connections_delivery_is_not_shown_here(visit, house):
    one, other = house.connect("One"), house.connect("Other", SECOND_KEY)
    delivery = house.owe(one)
    visit("manager").get(f"/connections/{other.id}/test/{delivery.id}", 404)


def test_a_customers_bodies_are_not_shown_as_a_test(visit, house):
    connection = house.connect()
    delivery = house.owe(connection)
    assert "Attempt 1" not in words(visit("manager").get(f"/connections/{connection.id}/test/{delivery.id}"))
