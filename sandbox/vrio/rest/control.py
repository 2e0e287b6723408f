"""The routes under `/sandbox`, by which a test or a demo looks into the sandbox and makes it misbehave."""

from dataclasses import asdict

from flask import Blueprint, Response, jsonify, request

from sandbox import control
from sandbox.vrio.ledger import expected
from sandbox.vrio.rest.faults import Fault
from sandbox.vrio.rest.state import Sandbox


def control_blueprint(sandbox: Sandbox) -> Blueprint:
    blueprint = control.control_blueprint(sandbox, Fault)

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

    return blueprint
