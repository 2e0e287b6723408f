"""The migrations: they make what the models say, once, and the workspace that everybody means who names none."""

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, select

from vrio_klaviyo.store import tables
from vrio_klaviyo.store.db import Database, head, upgrade
from vrio_klaviyo.store.workspaces import DEFAULT, Workspace, find_workspace


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    database = Database(empty_database_url)
    yield database
    database.close()


def test_migrations_make_what_the_models_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, tables.metadata) == []


def test_partial_indexes_are_partial_in_the_database_too(database: Database) -> None:
    partial = {
        index.name
        for table in tables.metadata.tables.values()
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }
    inspector, dialect = inspect(database.engine), database.engine.dialect.name
    made = {
        index["name"]
        for name in tables.metadata.tables
        for index in inspector.get_indexes(name)
        if index.get("dialect_options", {}).get(f"{dialect}_where") is not None
    }

    assert made == partial


def test_an_upgrade_brings_an_empty_database_to_the_newest_migration(empty: Database, empty_database_url: str) -> None:
    upgrade(empty_database_url)

    assert empty.revision() == head()


def test_an_upgrade_makes_the_default_workspace(database: Database) -> None:
    with database.read() as session:
        workspaces = session.scalars(select(Workspace)).all()
        assert find_workspace(session).id == workspaces[0].id

    assert [workspace.name for workspace in workspaces] == [DEFAULT]


def test_a_second_upgrade_changes_nothing(database: Database, database_url: str) -> None:
    with database.read() as session:
        before = find_workspace(session).id
    upgrade(database_url)
    with database.read() as session:
        assert [workspace.id for workspace in session.scalars(select(Workspace))] == [before]

    assert database.revision() == head()
