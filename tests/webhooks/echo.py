"""A WSGI application that answers with what it was asked; `front` is how the web server runs it."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from webhooks.front import ByPath, Front


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """All of the request as JSON; /parts without a length, and in parts."""
    told = {name: value for name, value in environ.items() if isinstance(value, str)}
    answer = json.dumps(told | {"body": environ["wsgi.input"].read().decode()}).encode()
    headers = [("Content-Type", "application/json"), ("X-One", "1"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    if environ["PATH_INFO"] == "/parts":
        start_response("200 OK", headers)
        return iter([answer[:10], answer[10:]])
    start_response("202 ACCEPTED", [*headers, ("Content-Length", str(len(answer)))])
    return [answer]


def nothing(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """No content."""
    start_response("204 NO CONTENT", [])
    return []


front = Front(ByPath("/webhooks/", nothing, echo), threads=2, body_within_s=1.0)
