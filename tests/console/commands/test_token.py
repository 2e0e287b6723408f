"""`flask token …` and `flask openapi`."""

import json
from pathlib import Path

from vrio_klaviyo.store.tokens import token_of_text

PAGE = Path(__file__).parents[3] / "docs" / "api.md"


def test_a_token_is_made_listed_and_revoked(flask, database):
    made = flask.told("token", "add", "Reports", "--scope", "read", "--scope", "read:pii")
    with database.read() as session:
        assert token_of_text(session, made["token"]).id == made["id"]

    (listed,) = flask.listed("token", "list")
    assert listed == {name: value for name, value in made.items() if name != "token"}
    assert (listed["scopes"], listed["hint"]) == (["read", "read:pii"], made["token"][-4:])
    assert flask.told("token", "revoke", made["id"])["revoked_at"]
    with database.read() as session:
        assert token_of_text(session, made["token"]) is None


def test_a_token_is_made_for_one_workspace(flask):
    flask.told("workspace", "add", "Second")
    flask.told("token", "add", "Reports", "--scope", "read", "--workspace", "Second")

    assert flask.listed("token", "list") == []
    assert len(flask.listed("token", "list", "--workspace", "Second")) == 1


def test_what_is_no_token_scope_or_name_is_refused(flask):
    assert flask.invoke("token", "revoke", "tk_none").exit_code == 3
    assert flask.invoke("token", "add", "Reports", "--scope", "everything").exit_code == 2
    assert flask.invoke("token", "add", "Reports").exit_code == 2
    assert flask.invoke("token", "add", " ", "--scope", "read").exit_code == 2


def test_the_document_is_printed_without_any_settings(invoke):
    told = json.loads(invoke("openapi").stdout)

    assert told["openapi"] == "3.1.0"
    assert "/deliveries/{delivery_id}/resend" in told["paths"]


def test_the_page_of_the_api_is_not_stale(invoke):
    """`flask openapi --markdown > docs/api.md` makes it anew."""
    assert PAGE.read_text() == invoke("openapi", "--markdown").stdout
