"""Catalogues: one for each source, the last that was imported."""

from datetime import timedelta

from tests.building import NOON, House
from vrio_klaviyo.store.catalog import keep_catalog, kept_catalog
from vrio_klaviyo.store.db import Database


def test_a_source_has_the_catalogue_that_was_imported_last(database: Database) -> None:
    house = House(database)
    other = house.add_source("Other")
    for minutes, source, body in ((0, house.source, b"first"), (1, other, b"theirs"), (2, house.source, b"\x00second")):
        with database.write() as session:
            keep_catalog(session, source.id, body, NOON + timedelta(minutes=minutes))

    with database.read() as session:
        assert kept_catalog(session, house.source.id) == b"\x00second"
        assert kept_catalog(session, other.id) == b"theirs"
        assert kept_catalog(session, "so_nobody") is None
