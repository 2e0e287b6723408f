"""
Faults on request: answers that go wrong on purpose for the next requests that match.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from flask import Response

from sandbox.klaviyo.problems import MEDIA_TYPE, TITLES, Problem, Refused, empty_answer, error_answer, proxy_page

Kind = Literal["status", "html", "throttle", "hang", "reset", "garbage", "latency", "partial_failure"]
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


class ConnectionCut(ConnectionResetError):
    """
    The answer is that the connection breaks; the server resets the socket.
    """


@dataclass
class Fault:
    """
    One queued fault.

    Shape:  `times` None is for ever. With `processed` the request takes effect before its answer is spoiled.
            `body` of a `status` fault is any JSON value; left out, a JSON:API error of that status is answered.
    Units:  `seconds` of a hang, `ms` of a latency, `retry_after` in seconds (None: the header is missing).
    """

    fault: Kind
    match: dict[str, str] = field(default_factory=dict)
    times: int | None = 1
    processed: bool = False
    status: int | None = None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    retry_after: int | None = 1
    seconds: float = 30
    ms: float = 0
    id: int = 0

    @classmethod
    def from_json(cls, data: Any) -> "Fault":
        """
        Raises: ValueError with a sentence that says what is wrong.
        """
        if not isinstance(data, dict) or data.get("fault") not in get_args(Kind):
            raise ValueError(f"'fault' must be one of {', '.join(get_args(Kind))}.")
        unknown = set(data) - ({item.name for item in fields(cls)} - {"id"})
        if unknown:
            raise ValueError(f"Unknown members: {', '.join(sorted(unknown))}.")
        match = data.get("match", {})
        if not isinstance(match, dict) or set(match) - set(CRITERIA) or not all(map(_is_text, match.values())):
            raise ValueError(f"'match' takes {', '.join(CRITERIA)}, each a string.")
        times = data.get("times", 1)
        if times is not None and (type(times) is not int or times < 1):
            raise ValueError("'times' must be a whole number above 0, or null for ever.")
        if data["fault"] == "status" and type(data.get("status")) is not int:
            raise ValueError("A 'status' fault needs 'status'.")
        return cls(**data)

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


class Faults:
    """
    The queue of faults, oldest first. The caller holds the sandbox's lock.
    """

    def __init__(self) -> None:
        self._queue: list[Fault] = []
        self._count = 0

    def add(self, fault: Fault) -> Fault:
        self._count += 1
        fault.id = self._count
        self._queue.append(fault)
        return fault

    def take(self, method: str, path: str, body: bytes) -> Fault | None:
        """
        The first fault that is meant for this request, used up by one; None when there is none.
        """
        if not self._queue:
            return None
        events = list(_events(body))
        for fault in self._queue:
            if fault.hits(method, path, events):
                if fault.times is not None:
                    fault.times -= 1
                    if not fault.times:
                        self._queue.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        self._queue.clear()

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._queue]


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
