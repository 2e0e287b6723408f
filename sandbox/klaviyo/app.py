"""
Puts one sandbox together as a Flask application.
"""

import time
import uuid
from collections.abc import Callable

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from sandbox.klaviyo.api import api_blueprint
from sandbox.klaviyo.control import control_blueprint
from sandbox.klaviyo.pages import pages_blueprint
from sandbox.klaviyo.problems import error_answer, refused
from sandbox.klaviyo.settings import Settings
from sandbox.klaviyo.state import Sandbox


def create_app(
    config: Settings | None = None,
    clock: Callable[[], float] = time.time,
    wait: Callable[[float], None] = time.sleep,
) -> Flask:
    """
    A sandbox of its own, in memory and safe for threads.

    Units:  `clock` gives seconds since 1970, `wait` takes seconds; tests pass their own.
    """
    app = Flask(__name__, static_folder=None)
    # A cut connection must reach the server as the exception that it is.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.url_map.merge_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Members are shown in the order in which they were sent.
    sandbox = Sandbox(config or Settings(), clock, wait)
    app.extensions["klaviyo_sandbox"] = sandbox
    app.register_blueprint(api_blueprint(sandbox))
    app.register_blueprint(control_blueprint(sandbox))
    app.register_blueprint(pages_blueprint(sandbox))
    app.register_error_handler(HTTPException, _refuse)
    app.after_request(_protect)
    return app


def _refuse(error: HTTPException) -> Response:
    """
    What no route answers, as JSON:API.
    """
    code = "method_not_allowed" if error.code == 405 else "not_found" if error.code == 404 else "invalid"
    refusal = refused(error.code or 500, code, error.description or "Not found.", "/data/")
    request_id = str(uuid.uuid4())
    response = error_answer(refusal, request_id)
    response.headers["X-Klaviyo-Req-Id"] = request_id
    return response


def _protect(response: Response) -> Response:
    """
    Even if a page let hostile text through, nothing in it could run.
    """
    if response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"
        )
    return response
