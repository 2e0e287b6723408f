"""The form of a connection's settings saves what was changed in it, and says why when it saves nothing."""

import re

import pytest

from tests.console.pages.conftest import words
from vrio_klaviyo.store.accounts import account_of


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
