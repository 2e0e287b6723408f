"""
What went wrong, as `application/problem+json`, for everything under the API's address.

Source: RFC 9457.
"""

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, json, request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from console.pages.guard import request_id
from vrio_klaviyo import log
from vrio_klaviyo.errors import InvalidInput, NotFound, Refused
from vrio_klaviyo.store.db import DatabaseError

CONTENT_TYPE = "application/problem+json"
PREFIX = "/api/v1"
# Where the documentation says more of a problem, by its name.
DOCUMENTED_AT = "/api/docs#"

# Name, status and title of each problem that there is.
KINDS = {
    "unreadable-request": (400, "The request cannot be read"),
    "unknown-parameter": (400, "There is no such parameter"),
    "invalid-parameter": (400, "A parameter cannot be taken"),
    "not-authenticated": (401, "The token is missing or not good"),
    "scope-missing": (403, "The token may not do this"),
    "not-found": (404, "There is no such thing"),
    "method-not-allowed": (405, "This address does not do that"),
    "conflict": (409, "This cannot be done as things stand"),
    "request-in-progress": (409, "The same request is being worked on"),
    "stale": (412, "It was changed since"),
    "too-large": (413, "The request is too large"),
    "unsupported-media-type": (415, "The body must be JSON"),
    "invalid-body": (422, "A value cannot be taken"),
    "key-used-before": (422, "Another request had this Idempotency-Key"),
    "precondition-required": (428, "If-Match is missing"),
    "too-many-requests": (429, "Too many requests"),
    "our-fault": (500, "Something went wrong here"),
    "database-away": (503, "The database does not answer"),
}
_OF_STATUS = {status: name for name, (status, _) in reversed(KINDS.items())}


class Problem(Exception):
    """An answer that is a problem; `errors` are pointers into the body with what is wrong there."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})

    def answer(self) -> Response:
        """The answer itself."""
        status, title = KINDS[self.kind]
        told: dict[str, Any] = {
            "type": f"{DOCUMENTED_AT}{self.kind}",
            "title": title,
            "status": status,
            "detail": self.detail,
            "instance": f"urn:request:{request_id()}",
        }
        if self.errors is not None:
            told["errors"] = self.errors
        return Response(json.dumps(told), status, self.headers, content_type=CONTENT_TYPE)


def register(app: Flask) -> None:
    """Make a problem of what the application answers itself: an unknown address, a method, a size."""

    @app.after_request
    def dress(response: Response) -> Response:
        if not request.path.startswith(f"{PREFIX}/") or response.status_code < 400:
            return response
        if response.content_type == CONTENT_TYPE:
            return response
        kept = {name: value for name, value in response.headers if name in ("Allow", "Retry-After")}
        kind = _OF_STATUS.get(response.status_code, "unreadable-request" if response.status_code < 500 else "our-fault")
        words = HTTP_STATUS_CODES.get(response.status_code, "Error")
        return Problem(kind, f"{words}: {request.method} {request.path}", headers=kept).answer()


def problem_of(error: Exception) -> Problem:
    """What an error is for the program that caused it; one that nobody expected is logged, without its words."""
    match error:
        case Problem():
            return error
        case NotFound():
            return Problem("not-found", _sentence(str(error)))
        case ValidationError():
            return Problem("invalid-body", "The body has values that cannot be taken.", errors=pointers(error))
        case InvalidInput():
            return Problem("invalid-body", _sentence(str(error)), errors=[{"pointer": "#", "detail": str(error)}])
        case Refused():
            return Problem("conflict", _sentence(str(error)))
        case HTTPException():
            status = error.code or 500
            kind = _OF_STATUS.get(status, "unreadable-request" if status < 500 else "our-fault")
            return Problem(kind, error.description or "")
        case DatabaseError():
            _log(error)
            return Problem("database-away", "Nothing was changed. Try again in a moment.", headers={"Retry-After": "5"})
    _log(error)
    return Problem("our-fault", "Try again. If it comes back, tell your operator this request's number.")


def pointers(error: ValidationError) -> list[dict[str, str]]:
    """Where in the body something is wrong, and what."""
    found: list[dict[str, str]] = []

    def walk(at: str, told: Any) -> None:
        if isinstance(told, dict):
            for name, inner in told.items():
                walk(at if name == "_schema" else f"{at}/{str(name).replace('~', '~0').replace('/', '~1')}", inner)
        else:
            words = told if isinstance(told, list) else [told]
            found.extend({"pointer": at, "detail": str(word)} for word in words)

    walk("#", error.messages)
    return found


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _log(error: Exception) -> None:
    # Its words may hold people's data; the place where it happened does not.
    trace, where = error.__traceback__, ""
    while trace is not None:
        where, trace = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}", trace.tb_next
    log.error("api.failed", request_id=request_id(), endpoint=request.endpoint, error=type(error).__name__, where=where)
