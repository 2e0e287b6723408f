"""Puts the REST side of one sandbox together as a Flask application."""

import time
from collections.abc import Callable

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from sandbox.vrio.rest.api import api_blueprint
from sandbox.vrio.rest.control import control_blueprint
from sandbox.vrio.rest.state import Sandbox
from sandbox.vrio.settings import Settings
from sandbox.vrio.world import World


def create_app(world: World, config: Settings | None = None, wait: Callable[[float], object] = time.sleep) -> Flask:
    """
    A sandbox over a world, safe for threads; it answers as of the world's `now`.

    Units:  `wait` takes seconds; tests pass their own.
    """
    app = Flask(__name__, static_folder=None)
    # A cut connection must reach the server as the exception that it is.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.json.sort_keys = False  # type: ignore[attr-defined]  # The ledger is shown in its own order.
    sandbox = Sandbox(world, config or Settings(), wait)
    app.extensions["vrio_sandbox"] = sandbox
    app.register_blueprint(control_blueprint(sandbox))
    app.register_blueprint(api_blueprint(sandbox))
    app.register_error_handler(HTTPException, _refuse)
    return app


def _refuse(error: HTTPException) -> ResponseReturnValue:
    """What no route answers, worded as Vrio's other refusals."""
    code = "method_not_allowed" if error.code == 405 else "not_found"
    return jsonify(error={"code": code, "message": error.description}), error.code or 500
