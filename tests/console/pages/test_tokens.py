"""API tokens: an operator makes them, sees their text once, and takes them away."""

import re

import pytest

from tests.console.pages.conftest import words
from vrio_klaviyo.store.journals import page_of_entries
from vrio_klaviyo.store.tokens import list_tokens, token_of_text


def tokens(house):
    with house.db.read() as session:
        return list_tokens(session, house.source.workspace_id)


def test_a_token_is_shown_once_and_works(visit, house):
    operator = visit("operator")
    made = operator.post("/tokens", 200, name="Helpdesk", scopes=["read", "resend"])
    text = re.search(r"vkt_[\w-]{40,}", made.text)[0]
    with house.db.read() as session:
        assert token_of_text(session, text).name == "Helpdesk"
        (entry,) = page_of_entries(session, house.source.workspace_id, action="token.added").rows
    assert text not in str(entry.details)
    page = operator.get("/tokens")
    assert text not in page
    assert f"Helpdesk …{text[-4:]} read resend ✓ Active" in words(page)
    assert "never" in words(page)
    assert [token.user_id for token in tokens(house)] == [operator.user.id]


def test_a_revoked_token_is_none_any_more(visit, house):
    operator = visit("operator")
    text = re.search(r"vkt_[\w-]{40,}", operator.post("/tokens", 200, name="Helpdesk", scopes="read").text)[0]
    (token,) = tokens(house)
    assert "Revoke Helpdesk?" in words(operator.get(f"/tokens/{token.id}/revoke"))
    operator.post(f"/tokens/{token.id}/revoke")

    with house.db.read() as session:
        assert token_of_text(session, text) is None
    assert "– Revoked" in words(operator.get("/tokens"))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": "", "scopes": "read"}, "Give it a name"),
        ({"name": "x" * 81, "scopes": "read"}, "at most 80"),
        ({"name": "Helpdesk"}, "Choose at least one"),
        ({"name": "Helpdesk", "scopes": "everything"}, "Choose from these"),
    ],
)
def test_what_cannot_be_made_says_why(visit, house, typed, said):
    assert said in words(visit("operator").post("/tokens", 422, **typed).text)
    assert tokens(house) == []


def test_tokens_are_for_operators(visit, house):
    manager = visit("manager")
    manager.get("/tokens", 403)
    manager.post("/tokens", 403, name="Helpdesk", scopes="read")
    assert "API tokens" not in words(manager.get("/keyboard"))
    assert 'href="/tokens"' in visit("operator").get("/keyboard")


def test_a_hostile_name_is_shown_as_text(visit, house):
    operator = visit("operator")
    operator.post("/tokens", 200, name="<script>alert(1)</script>", scopes="read")

    assert "<script>alert" not in operator.get("/tokens")
