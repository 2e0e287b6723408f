"""The audit log: what was done in a workspace, newest first, never changed."""

import pytest

from tests.building import NOON
from vrio_klaviyo.store import audit
from vrio_klaviyo.store.audit import AuditEntry
from vrio_klaviyo.store.db import Database, Session
from vrio_klaviyo.store.journals import page_of_entries
from vrio_klaviyo.store.workspaces import add_workspace, find_workspace


def written(database: Database, *actions: str, workspace: str = "default") -> None:
    with database.write() as session:
        for number, action in enumerate(actions):
            workspace_id = find_workspace(session, workspace).id
            audit.note(session, workspace_id, action, now=NOON, subject=f"cn_{number}", number=number)


def test_what_was_done_is_told_newest_first_and_only_to_its_workspace(database: Database) -> None:
    with database.write() as session:
        add_workspace(session, "Other")
    written(database, "connection.added", "connection.paused")
    written(database, "user.added", workspace="Other")

    with database.read() as session:
        entries = page_of_entries(session, find_workspace(session).id).rows

    assert [(entry.action, entry.subject, entry.actor, entry.details) for entry in entries] == [
        ("connection.paused", "cn_1", "command line", {"number": 1}),
        ("connection.added", "cn_0", "command line", {"number": 0}),
    ]


@pytest.mark.parametrize("filters", [{"action": "connection.paused"}, {"subject": "cn_1"}])
def test_it_can_be_asked_for_one_thing(database: Database, filters: dict[str, str]) -> None:
    written(database, "connection.added", "connection.paused", "connection.activated")

    with database.read() as session:
        (entry,) = page_of_entries(session, find_workspace(session).id, **filters).rows

    assert entry.action == "connection.paused"


def test_an_entry_is_neither_changed_nor_removed(database: Database) -> None:
    written(database, "connection.added")

    def change(session: Session, entry: AuditEntry) -> None:
        entry.actor = "nobody"

    for act in (change, Session.delete):
        with database.read() as session:
            (entry,) = page_of_entries(session, find_workspace(session).id).rows
            act(session, entry)
            with pytest.raises(TypeError, match="only ever added to"):
                session.flush()
