"""Sessions and links: how long each lets somebody in, and that the database could not let anybody in by itself."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.building import NOON
from vrio_klaviyo.errors import NotFound
from vrio_klaviyo.store import people, sessions
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.people import Role, User
from vrio_klaviyo.store.sessions import SignedIn, SignInLink
from vrio_klaviyo.store.workspaces import find_workspace


@pytest.fixture
def mia(database: Database) -> User:
    with database.write() as session:
        user = people.add_user(session, "mia@northwind.example")
        people.set_role(session, user, find_workspace(session).id, Role.SUPPORT)
    return user


def sign_in(database: Database, user: User, *, kept: bool = False) -> str:
    with database.write() as session:
        return sessions.sign_in(session, people.find_user(session, user.id), NOON, kept=kept, agent="Firefox")


def lives(database: Database, token: str, **later: float) -> bool:
    with database.read() as session:
        return sessions.present(session, token, NOON + timedelta(**later)) is not None


@pytest.mark.parametrize(
    ("kept", "later", "alive"),
    [
        (False, {"hours": 11, "minutes": 59}, True),
        (False, {"hours": 12}, False),
        (True, {"hours": 12}, True),
        (True, {"days": 29, "hours": 23}, True),
        (True, {"days": 30}, False),
    ],
)
def test_a_session_ends_after_12_idle_hours_a_kept_one_after_30_days(
    database: Database, mia: User, kept: bool, later: dict[str, float], alive: bool
) -> None:
    assert lives(database, sign_in(database, mia, kept=kept), **later) is alive


def test_a_session_that_is_used_goes_on_but_not_for_ever(database: Database, mia: User) -> None:
    token = sign_in(database, mia)
    for half_days in range(1, 62):
        now = NOON + timedelta(hours=11.9 * half_days)
        with database.write() as session:
            found = sessions.present(session, token, now)
            if found is None:
                break
            sessions.touch(session, found.session, now)

    assert timedelta(hours=11.9 * half_days) >= timedelta(days=30)


def test_a_session_knows_who_and_what_they_may(database: Database, mia: User) -> None:
    token = sign_in(database, mia)

    with database.read() as session:
        found = sessions.present(session, token, NOON)
        assert found
        assert (found.user.id, found.session.agent) == (mia.id, "Firefox")
        assert found.roles == {found.session.workspace_id: Role.SUPPORT}
        assert sessions.present(session, token + "x", NOON) is None
        assert sessions.present(session, "", NOON) is None


def test_no_token_stands_in_the_database(database: Database, mia: User) -> None:
    token = sign_in(database, mia)
    with database.write() as session:
        link = sessions.new_link(session, people.find_user(session, mia.id), NOON)

    with database.read() as session:
        rows = [*session.execute(select(SignedIn.__table__)), *session.execute(select(SignInLink.__table__))]
        assert len(rows) == 2
        assert not any(secret in str(row) for row in rows for secret in (token, link))


def test_signing_out_everywhere_may_leave_one_browser(database: Database, mia: User) -> None:
    tokens = [sign_in(database, mia) for _ in range(3)]
    with database.write() as session:
        here = sessions.present(session, tokens[0], NOON)
        assert here
        assert sessions.sign_out_everywhere(session, mia.id, but=here.session.id) == 2

    assert [lives(database, token) for token in tokens] == [True, False, False]


def test_who_is_disabled_is_out_at_once(database: Database, mia: User) -> None:
    token = sign_in(database, mia)
    with database.write() as session:
        people.disable(session, people.find_user(session, mia.id), NOON)

    assert not lives(database, token)


def test_a_session_of_somebody_else_is_not_found(database: Database, mia: User) -> None:
    sign_in(database, mia)
    with database.write() as session:
        (one,) = sessions.sessions_of(session, mia.id, NOON)
        li = people.add_user(session, "li@northwind.example")
        with pytest.raises(NotFound):
            sessions.find_session(session, li.id, one.id)


def test_sessions_that_ended_are_forgotten_at_the_next_sign_in(database: Database, mia: User) -> None:
    sign_in(database, mia)
    sign_in(database, mia, kept=True)
    later = NOON + timedelta(hours=12)
    with database.write() as session:
        sessions.sign_in(session, people.find_user(session, mia.id), later)
        assert len(session.scalars(select(SignedIn)).all()) == 2


def test_a_link_works_once_and_for_a_day(database: Database, mia: User) -> None:
    with database.write() as session:
        user = people.find_user(session, mia.id)
        link = sessions.new_link(session, user, NOON)
        assert sessions.user_of_link(session, link, NOON + timedelta(hours=24)) is None
        assert sessions.user_of_link(session, link, NOON + timedelta(hours=23)) is user
        assert sessions.use_link(session, link, NOON) is user
        assert sessions.use_link(session, link, NOON) is None


def test_a_new_link_ends_the_one_before(database: Database, mia: User) -> None:
    with database.write() as session:
        user = people.find_user(session, mia.id)
        first, second = (sessions.new_link(session, user, NOON) for _ in range(2))
        assert sessions.user_of_link(session, first, NOON) is None
        assert sessions.user_of_link(session, second, NOON) is user
        sessions.forget_links(session, mia.id)
        assert sessions.user_of_link(session, second, NOON) is None
