"""The OpenAPI document: it says what the routes do, and they do what it says."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from marshmallow import Schema, fields

from console import api
from console.api.document import document
from console.api.operations import Operations
from tests.building import House
from tests.console.api.conftest import Program

Programs = Callable[..., Program]

METHODS = {"get", "post", "patch", "put", "delete"}


@pytest.fixture
def said(app: Flask) -> Any:
    return app.test_client().get("/api/v1/openapi.json").get_json()


def test_every_route_is_documented_and_every_documented_address_is_a_route(app: Flask, said: Any) -> None:
    routes = {
        (method.lower(), re.sub("<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule.rule).removeprefix("/api/v1"))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and rule.endpoint != "docs.openapi"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    documented = {(method, path) for path, methods in said["paths"].items() for method in methods if method in METHODS}

    assert documented == routes
    assert said["openapi"] == "3.1.0"


def test_every_operation_says_what_it_does_and_needs(said: Any) -> None:
    operations = [operation for methods in said["paths"].values() for operation in methods.values()]

    assert all(operation["summary"] and "Scope: `" in operation["description"] for operation in operations)
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))


def test_money_is_documented_as_the_text_that_it_is() -> None:
    class Price(Schema):
        """A price."""

        amount = fields.Decimal(as_string=True)

    operations = Operations("prices")

    @operations.get("/price", Price)
    def show_price(_call: Any) -> Any:
        """A price."""

    said = document(operations)

    assert said["components"]["schemas"]["Price"]["properties"]["amount"]["type"] == "string"


def test_the_page_of_the_documentation_tells_all_of_it(app: Flask, said: Any) -> None:
    page = app.test_client().get("/api/docs")

    assert page.status_code == 200
    for path, methods in said["paths"].items():
        assert path in page.text
        assert all(operation["operationId"] in page.text for operation in methods.values())
    assert all(f'id="{kind}"' in page.text for kind in api.problems.KINDS)


def test_what_a_generator_thinks_of_is_answered_as_the_document_says(
    app: Flask, program: Programs, house: House
) -> None:
    """A few dozen requests of each operation, good ones and bad ones."""
    house.owe(house.connect())
    token = program()
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    checks = schemathesis.checks
    wanted = [
        checks.CHECKS.get_one(name)
        for name in (
            "not_a_server_error",
            "status_code_conformance",
            "content_type_conformance",
            "response_schema_conformance",
            "negative_data_rejection",
        )
    ]
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            case.call_and_validate(headers=token.headers, checks=wanted)

        ask()
        tried += 1

    assert tried == len(list(api.all_operations()))
