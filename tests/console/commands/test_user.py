"""`flask user …`: the first person gets in by a link, and nobody by an accident."""

from datetime import UTC, datetime

import pytest
from click.testing import Result

from vrio_klaviyo.store import sessions
from vrio_klaviyo.store.journals import page_of_entries
from vrio_klaviyo.store.workspaces import find_workspace

MIA = "mia@northwind.example"


@pytest.fixture
def add(flask):
    def add(email=MIA, role="operator", *more):
        return flask.told("user", "add", email, "--role", role, *more)

    return add


def whom(database, link):
    with database.read() as session:
        user = sessions.user_of_link(session, link.partition("?")[0].rpartition("/")[2], datetime.now(UTC))
        return user and user.email


def test_a_user_gets_a_link_that_lets_them_in(add, database):
    told = add(" Mia@Northwind.example", "support", "--name", "Mia")

    assert (told["email"], told["name"], told["roles"]) == (MIA, "Mia", {"default": "support"})
    assert told["link"].startswith("http://localhost:8080/link/")
    assert whom(database, told["link"]) == MIA


def test_the_link_is_where_people_reach_the_console(add, monkeypatch):
    monkeypatch.setenv("BASE_URL", "https://console.example.com/")

    assert add()["link"].startswith("https://console.example.com/link/")


def test_a_user_who_is_added_again_gets_the_new_role_and_a_new_link(add, flask, database):
    first = add()
    add("li@northwind.example")
    again = add(MIA, "viewer")
    flask.told("workspace", "add", "Other")
    other = add(MIA, "manager", "--workspace", "Other")

    assert first["id"] == again["id"] == other["id"]
    assert other["roles"] == {"Other": "manager", "default": "viewer"}
    assert whom(database, first["link"]) is None
    assert whom(database, other["link"]) == MIA


def test_users_are_listed_without_links(add, flask):
    add()
    add("li@northwind.example", "viewer")
    flask.told("workspace", "add", "Other")

    listed = flask.listed("user", "list")
    assert [(user["email"], user["roles"]) for user in listed] == [
        ("li@northwind.example", {"default": "viewer"}),
        (MIA, {"default": "operator"}),
    ]
    assert not any("link" in user for user in listed)
    assert flask.listed("user", "list", "--workspace", "Other") == []


def test_a_link_may_lead_somewhere(add, flask, database):
    add()
    told = flask.told("user", "link", MIA, "--next", "/customers/cu_1?tab=webhooks&x=é")

    assert told["link"].endswith("?next=/customers/cu_1%3Ftab%3Dwebhooks%26x%3D%C3%A9")
    assert whom(database, told["link"]) == MIA


def test_who_is_disabled_has_no_way_in(add, flask, database):
    add("li@northwind.example")
    link = add()["link"]

    told = flask.told("user", "disable", MIA)

    assert told["disabled_at"]
    assert whom(database, link) is None
    result: Result = flask.invoke("user", "link", MIA)
    assert (result.exit_code, "is disabled" in result.stderr) == (2, True)


def test_adding_who_is_disabled_does_not_let_them_in(add, flask):
    add("li@northwind.example")
    add()
    flask.told("user", "disable", MIA)

    result = flask.invoke("user", "add", MIA, "--role", "viewer")

    assert (result.exit_code, "is disabled" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("args", "exit_code", "sentence"),
    [
        (("add", "mia"), 2, "Error: mia is no e-mail address\n"),
        (("add", MIA, "--role", "owner"), 2, "'owner' is not one of 'viewer', 'support', 'manager', 'operator'"),
        (("add", MIA, "--workspace", "Nope"), 3, "Error: no workspace is called Nope\n"),
        (("link", MIA), 3, f"Error: no user has the e-mail or id {MIA}\n"),
        (("disable", MIA), 3, f"Error: no user has the e-mail or id {MIA}\n"),
    ],
)
def test_what_cannot_be_done_ends_in_words(flask, args, exit_code, sentence):
    result = flask.invoke("user", *args)

    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert sentence in result.stderr


def test_the_last_operator_stays(add, flask):
    add()

    for args in (("disable", MIA), ("add", MIA, "--role", "viewer")):
        result = flask.invoke("user", *args)
        assert (result.exit_code, "last operator" in result.stderr) == (2, True)


def test_what_the_command_line_does_is_written_down_without_the_link(add, flask, database):
    link = add()["link"]
    add(MIA)
    flask.told("user", "link", MIA)

    with database.read() as session:
        entries = page_of_entries(session, find_workspace(session).id).rows
    assert [(entry.action, entry.actor) for entry in entries] == [
        ("user.link_made", "command line"),
        ("user.added", "command line"),
        ("user.added", "command line"),
    ]
    assert entries[1].details == {"email": MIA, "before": "operator", "role": "operator"}
    assert link.rpartition("/")[2] not in str([entry.details for entry in entries])
