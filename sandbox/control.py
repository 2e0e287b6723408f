"""The routes under `/sandbox` that every sandbox has; each adds those that look into what is its own."""

import ipaddress
import threading
from typing import Protocol

from flask import Blueprint, Response, abort, jsonify, request
from werkzeug.exceptions import HTTPException

from sandbox.faults import AnyFault, Faults


class Steered(Protocol[AnyFault]):
    """What can be steered by these routes."""

    lock: threading.RLock

    @property
    def faults(self) -> Faults[AnyFault]: ...

    def reset(self) -> None: ...


def control_blueprint(sandbox: Steered[AnyFault], fault: type[AnyFault]) -> Blueprint:
    """Faults and reset, for this computer only; a ValueError of any route is what the caller did wrong."""
    blueprint = Blueprint("control", __name__, url_prefix="/sandbox")

    @blueprint.before_request
    def loopback_only() -> None:
        if not ipaddress.ip_address(request.remote_addr or "0.0.0.0").is_loopback:
            abort(403, "The control routes answer on this computer only.")

    @blueprint.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> tuple[Response, int]:
        return jsonify(error=error.description), error.code or 500

    @blueprint.errorhandler(ValueError)
    def refuse_value(error: ValueError) -> tuple[Response, int]:
        return jsonify(error=str(error)), 400

    @blueprint.get("/faults")
    def faults() -> Response:
        with sandbox.lock:
            return jsonify(sandbox.faults.as_json())

    @blueprint.post("/faults")
    def add_faults() -> tuple[Response, int]:
        data = request.get_json()
        new = [fault.from_json(item) for item in (data if isinstance(data, list) else [data])]
        with sandbox.lock:
            for one in new:
                sandbox.faults.add(one)
            return jsonify(sandbox.faults.as_json()), 201

    @blueprint.delete("/faults")
    def clear_faults() -> tuple[str, int]:
        with sandbox.lock:
            sandbox.faults.clear()
        return "", 204

    @blueprint.post("/reset")
    def reset() -> tuple[str, int]:
        with sandbox.lock:
            sandbox.reset()
        return "", 204

    return blueprint
