"""Klaviyo's HTTP API: one call, and an answer or a typed error."""

import json
import time
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

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
from vrio_klaviyo.klaviyo.deadlines import Adapter
from vrio_klaviyo.klaviyo.requests import REVISION, Rendered

KEPT_OPEN = 16
CONNECT_TIMEOUT_S = 3.05
READ_TIMEOUT_S = 10.0
# Klaviyo: an answer has no stated size. What is longer than this is cut, so that no answer fills the log or the memory.
LONGEST_ANSWER = 64 * 1024
# Klaviyo: its windows are a second and a minute long. What asks for more is asked again after this.
LONGEST_WAIT_S = 3600.0

# What stands in place of a private key that an answer repeats.
KEY_REMOVED = "pk_removed"

PARTIAL_FAILURE = "x-klaviyo-partial-failure"


def new_session() -> requests.Session:
    """A keep-alive session; environment and .netrc are not asked, which costs more than the rest of a call."""
    session = requests.Session()
    session.trust_env = False
    # One session serves many accounts: what the answer to one sets must not go out with another one's key.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # One connection for each thread that may use the session; they stay open.
    adapter = Adapter(pool_maxsize=KEPT_OPEN)
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    return session


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
        deadline = time.monotonic() + self._read_timeout_s
        try:
            with self._session.request(
                method,
                self._base_url + path,
                data=body,
                headers={**headers, "authorization": self._authorization},
                timeout=(CONNECT_TIMEOUT_S, self._read_timeout_s),
                allow_redirects=False,
                stream=True,
            ) as response:
                answer = self._without_key(response.status_code, response.headers, _content(response, deadline))
        except (requests.RequestException, HTTPError) as error:
            raise Retriable(_cause(error, self._read_timeout_s)) from error
        if not 200 <= answer.status < 300:
            raise failure_of(answer, has_phone=has_phone)
        return answer

    def _without_key(self, status: int, headers: Mapping[str, str], content: bytes) -> Answer:
        """An answer is kept and shown, so what it repeats of our request must not be the key."""
        if self._key:
            content = content.replace(self._key.encode(), KEY_REMOVED.encode())
            headers = {name: text.replace(self._key, KEY_REMOVED) for name, text in headers.items()}
        return Answer(status, {name.lower(): text for name, text in headers.items()}, content)


def _content(response: requests.Response, deadline: float) -> bytes:
    """The body, or what of it is there by the deadline: an answer that drips never meets the read time-out."""
    content = b""
    # Not `iter_content`, which waits until a whole chunk is there.
    while piece := response.raw.read1(16 * 1024, decode_content=True):
        content += piece
        if len(content) >= LONGEST_ANSWER or time.monotonic() > deadline:
            break
    return content[:LONGEST_ANSWER]


def _cause(error: requests.RequestException | HTTPError, read_timeout_s: float) -> str:
    """What went wrong, without the URL or the body that the library's own text may hold."""
    match error:
        case requests.ConnectTimeout():
            return f"no connection within {CONNECT_TIMEOUT_S:g} s"
        case requests.Timeout() | ReadTimeoutError():
            return f"no answer within {read_timeout_s:g} s"
        case requests.exceptions.SSLError():
            return "the TLS connection failed"
        case requests.ConnectionError() if "NameResolution" in repr(error):
            return "the host's name was not resolved"
        case requests.ConnectionError():
            return "the connection broke or was refused"
        case HTTPError():
            return "the answer broke off"
    return f"the call failed ({type(error).__name__})"


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


def retry_after_s(headers: Mapping[str, str]) -> float:
    """
    How long Klaviyo asks to wait.

    Shape:  at least one second: it has been seen to say 0. Ten seconds when it says nothing, an hour at the most.
    """
    text = headers.get("retry-after", "")
    return min(max(1.0, float(text)), LONGEST_WAIT_S) if text.isascii() and text.isdigit() else 10.0
