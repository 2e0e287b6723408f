"""Klaviyo's HTTP API: one call, and an answer or a typed error."""

import json
import time
from collections.abc import Mapping
from typing import Any

import requests

from vrio_klaviyo.calling import READ_TIMEOUT_S, call, retry_after_s
from vrio_klaviyo.errors import (
    Answer,
    CallFailed,
    EndpointRefused,
    NotAuthorized,
    PhoneRejected,
    Rejected,
    Retriable,
    Throttled,
)
from vrio_klaviyo.klaviyo.requests import REVISION, Rendered

# Klaviyo: an answer has no stated size. What is longer than this is cut, so that no answer fills the log or the memory.
LONGEST_ANSWER = 64 * 1024

# What stands in place of a private key that an answer repeats.
KEY_REMOVED = "pk_removed"

PARTIAL_FAILURE = "x-klaviyo-partial-failure"


class KlaviyoClient:
    """
    Calls with one private key.

    Raises: Retriable, Throttled, NotAuthorized, EndpointRefused, PhoneRejected, Rejected; each carries the answer.
    """

    def __init__(
        self, base_url: str, key: str, session: requests.Session, *, read_timeout_s: float = READ_TIMEOUT_S
    ) -> None:
        self._base_url = base_url
        self._key = key
        self._authorization = f"Klaviyo-API-Key {key}"
        self._session = session
        self._read_timeout_s = read_timeout_s

    def send(self, rendered: Rendered) -> Answer:
        """The answer to one rendered request; any 2xx."""
        return self._call(rendered.method, rendered.path, rendered.headers, rendered.body, bool(rendered.phone))

    def get(self, path: str) -> Answer:
        """The answer to a GET; any 2xx."""
        return self._call("GET", path, {"accept": "application/vnd.api+json", "revision": REVISION}, None, False)

    def _call(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, has_phone: bool) -> Answer:
        # What of an answer is there in time will do: what it is about stands at its beginning.
        came = call(
            self._session,
            method,
            self._base_url + path,
            {**headers, "authorization": self._authorization},
            body,
            read_timeout_s=self._read_timeout_s,
            ends=time.monotonic() + self._read_timeout_s,
            longest=LONGEST_ANSWER,
        )
        answer = self._without_key(came.answer)
        if not 200 <= answer.status < 300:
            raise failure_of(answer, has_phone=has_phone)
        return answer

    def _without_key(self, answer: Answer) -> Answer:
        """An answer is kept and shown, so what it repeats of our request must not be the key."""
        if not self._key:
            return answer
        headers = {name: text.replace(self._key, KEY_REMOVED) for name, text in answer.headers.items()}
        return Answer(answer.status, headers, answer.body.replace(self._key.encode(), KEY_REMOVED.encode()))


def failure_of(answer: Answer, *, has_phone: bool) -> CallFailed:
    """
    The typed error of an answer that is not 2xx.

    Shape:  the reason is Klaviyo's status, code and pointer; its `detail` may change any day and may hold personal
            data.
    Source: Klaviyo's error codes as recorded; what follows from each is decided in the lane.
    """
    errors = errors_in(answer)
    reason = " ".join([str(answer.status), *(_named(error) for error in errors[:3])])
    match answer.status:
        case 429:
            return Throttled(reason, retry_after_s(answer.headers), answer)
        case 401 | 403 if errors:
            return NotAuthorized(reason, answer)
        case 401 | 403:
            # Klaviyo: its proxy answers 403 with HTML now and then; that says nothing of the key.
            return Retriable(f"{reason} (not Klaviyo's own answer)", answer)
        case 404 | 405 | 410 | 415:
            return EndpointRefused(reason, answer)
        case 408:
            return Retriable(reason, answer)
        case 400 | 422 if any(str(error.get("code")) in _BAD_KEY for error in errors):
            # Klaviyo: older revisions answer a bad key with 400.
            return NotAuthorized(reason, answer)
        case 400 | 422 if has_phone and errors and all(_is_about_phone(error) for error in errors):
            return PhoneRejected(reason, answer)
        case 409 if has_phone:
            # Klaviyo: the number may belong to another profile.
            return PhoneRejected(reason, answer)
        case status if 400 <= status < 500:
            return Rejected(reason, answer)
    return Retriable(reason, answer)


_BAD_KEY = {"not_authenticated", "authentication_failed"}


def errors_in(answer: Answer) -> list[dict[str, Any]]:
    """The errors of a JSON:API answer; empty when it is none."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return []
    errors = document.get("errors") if isinstance(document, dict) else None
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def pointers_in(answer: Answer) -> list[str]:
    """What the errors of an answer point at."""
    return [_pointer(error) for error in errors_in(answer)]


def _pointer(error: dict[str, Any]) -> str:
    source = error.get("source")
    pointer = source.get("pointer") if isinstance(source, dict) else None
    # Klaviyo: pointers come with and without a slash at the end.
    return pointer.rstrip("/") if isinstance(pointer, str) else ""


def _is_about_phone(error: dict[str, Any]) -> bool:
    # Klaviyo: the second is the property of the same name that the published page asks for.
    return _pointer(error).endswith(("/phone_number", "/$phone_number"))


def _named(error: dict[str, Any]) -> str:
    return f"{error.get('code') or 'error'} {_pointer(error)}".strip()[:200]
