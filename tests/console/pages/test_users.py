"""Users: let in, given a role, sent a link, locked out; and no way from one workspace into another."""

import re

import pytest

from tests.console.pages.conftest import Person, words
from vrio_klaviyo.store import people, sessions
from vrio_klaviyo.store.journals import page_of_entries
from vrio_klaviyo.store.people import Role
from vrio_klaviyo.store.workspaces import add_workspace, find_workspace


def link_in(page):
    return re.search(r"http://localhost:8080(/link/[\w-]+)", page)[1]


def id_of(site, email):
    with site.db.read() as session:
        return people.find_user(session, email).id


@pytest.fixture
def elsewhere(site):
    """Li works in another workspace, too."""
    with site.db.write() as session:
        li = people.add_user(session, "li@northwind.example")
        for workspace in (find_workspace(session), add_workspace(session, "Other")):
            people.set_role(session, li, workspace.id, Role.OPERATOR)
    return li


def test_who_is_added_gets_a_link_that_lets_them_in(visit, app, site):
    page = visit("operator").post("/users", 200, email="Li@northwind.example", name="Li", role="support").text

    person = Person(app.test_client())
    person.post(link_in(page))
    assert "Support in default" in words(person.get("/profile"))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"email": "li", "role": "viewer"}, "Email: li is no e-mail address."),
        ({"email": "operator@northwind.example", "role": "viewer"}, "operator@northwind.example is a member already."),
        ({"email": "li@northwind.example", "role": "owner"}, "Role: Choose a role."),
        ({"email": "li@northwind.example"}, "Role: Missing data for required field."),
    ],
)
def test_what_cannot_be_added_is_said_beside_its_field_and_kept(visit, fields, sentence):
    page = visit("operator").post("/users", 422, **fields).text

    assert sentence in words(page)
    assert f'value="{fields["email"]}"' in page


def test_a_role_can_be_changed_and_taken(visit, site):
    operator, li = visit("operator"), visit("viewer", email="li@northwind.example")

    operator.post(f"/users/{li.user.id}/role", role="manager")
    assert "Manager in default" in words(li.get("/profile"))
    operator.post(f"/users/{li.user.id}/remove")
    assert li.client.get("/profile").status_code == 303
    operator.get(f"/users/{li.user.id}", 404)
    operator.post(f"/users/{li.user.id}/role", 404, role="manager")


def test_the_last_operator_cannot_leave(visit):
    operator = visit("operator")

    for act, fields in (("role", {"role": "viewer"}), ("remove", {}), ("disable", {})):
        answer = operator.post(f"/users/{operator.user.id}/{act}", 400, **fields)
        assert "last operator" in words(answer.text)
    operator.get("/users")


def test_who_is_disabled_is_out_until_enabled(visit, app):
    operator, li = visit("operator"), visit("viewer", email="li@northwind.example")
    old = link_in(operator.post(f"/users/{li.user.id}/link", 200).text)

    operator.post(f"/users/{li.user.id}/disable")
    assert li.client.get("/profile").status_code == 303
    visit(None).get(old, 404)
    operator.post(f"/users/{li.user.id}/link", 400)

    operator.post(f"/users/{li.user.id}/enable")
    Person(app.test_client()).post(link_in(operator.post(f"/users/{li.user.id}/link", 200).text))


def test_who_is_disabled_cannot_be_added(visit, site):
    with site.db.write() as session:
        people.add_user(session, "li@northwind.example").disabled_at = site.now()

    page = visit("operator").post("/users", 422, email="li@northwind.example", role="viewer").text

    assert "li@northwind.example is disabled." in words(page)


def test_no_link_leads_into_a_workspace_that_one_does_not_operate(visit, site, elsewhere):
    """Whoever has a link is that user, in all of that user's workspaces."""
    operator = visit("operator")

    for act in ("link", "disable", "enable"):
        answer = operator.post(f"/users/{elsewhere.id}/{act}", 400)
        assert "you do not operate" in words(answer.text)
    assert "Make a sign-in link" not in operator.get(f"/users/{elsewhere.id}")
    operator.post(f"/users/{elsewhere.id}/remove")
    # Nor does adding them again make one.
    assert "/link/" not in operator.post("/users", email="li@northwind.example", role="viewer").text
    with site.db.read() as session:
        assert people.roles_of(session, elsewhere.id)[find_workspace(session, "Other").id] is Role.OPERATOR


def test_what_is_done_to_users_is_written_down_without_the_link(visit, site):
    operator, li = visit("operator"), visit("viewer", email="li@northwind.example")
    operator.post("/users", 200, email="mo@northwind.example", role="support")
    operator.post(f"/users/{li.user.id}/role", role="manager")
    token = link_in(operator.post(f"/users/{li.user.id}/link", 200).text).rpartition("/")[2]
    operator.post(f"/users/{li.user.id}/disable")

    with site.db.read() as session:
        entries = page_of_entries(session, find_workspace(session).id).rows
        assert sessions.user_of_link(session, token, site.now()) is None
    assert [(entry.action, entry.subject, entry.actor) for entry in entries][::-1] == [
        ("user.added", id_of(site, "mo@northwind.example"), "operator@northwind.example"),
        ("user.role_changed", li.user.id, "operator@northwind.example"),
        ("user.link_made", li.user.id, "operator@northwind.example"),
        ("user.disabled", li.user.id, "operator@northwind.example"),
    ]
    assert entries[2].details == {"before": "viewer", "after": "manager"}
    assert not any(token in str(entry.details) for entry in entries)
