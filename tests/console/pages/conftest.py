"""Pages as a browser asks for them: a person who is signed in, a workspace with things in it, another one beside it."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from console import pages
from console.site import Site
from vrio_klaviyo.store import people, sessions
from vrio_klaviyo.store.people import Role, User
from vrio_klaviyo.store.workspaces import DEFAULT, find_workspace


@pytest.fixture
def app(site: Site) -> Flask:
    """The pages, and nothing else of the product."""
    return app_of(site)


def app_of(site: Site) -> Flask:
    """The pages over these tools."""
    app = Flask("vrio_klaviyo", static_folder=None)
    app.secret_key = site.settings.secret_key
    app.testing = True
    pages.register(app, site)
    return app


class Person:
    """Somebody at a browser without JavaScript."""

    def __init__(self, client: FlaskClient, user: User | None = None) -> None:
        self.client = client
        self.user = user

    def get(self, path: str, status: int = 200, **query: str) -> str:
        """The page at this address."""
        answer = self.client.get(path, query_string=query or None)
        assert answer.status_code == status, f"{path}: {answer.status_code}"
        return answer.text

    def post(self, path: str, status: int = 303, **fields: Any) -> TestResponse:
        """Send a form, with the token that a page of ours gave."""
        answer = self.client.post(path, data={"csrf_token": self.token(), **fields})
        assert answer.status_code == status, f"{path}: {answer.status_code} {words(answer.text)}"
        return answer

    def token(self) -> str:
        """What each form carries."""
        shown = self.client.get("/keyboard")
        if shown.status_code != 200:
            shown = self.client.get("/sign-in")
        found = re.search(r'name="csrf_token" value="([^"]+)"', shown.text)
        assert found
        return found[1]


@pytest.fixture
def visit(app: Flask, site: Site) -> Callable[..., Person]:
    """Somebody with this role in a workspace, signed in; nobody when there is no role."""

    def visit(role: str | None = "operator", workspace: str = DEFAULT, email: str | None = None) -> Person:
        client = app.test_client()
        if role is None:
            return Person(client)
        with site.db.write() as session:
            user = people.add_user(session, email or f"{role}@northwind.example")
            people.set_role(session, user, find_workspace(session, workspace).id, Role(role))
            token = sessions.sign_in(session, user, site.now())
        client.set_cookie("console", token)
        return Person(client, user)

    return visit


def words(page: str) -> str:
    """What a page says, without its markup."""
    body = re.sub(r"(?s)<(script|style|head)\b.*?</\1>|<!--.*?-->", " ", page)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
