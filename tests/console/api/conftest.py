"""The API as a program calls it: a token of a workspace with things in it, and another workspace beside it."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from console import api, pages
from console.site import Site
from vrio_klaviyo.store.tokens import Scope, add_token
from vrio_klaviyo.store.workspaces import DEFAULT, add_workspace, find_workspace

ALL = tuple(Scope)


@pytest.fixture
def app(site: Site) -> Flask:
    """The API, and the pages that it stands beside."""
    app = Flask("vrio_klaviyo", static_folder=None)
    app.secret_key = site.settings.secret_key
    pages.register(app, site)
    api.register(app, site)
    return app


class Program:
    """Somebody's program, with a token."""

    def __init__(self, client: FlaskClient, token: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Whatever is answered."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(f"/api/v1{path}", method=method, json=body, headers={**self.headers, **named})

    def get(self, path: str, **query: str) -> Any:
        """The document at this address."""
        answer = self.client.get(f"/api/v1{path}", query_string=query or None, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def post(self, path: str, body: Any = None, status: int = 200, key: str | None = None, **headers: str) -> Any:
        """What doing something answers; with a new idempotency key unless one is given."""
        answer = self.call(
            "POST", path, {} if body is None else body, Idempotency_Key=key or str(uuid.uuid4()), **headers
        )
        assert answer.status_code == status, answer.text
        return answer.get_json()


@pytest.fixture
def program(app: Flask, site: Site) -> Callable[..., Program]:
    """A program with a token of these scopes, all when none is named, for a workspace."""

    def program(*scopes: str, workspace: str = DEFAULT) -> Program:
        with site.db.write() as session:
            _, text = add_token(session, find_workspace(session, workspace), "A program", scopes or ALL, site.now())
        return Program(app.test_client(), text)

    return program


@pytest.fixture
def another(site: Site) -> str:
    """The name of a workspace that nothing is in."""
    with site.db.write() as session:
        return add_workspace(session, "Another").name
