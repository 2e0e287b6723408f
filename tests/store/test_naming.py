"""What people name: workspaces, sources and connections, and the keys that belong to them."""

import re
from datetime import timedelta

import pytest

from sandbox.klaviyo import GOOD_KEY
from tests.building import NOON, House
from vrio_klaviyo.errors import InvalidInput, NotFound
from vrio_klaviyo.store.connections import find_connection, switch
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.sources import (
    add_source,
    change_source,
    find_source,
    rotate_key,
    source_of_key,
    webhook_path,
)
from vrio_klaviyo.store.workspaces import add_workspace, find_workspace


@pytest.mark.parametrize("name", ["Vrio", "VRIO", " vrio ", "v\u0072io"])
def test_a_source_may_not_be_called_like_another_one(house: House, name: str) -> None:
    with pytest.raises(InvalidInput, match="another source is called"):
        house.add_source(name)


@pytest.mark.parametrize("name", ["Straße", "STRASSE", "strasse"])
def test_a_connection_may_not_be_called_like_another_one(house: House, name: str) -> None:
    house.connect("Strasse")
    with pytest.raises(InvalidInput, match="another connection is called"):
        house.connect(name)


def test_a_workspace_may_not_be_called_like_another_one(database: Database) -> None:
    with database.write() as session:
        add_workspace(session, "Acme")
    with pytest.raises(InvalidInput, match="another workspace is called"), database.write() as session:
        add_workspace(session, " Acme ")


def test_another_workspace_may_use_the_same_names(house: House) -> None:
    with house.db.write() as session:
        other = add_workspace(session, "Other")
        session.flush()
        second = add_source(session, house.vault, other, "Vrio")
        session.flush()
        assert find_source(session, "vrio", other.id).id == second.id
        assert find_source(session, "vrio", house.source.workspace_id).id == house.source.id
        with pytest.raises(InvalidInput, match="several workspaces have a source called vrio"):
            find_source(session, "vrio")


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_a_name_has_1_to_80_characters(house: House, name: str) -> None:
    with pytest.raises(InvalidInput, match="must have 1 to 80 characters"):
        house.add_source(name)
    with pytest.raises(InvalidInput, match="must have 1 to 80 characters"):
        house.connect(name)


def test_names_and_ids_find_the_same(house: House) -> None:
    connection = house.connect("Klaviyo Production")
    with house.db.read() as session:
        for asked in ("klaviyo production", " Klaviyo PRODUCTION ", connection.id):
            assert find_connection(session, asked).id == connection.id
        for asked in ("VRIO", house.source.id):
            assert find_source(session, asked).id == house.source.id
        with pytest.raises(NotFound, match="no connection is called Elsewhere"):
            find_connection(session, "Elsewhere")
        with pytest.raises(NotFound, match="no source is called Elsewhere"):
            find_source(session, "Elsewhere")
        with pytest.raises(NotFound, match="no workspace is called Elsewhere"):
            find_workspace(session, "Elsewhere")


def test_an_id_finds_its_own_row_even_if_another_one_is_called_like_it(house: House) -> None:
    connection = house.connect()
    house.add_source(house.source.id)
    house.connect(connection.id)
    with house.db.read() as session:
        assert find_source(session, house.source.id).id == house.source.id
        assert find_connection(session, connection.id).id == connection.id


@pytest.mark.requirement("003-A")
def test_a_source_is_found_by_its_key_and_keeps_it_sealed(house: House) -> None:
    key = webhook_path(house.source, house.vault).removeprefix("/webhooks/vrio/")
    with house.db.read() as session:
        assert source_of_key(session, key, NOON) == house.source.id
        assert source_of_key(session, key.swapcase(), NOON) is None
        assert source_of_key(session, "", NOON) is None

    assert re.fullmatch(r"[\w-]{43}", key)
    assert key.encode() not in house.source.key_sealed
    assert key not in house.source.key_hash


@pytest.mark.requirement("003-A")
def test_a_key_is_good_for_a_day_after_it_was_rotated_and_no_older_one_is(house: House) -> None:
    keys = []
    for _ in range(3):
        with house.db.write() as session:
            source = find_source(session, house.source.id)
            keys.append(webhook_path(source, house.vault).removeprefix("/webhooks/vrio/"))
            rotate_key(source, house.vault, NOON)
    with house.db.read() as session:
        keys.append(webhook_path(find_source(session, house.source.id), house.vault).removeprefix("/webhooks/vrio/"))
        end = NOON + timedelta(days=1)
        by_key = {key: [source_of_key(session, key, at) for at in (end - timedelta(seconds=1), end)] for key in keys}

    ours = house.source.id
    assert len(by_key) == 4
    assert list(by_key.values()) == [[None, None], [None, None], [ours, None], [ours, ours]]


def test_a_source_may_be_called_like_itself_and_not_like_another_one(house: House) -> None:
    house.add_source("Other")
    with house.db.write() as session:
        change_source(session, house.vault, find_source(session, "vrio"), name=" VRIO ")
        assert find_source(session, "vrio").name == "VRIO"
        with pytest.raises(InvalidInput, match="another source is called OTHER"):
            change_source(session, house.vault, find_source(session, "vrio"), name="OTHER")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"time_zone": "Mars/Olympus"}, "no time zone"),
        ({"time_zone": "../../etc/passwd"}, "no time zone"),
        ({"time_zone": ""}, "no time zone"),
        ({"country": "USA"}, "no country"),
        ({"country": "1A"}, "no country"),
        ({"currency": "US"}, "no currency"),
        ({"currency": "ÄÖÜ"}, "no currency"),
    ],
)
def test_a_source_takes_no_zone_country_or_currency_that_is_none(
    house: House, options: dict[str, str], complaint: str
) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        house.add_source("Other", **options)
    with pytest.raises(InvalidInput, match=complaint), house.db.write() as session:
        change_source(session, house.vault, find_source(session, house.source.id), **options)


@pytest.mark.requirement("003-9", "003-70")
@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("AbC123", "This looks like your public API key"),
        ("", "The private API key is empty"),
        ("  \n", "The private API key is empty"),
        ("pk_with space", "copied incompletely"),
        ("pk_line\nbreak", "copied incompletely"),
        ("pk_\u200bhidden", "copied incompletely"),
        ("pk_…", "copied incompletely"),
    ],
)
def test_a_key_that_cannot_be_one_is_refused_in_a_sentence(house: House, key: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        house.connect(key=key)


def test_a_key_is_trimmed_and_kept_sealed(house: House) -> None:
    connection = house.connect(key=f" {GOOD_KEY}\n")

    assert house.vault.unseal(connection.key_sealed, connection.workspace_id, connection.id) == GOOD_KEY
    assert GOOD_KEY.encode() not in connection.key_sealed
    assert connection.key_hint == f"pk_…{GOOD_KEY[-4:]}"


@pytest.mark.requirement("003-12")
def test_the_first_activation_is_when_the_history_begins(house: House) -> None:
    connection = house.connect(active=False)
    for moment, active in ((NOON, True), (NOON + timedelta(days=1), False), (NOON + timedelta(days=2), True)):
        with house.db.write() as session:
            switch(session, find_connection(session, connection.id), active=active, now=moment)

    assert house.connection(connection).activated_at == NOON
