"""The routes under `/sandbox`, by which a test or a demo looks into the sandbox and makes it misbehave."""

import ipaddress
from dataclasses import asdict

from flask import Blueprint, Response, abort, jsonify, request
from werkzeug.exceptions import HTTPException

from sandbox.vrio.ledger import expected
from sandbox.vrio.rest.faults import Fault
from sandbox.vrio.rest.state import Sandbox


def control_blueprint(sandbox: Sandbox) -> Blueprint:
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

    @blueprint.get("/state")
    def state() -> Response:
        with sandbox.lock:
            return jsonify(sandbox.as_json())

    @blueprint.get("/requests")
    def requests() -> Response:
        since = request.args.get("since", 0, int)
        with sandbox.lock:
            return jsonify([asdict(entry) for entry in sandbox.journal if entry.number > since])

    @blueprint.get("/ledger")
    def ledger() -> Response:
        return jsonify(expected(sandbox.world, with_rest=request.args.get("with_rest", "1") != "0"))

    @blueprint.get("/faults")
    def faults() -> Response:
        with sandbox.lock:
            return jsonify(sandbox.faults.as_json())

    @blueprint.post("/faults")
    def add_faults() -> tuple[Response, int]:
        data = request.get_json()
        new = [Fault.from_json(item) for item in (data if isinstance(data, list) else [data])]
        with sandbox.lock:
            for fault in new:
                sandbox.faults.add(fault)
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
