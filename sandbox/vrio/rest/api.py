"""The way of one request: journal, key, slot, fault, answer."""

import json
from typing import Any

from flask import Blueprint, Response, request

from sandbox.faults import ConnectionCut
from sandbox.vrio.rest import searching
from sandbox.vrio.rest.collections import COLLECTIONS, Collection
from sandbox.vrio.rest.faults import Fault
from sandbox.vrio.rest.refusals import Refused, no_key, not_found, still_processing, wrong_key
from sandbox.vrio.rest.state import Entry, Sandbox


def api_blueprint(sandbox: Sandbox) -> Blueprint:
    blueprint = Blueprint("api", __name__)

    @blueprint.get("/<path:path>")
    def serve(path: str) -> Response:
        name, _, number = path.partition("/")
        collection = COLLECTIONS.get(name)
        entry = sandbox.open(
            path=f"/{path}",
            query=request.args.to_dict(),
            key=_key(sandbox),
            endpoint=f"/{name}",
            # Vrio: calls that name specific ids are not counted.
            is_counted=collection is not None and not number and collection.naming not in request.args,
        )
        try:
            response = _answer(sandbox, entry, collection, number)
        except Refused as refusal:
            response = _json(refusal.status, refusal.body)
        entry.status = response.status_code
        return response

    return blueprint


def _key(sandbox: Sandbox) -> str:
    told = request.headers.get("X-Api-Key")
    if told is None:
        return "missing"
    return "right" if told == sandbox.settings.api_key else "wrong"


def _answer(sandbox: Sandbox, entry: Entry, collection: Collection | None, number: str) -> Response:
    if entry.key != "right":
        raise no_key() if entry.key == "missing" else wrong_key()
    if entry.endpoint == "/api_requests":
        return _finished(sandbox, number)
    if collection is None:
        raise not_found(entry.path)
    with sandbox.slot(entry):
        with sandbox.lock:
            fault = sandbox.faults.use(lambda fault: entry.path.startswith(fault.path))
        entry.fault = fault.id if fault else None
        if sandbox.settings.latency_ms:
            sandbox.wait(sandbox.settings.latency_ms / 1000)
        return (
            _spoiled(sandbox, fault, entry, collection, number) if fault else _found(sandbox, entry, collection, number)
        )


def _found(sandbox: Sandbox, entry: Entry, collection: Collection, number: str) -> Response:
    moment = sandbox.world.current
    if number:
        return _json(200, searching.one(moment, collection, number, entry.query))
    return _json(200, searching.page(moment, collection, entry.query))


def _spoiled(sandbox: Sandbox, fault: Fault, entry: Entry, collection: Collection, number: str) -> Response:
    """
    The answer under a fault.

    Raises: ConnectionCut when there is to be no answer, Refused.
    """
    match fault.fault:
        case "latency":
            sandbox.wait(fault.ms / 1000)
            return _found(sandbox, entry, collection, number)
        case "hang":
            sandbox.wait(fault.seconds)
            raise ConnectionCut
        case "reset":
            raise ConnectionCut
        case "processing":
            answer = _found(sandbox, entry, collection, number)
            request_id = sandbox.keep_back(fault.polls, answer.status_code, answer.get_json())
            raise still_processing(_poll_url(request_id))
        case "html":
            response = Response("<html><body>Gateway error</body></html>", fault.status, content_type="text/html")
        case "garbage":
            response = Response('{"transaction_id": ', 200, content_type="application/json")
        case _:
            body = fault.body or {"error": {"code": "internal_error", "message": "An error on purpose."}}
            response = _json(fault.status, body)
    response.headers.update(fault.headers)
    return response


def _finished(sandbox: Sandbox, request_id: str) -> Response:
    with sandbox.lock:
        kept = sandbox.unfinished.get(request_id)
        if kept is None:
            raise not_found(f"api_requests {request_id}")
        if kept.polls:
            kept.polls -= 1
            raise still_processing(_poll_url(request_id))
        return _json(kept.status, kept.body)


def _poll_url(request_id: str) -> str:
    return f"{request.host_url}api_requests/{request_id}"


def _json(status: int, body: Any) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
