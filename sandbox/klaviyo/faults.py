"""
Faults on request: answers that go wrong on purpose for the next requests that match.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from flask import Response

from sandbox import faults
from sandbox.faults import ConnectionCut
from sandbox.klaviyo.problems import MEDIA_TYPE, TITLES, Problem, Refused, empty_answer, error_answer, proxy_page

CRITERIA = ("method", "path", "metric", "email", "unique_id")
CODES = {
    400: "invalid",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    409: "duplicate_profile",
    410: "gone",
    413: "payload_too_large",
    415: "unsupported_media_type",
    429: "throttled",
}


@dataclass(kw_only=True)
class Fault(faults.Fault):
    """
    One queued fault.

    Shape:  with `processed` the request takes effect before its answer is spoiled. Of a `status` fault without a body a
            JSON:API error of that status is answered.
    Units:  `retry_after` in seconds (None: the header is missing).
    """

    KINDS = ("status", "html", "throttle", "hang", "reset", "garbage", "latency", "partial_failure")

    match: dict[str, str] = field(default_factory=dict)
    processed: bool = False
    status: int | None = None
    retry_after: int | None = 1

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """
        Raises: ValueError with a sentence that says what is wrong.
        """
        fault = super().from_json(data)
        match = data.get("match", {})
        if not isinstance(match, dict) or set(match) - set(CRITERIA) or not all(map(_is_text, match.values())):
            raise ValueError(f"'match' takes {', '.join(CRITERIA)}, each a string.")
        if fault.fault == "status" and type(fault.status) is not int:
            raise ValueError("A 'status' fault needs 'status'.")
        return fault

    def hits(self, method: str, path: str, events: list[dict[str, Any]]) -> bool:
        """
        Whether this fault is meant for a request; metric, e-mail and unique_id must be met by one and the same event.
        """
        wanted = {name: value.lower() if name == "email" else value for name, value in self.match.items()}
        request = {"method": method, "path": path}
        return any({**request, **event}.items() >= wanted.items() for event in events or [{}])

    def spoil(self, process: Callable[[], Response], request_id: str, wait: Callable[[float], None]) -> Response:
        """
        The answer under this fault; `process` serves the request as usual.

        Raises: ConnectionCut when there is to be no answer.
        """
        if self.fault == "latency":
            wait(self.ms / 1000)
        if self.fault in ("latency", "partial_failure"):
            return process()
        if self.processed:
            process()
        return self._answer(request_id, wait)

    def _answer(self, request_id: str, wait: Callable[[float], None]) -> Response:
        match self.fault:
            case "hang":
                wait(self.seconds)
                raise ConnectionCut
            case "reset":
                raise ConnectionCut
            case "garbage":
                response = Response('{"data": [{"type": ', self.status or 200, content_type=MEDIA_TYPE)
            case "html":
                response = proxy_page(self.status or 403, "Forbidden" if self.status in (None, 403) else "Error")
                if response.status_code == 403:
                    response.headers["cf-mitigated"] = "challenge"
            case "throttle":
                wait_s = self.retry_after
                detail = f"Request was throttled. Expected available in {wait_s or 0} second(s)."
                headers = {} if wait_s is None else {"Retry-After": str(wait_s)}
                response = error_answer(Refused(429, [Problem("throttled", detail)], headers), request_id)
            case _:
                response = self._with_status(request_id)
        response.headers.update(self.headers)
        return response

    def _with_status(self, request_id: str) -> Response:
        status = self.status or 500
        if self.body is not None:
            return Response(json.dumps(self.body), status, content_type=MEDIA_TYPE)
        if status < 400:
            return empty_answer(status)
        code = CODES.get(status, "error")
        return error_answer(Refused(status, [Problem(code, TITLES.get(code, "Error."), "/data")]), request_id)


class Faults(faults.Faults[Fault]):
    """
    The queue of faults.
    """

    def take(self, method: str, path: str, body: bytes) -> Fault | None:
        """
        The first fault that is meant for this request, used up by one; None when there is none.
        """
        if not self:
            return None
        events = list(_events(body))
        return self.use(lambda fault: fault.hits(method, path, events))


def _events(body: bytes) -> Iterator[dict[str, Any]]:
    """
    What each event or profile of a body can be matched by; nothing for a body that cannot be read.
    """
    try:
        attributes = json.loads(body)["data"]["attributes"]
        if "events-bulk-create" in attributes:
            for entry in attributes["events-bulk-create"]["data"]:
                for event in entry["attributes"]["events"]["data"]:
                    yield _facts(event["attributes"], entry["attributes"]["profile"])
        elif "metric" in attributes:
            yield _facts(attributes, attributes["profile"])
        else:
            yield {"email": str(attributes.get("email")).lower()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _facts(event: dict[str, Any], profile: dict[str, Any]) -> dict[str, Any]:
    return {
        "metric": event["metric"]["data"]["attributes"]["name"],
        "unique_id": event.get("unique_id"),
        "email": str(profile["data"]["attributes"].get("email")).lower(),
    }
