"""
Refusals as Klaviyo words them: JSON:API error bodies with status, code and pointer.
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Response

MEDIA_TYPE = "application/vnd.api+json"

TITLES = {
    "authentication_failed": "Incorrect authentication credentials.",
    "duplicate_profile": "Conflict.",
    "gone": "Gone.",
    "invalid": "Invalid input.",
    "method_not_allowed": "Method not allowed.",
    "not_acceptable": "Not acceptable.",
    "not_authenticated": "Authentication credentials were not provided.",
    "not_found": "Not found.",
    "payload_too_large": "Payload too large.",
    "permission_denied": "You do not have permission to perform this action.",
    "throttled": "Too many requests.",
    "unsupported_media_type": "Unsupported media type.",
}


@dataclass(frozen=True)
class Problem:
    """
    One complaint about a request.

    Shape:  `pointer` leads to a member of the body, `parameter` names a query parameter; at most one of them is set.
    """

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


class Refused(Exception):
    """
    A request that Klaviyo would answer with an error: the status and every complaint.
    """

    def __init__(self, status: int, problems: Iterable[Problem], headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.problems = tuple(problems)
        self.headers = dict(headers or {})
        super().__init__(status, self.problems)


def refused(
    status: int,
    code: str,
    detail: str,
    pointer: str | None = None,
    headers: Mapping[str, str] | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Refused:
    """
    A refusal with a single complaint.
    """
    return Refused(status, [Problem(code, detail, pointer, meta=meta or {})], headers)


def json_answer(status: int, body: object) -> Response:
    """
    An answer with a JSON:API body.
    """
    return Response(json.dumps(body), status, content_type=MEDIA_TYPE)


def empty_answer(status: int) -> Response:
    """
    An answer without a body, as 202 is.
    """
    response = Response(status=status)
    del response.headers["Content-Type"]
    return response


def error_answer(refusal: Refused, request_id: str) -> Response:
    """
    The JSON:API error body of a refusal; the first error carries the request's id, as the live API does.
    """
    errors = [
        {
            "id": request_id if number == 0 else str(uuid.uuid4()),
            "status": refusal.status,
            "code": problem.code,
            "title": TITLES.get(problem.code, "Error."),
            "detail": problem.detail,
            "source": _source(problem),
            "links": {},
            "meta": dict(problem.meta),
        }
        for number, problem in enumerate(refusal.problems)
    ]
    response = json_answer(refusal.status, {"errors": errors})
    response.headers.update(refusal.headers)
    return response


def proxy_page(status: int, title: str) -> Response:
    """
    The HTML that the proxy in front of Klaviyo answers by itself, never in JSON.
    """
    page = f"<html><head><title>{status} {title}</title></head><body><h1>{status} {title}</h1></body></html>"
    return Response(page, status, content_type="text/html")


def _source(problem: Problem) -> dict[str, str]:
    if problem.parameter is not None:
        return {"parameter": problem.parameter}
    return {} if problem.pointer is None else {"pointer": problem.pointer}
