"""
Another workspace's things are not there: every address that names a thing is tried with things of somebody else.

The addresses come from the application, so that a page that is added is tried, too. It only has to call the part of its
address after the thing; a new kind of thing is made in `things` below.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from console.pages import guard
from console.site import Site
from tests.bodies import declined
from tests.building import House
from vrio_klaviyo import replaying
from vrio_klaviyo.klaviyo.requests import Known, loads, render
from vrio_klaviyo.store import attempts, deliveries, people, sessions
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import Customer
from vrio_klaviyo.store.listing import Wanted
from vrio_klaviyo.store.people import Role
from vrio_klaviyo.store.replays import Replay
from vrio_klaviyo.store.sources import Source
from vrio_klaviyo.store.tokens import ApiToken, Scope, add_token
from vrio_klaviyo.store.turns import Due
from vrio_klaviyo.store.workspaces import add_workspace, find_workspace

OTHER = "Other"
# Parts of addresses that name nothing of a workspace, with a value that there is.
EVERYBODYS = {"metric": "Placed Order", "show": "failed"}


def things(house: House, name: str, email: str) -> dict[str, str]:
    """One thing of each kind in the house, by what addresses call its id."""
    connection = house.connect(name)
    delivery = house.owe(connection)
    with house.db.write() as session:
        user = people.add_user(session, email)
        people.set_role(session, user, find_workspace(session).id, Role.VIEWER)
        sessions.sign_in(session, user, house.clock())
        (signed_in,) = sessions.sessions_of(session, user.id, house.clock())
        due = Due(delivery, connection, Known())
        sent = render(loads(delivery.request), connection.style, Known())
        token, _ = add_token(session, find_workspace(session), name, [Scope.READ], house.clock())
        (attempt_id,) = attempts.open_attempts(session, [(due, sent)], "http://127.0.0.1:9", house.clock())
    failed = house.owe(connection, 3)
    with house.db.write() as session:
        deliveries.fail(session, failed, "503", house.clock())
        replay = replaying.start(session, connection, Wanted(status=["failed"]), house.clock(), started_by=email)
    return {
        "connection_id": connection.id,
        "source_id": house.source.id,
        "customer_id": house.customers()[-1].id,
        "inbound_id": house.post(declined(2)),
        "delivery_id": delivery.id,
        "attempt_id": attempt_id,
        "replay_id": replay.id,
        "token_id": token.id,
        "user_id": user.id,
        "session_id": signed_in.id,
    }


@pytest.fixture
def theirs(house: House) -> dict[str, str]:
    """Things of another workspace: they are made here, and the whole house moves there."""
    made = things(house, "Theirs", "li@northwind.example")
    with house.db.write() as session:
        here, there = find_workspace(session).id, add_workspace(session, OTHER).id
        for model in (Source, Connection, Customer, Replay, ApiToken):
            session.execute(update(model).values(workspace_id=there))
        li = people.find_user(session, made["user_id"])
        people.set_role(session, li, there, Role.VIEWER)
        people.set_role(session, li, here, None)
    return made


@pytest.fixture
def ours(house: House, theirs: dict[str, str]) -> Iterator[dict[str, str]]:
    """The same things of the workspace `default`."""
    with_a_house = House(house.db)
    with_a_house.clock = house.clock
    yield things(with_a_house, "Ours", "mo@northwind.example")
    with_a_house.close()


def pages_of_things(app: Flask) -> list[tuple[str, str, list[str]]]:
    """Method, address and arguments of every page behind the door whose address names a thing."""
    return [
        (method, rule.rule, sorted(rule.arguments - EVERYBODYS.keys()))
        for rule in app.url_map.iter_rules()
        if rule.arguments - EVERYBODYS.keys()
        and getattr(app.view_functions[rule.endpoint], "needed_role", None) is not None
        for method in sorted(rule.methods & {"GET", "POST", "PUT", "PATCH", "DELETE"})
    ]


def address(rule: str, ids: dict[str, str]) -> str:
    """The address with these things in it."""
    for name, thing_id in (ids | EVERYBODYS).items():
        rule = rule.replace(f"<{name}>", thing_id)
    assert "<" not in rule, f"{rule}: name the part after the thing, as in <delivery_id>, and make one in `things`"
    return rule


def test_another_workspaces_things_are_not_there(
    app: Flask, visit: Any, ours: dict[str, str], theirs: dict[str, str]
) -> None:
    person = visit("operator")
    token = person.token()
    found = []
    for method, rule, arguments in pages_of_things(app):
        for owners in product((ours, theirs), repeat=len(arguments)):
            if theirs not in owners:
                continue
            path = address(
                rule, {name: owner[name] for name, owner in zip(arguments, owners, strict=True) if name in owner}
            )
            answer = person.client.open(path, method=method, data={"csrf_token": token} if method != "GET" else None)
            if answer.status_code != 404:
                found.append(f"{method} {path}: {answer.status_code}")

    assert found == []


def test_their_own_people_see_them(app: Flask, visit: Any, theirs: dict[str, str]) -> None:
    """Else the test above would find nothing whatever the pages did."""
    person = visit("operator", workspace=OTHER)

    for method, rule, _ in pages_of_things(app):
        if method == "GET":
            path = address(rule, theirs)
            assert person.client.get(path).status_code != 404, path


def test_a_member_of_both_sees_the_one_that_is_looked_at(
    visit: Any, site: Site, ours: dict[str, str], theirs: dict[str, str]
) -> None:
    person = visit("operator")
    visit("operator", workspace=OTHER)
    with site.db.read() as session:
        other = find_workspace(session, OTHER).id

    person.post("/workspace", workspace=other)
    assert "li@northwind.example" in person.get("/users")
    assert "mo@northwind.example" not in person.get("/users")
    person.post("/workspace", 404, workspace="ws_0")


def test_nobody_looks_at_a_workspace_that_is_not_theirs(visit: Any, theirs: dict[str, str], site: Site) -> None:
    with site.db.read() as session:
        other = find_workspace(session, OTHER).id

    visit("operator").post("/workspace", 404, workspace=other)


def test_every_page_says_who_may_see_it(app: Flask) -> None:
    unsaid = {endpoint for endpoint, view in app.view_functions.items() if not guard.is_page(view)}

    assert unsaid == {"frame.static"}
