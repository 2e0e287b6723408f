"""API tokens, and the answers that are kept for idempotency keys."""

from datetime import timedelta

import pytest

from tests.building import NOON
from vrio_klaviyo.errors import InvalidInput, NotFound
from vrio_klaviyo.store import tokens
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.tokens import Answered, Different, Fresh, Running, Scope, add_token, begin_request
from vrio_klaviyo.store.workspaces import add_workspace, find_workspace

DONE = Answered(201, {"ETag": '"x"'}, b"{}")


def made(database: Database) -> tuple[str, str]:
    """A token's id and its text."""
    with database.write() as session:
        token, text = add_token(session, find_workspace(session), "Reports", ["read"], NOON)
    return token.id, text


def begun(database: Database, token_id: str, key: str = "one", request: str = "r", after: timedelta = timedelta()):
    with database.write() as session:
        return begin_request(session, token_id, key, request, NOON + after)


def test_a_token_is_found_by_its_text_until_it_is_revoked(database: Database) -> None:
    token_id, text = made(database)
    with database.write() as session:
        found = tokens.token_of_text(session, text)
        assert found is not None
        assert (found.id, found.may(Scope.READ), found.may(Scope.MANAGE)) == (token_id, True, False)
        tokens.revoke_token(session, token_id, NOON)
        assert tokens.token_of_text(session, text) is None
        assert tokens.token_of_text(session, text[:-1]) is None


@pytest.mark.parametrize(("name", "scopes"), [("", ["read"]), ("Reports", []), ("Reports", ["write"])])
def test_a_token_needs_a_name_and_scopes_that_there_are(database: Database, name: str, scopes: list[str]) -> None:
    with database.write() as session, pytest.raises(InvalidInput):
        add_token(session, find_workspace(session), name, scopes, NOON)


def test_a_token_of_another_workspace_cannot_be_revoked(database: Database) -> None:
    token_id, _ = made(database)
    with database.write() as session:
        other = add_workspace(session, "Another").id
        with pytest.raises(NotFound):
            tokens.revoke_token(session, token_id, NOON, other)


def test_a_key_is_first_fresh_then_running_then_answered(database: Database) -> None:
    token_id, _ = made(database)

    assert begun(database, token_id) == Fresh()
    assert begun(database, token_id) == Running()
    with database.write() as session:
        tokens.keep_answer(session, token_id, "one", DONE)
    assert begun(database, token_id) == DONE
    assert begun(database, token_id, request="another") == Different()
    assert begun(database, token_id, key="two", request="another") == Fresh()


def test_a_key_belongs_to_one_token(database: Database) -> None:
    first, second = made(database)[0], made(database)[0]

    assert begun(database, first) == begun(database, second) == Fresh()


def test_what_was_killed_may_begin_again(database: Database) -> None:
    token_id, _ = made(database)
    begun(database, token_id)

    assert begun(database, token_id, after=timedelta(minutes=1)) == Running()
    assert begun(database, token_id, after=timedelta(minutes=3)) == Fresh()


def test_an_answer_is_kept_for_a_day(database: Database) -> None:
    token_id, _ = made(database)
    begun(database, token_id)
    with database.write() as session:
        tokens.keep_answer(session, token_id, "one", DONE)

    assert begun(database, token_id, after=timedelta(hours=23)) == DONE
    assert begun(database, token_id, after=timedelta(hours=25)) == Fresh()


def test_a_key_whose_request_came_to_nothing_is_free(database: Database) -> None:
    token_id, _ = made(database)
    begun(database, token_id)
    with database.write() as session:
        tokens.forget_request(session, token_id, "one")

    assert begun(database, token_id) == Fresh()
