"""
The JSON API, `/api/v1`: every screen's twin for programs.

A resource is one module with its `operations`; what it takes and answers are marshmallow schemas. From these come the
routes, the checks, `/api/v1/openapi.json` and the page `/api/docs`, so that they cannot say different things.
"""

import time
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Flask, Response, g, jsonify, render_template
from flask.typing import ResponseReturnValue
from flask_limiter import RequestLimit

from console.api import connections, customers, deliveries, figures, problems, replays, webhooks
from console.api.answering import Answering
from console.api.document import document
from console.api.operations import Operation
from console.api.problems import PREFIX, Problem, problem_of
from console.pages.guard import open_to_all
from console.site import Site

RESOURCES = (connections, webhooks, deliveries, customers, replays, figures)
RATE = "600 per minute"


def all_operations() -> Iterator[Operation]:
    """Everything that the API can do."""
    return (operation for resource in RESOURCES for operation in resource.operations)


def register(app: Flask, site: Site, rate: str = RATE) -> None:
    """Make the API known to the application; `rate` is how often each token may ask."""
    problems.register(app)
    app.register_blueprint(_routes(site, rate))
    app.register_blueprint(_documentation())


def _routes(site: Site, rate: str) -> Blueprint:
    routes = Blueprint("api", __name__, url_prefix=PREFIX)
    answering = Answering(site)
    limit = site.limiter.shared_limit(
        rate, scope="api", key_func=lambda: g.api_token.id, on_breach=_too_many, override_defaults=True
    )
    for operation in all_operations():
        view = limit(answering.view(operation))
        path = operation.path.replace("{", "<").replace("}", ">")
        routes.add_url_rule(path, operation.name, view, methods=[operation.method], provide_automatic_options=False)

    @routes.before_request
    def authenticate() -> ResponseReturnValue | None:
        """Before anything is counted or read: who asks."""
        try:
            g.api_token = answering.authenticated()
        except Exception as error:  # a database that is away is a problem too
            return problem_of(error).answer()
        return None

    return routes


def _too_many(limit: RequestLimit) -> Response:
    # Flask-Limiter counts by the computer's clock.
    wait_s = max(1, int(limit.reset_at - time.time()))
    headers = {"Retry-After": str(wait_s)}
    return Problem("too-many-requests", "This token asks too often.", headers=headers).answer()


def _documentation() -> Blueprint:
    pages = Blueprint("docs", __name__, template_folder="../templates")

    @pages.get(f"{PREFIX}/openapi.json")
    def openapi() -> Response:
        return jsonify(document(all_operations()))

    @pages.get("/api/docs")
    @open_to_all
    def index() -> str:
        said = document(all_operations())
        by_tag: dict[str, list[Any]] = {}
        for path, methods in said["paths"].items():
            for method, operation in methods.items():
                by_tag.setdefault(operation["tags"][0], []).append((path, method, operation))
        return render_template("api/docs.html", document=said, by_tag=by_tag, kinds=problems.KINDS)

    return pages
