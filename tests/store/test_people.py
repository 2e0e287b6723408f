"""People: one user for an e-mail, a role in each workspace, and always somebody who can let others in."""

import pytest

from tests.building import NOON
from vrio_klaviyo.errors import InvalidInput, NotFound
from vrio_klaviyo.store import people
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.people import Role, User
from vrio_klaviyo.store.workspaces import add_workspace, find_workspace


def employ(database: Database, email: str, role: Role, workspace: str = "default") -> User:
    with database.write() as session:
        user = people.add_user(session, email)
        people.set_role(session, user, find_workspace(session, workspace).id, role)
    return user


def test_an_email_is_one_user_however_it_is_written(database: Database) -> None:
    with database.write() as session:
        first = people.add_user(session, "Mia@Northwind.example ")
        again = people.add_user(session, "mia@northwind.EXAMPLE")

    assert first.id == again.id
    assert first.email == "mia@northwind.example"


@pytest.mark.parametrize("email", ["", "mia", "@northwind.example", "mia@", "mia @northwind.example", "m\n@x.example"])
def test_what_is_no_email_is_refused(database: Database, email: str) -> None:
    with pytest.raises(InvalidInput), database.write() as session:
        people.add_user(session, email)


@pytest.mark.parametrize("role", Role)
def test_each_role_may_what_the_ones_before_it_may(role: Role) -> None:
    order = [Role.VIEWER, Role.SUPPORT, Role.MANAGER, Role.OPERATOR]

    assert [needed for needed in order if role.may(needed)] == order[: order.index(role) + 1]


def test_a_role_is_of_one_workspace(database: Database) -> None:
    with database.write() as session:
        add_workspace(session, "Other")
    mia = employ(database, "mia@northwind.example", Role.OPERATOR)
    employ(database, "mia@northwind.example", Role.VIEWER, "Other")

    with database.read() as session:
        default, other = find_workspace(session).id, find_workspace(session, "Other").id
        assert people.roles_of(session, mia.id) == {default: Role.OPERATOR, other: Role.VIEWER}
        assert [workspace.name for workspace in people.workspaces_of(session, mia.id)] == ["Other", "default"]
        assert [(member.user.email, member.role) for member in people.members(session, other)] == [
            ("mia@northwind.example", Role.VIEWER)
        ]


def test_who_is_of_another_workspace_is_not_found(database: Database) -> None:
    with database.write() as session:
        add_workspace(session, "Other")
    mia = employ(database, "mia@northwind.example", Role.OPERATOR, "Other")

    with database.read() as session, pytest.raises(NotFound):
        people.find_member(session, find_workspace(session).id, mia.id)


@pytest.mark.parametrize("role", [Role.MANAGER, None])
def test_a_workspace_keeps_its_last_operator(database: Database, role: Role | None) -> None:
    mia = employ(database, "mia@northwind.example", Role.OPERATOR)
    gone = employ(database, "gone@northwind.example", Role.OPERATOR)
    with database.write() as session:
        people.disable(session, people.find_user(session, gone.id), NOON)

    with pytest.raises(InvalidInput, match="last operator"), database.write() as session:
        people.set_role(session, people.find_user(session, mia.id), find_workspace(session).id, role)
    with pytest.raises(InvalidInput, match="last operator"), database.write() as session:
        people.disable(session, people.find_user(session, mia.id), NOON)


def test_with_another_operator_one_may_go(database: Database) -> None:
    mia = employ(database, "mia@northwind.example", Role.OPERATOR)
    employ(database, "li@northwind.example", Role.OPERATOR)
    with database.write() as session:
        people.set_role(session, people.find_user(session, mia.id), find_workspace(session).id, None)

    with database.read() as session:
        assert people.roles_of(session, mia.id) == {}


def test_who_is_disabled_is_not_known_at_the_door(database: Database) -> None:
    employ(database, "li@northwind.example", Role.OPERATOR)
    mia = employ(database, "mia@northwind.example", Role.VIEWER)
    with database.write() as session:
        assert people.known(session, " MIA@northwind.example")
        people.disable(session, people.find_user(session, mia.id), NOON)

    with database.read() as session:
        assert people.known(session, "mia@northwind.example") is None
        assert people.find_user(session, "mia@northwind.example").id == mia.id
