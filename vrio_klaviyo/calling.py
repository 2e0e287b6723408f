"""One HTTP call: its answer, within a time and a size, or an error that tells neither URL nor key."""

import time
from collections.abc import Mapping
from typing import NamedTuple

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from vrio_klaviyo.deadlines import Adapter
from vrio_klaviyo.errors import Answer, Retriable

KEPT_OPEN = 16
CONNECT_TIMEOUT_S = 3.05
READ_TIMEOUT_S = 10.0
# Who asks us to wait for longer is asked again after this.
LONGEST_WAIT_S = 3600.0

_PIECE = 64 * 1024
# Who we are and what we can unpack.
_EVERY_CALL = dict(requests.utils.default_headers())


class Came(NamedTuple):
    """
    What came back.

    Shape:  cut says why the body is not whole; empty when it is.
    """

    answer: Answer
    cut: str


def new_session() -> requests.Session:
    """A session whose connections stay open, one for each thread that may use it."""
    session = requests.Session()
    # Environment and .netrc may know a way, or a password, that is none of ours.
    session.trust_env = False
    adapter = Adapter(pool_maxsize=KEPT_OPEN)
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    return session


def call(
    session: requests.Session,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    *,
    read_timeout_s: float,
    ends: float,
    longest: int,
) -> Came:
    """
    The answer to one request; a redirect is an answer like any other.

    Shape:  what comes after so many bytes, or after `ends`, is not waited for.
    Units:  ends as time.monotonic() tells it; longest in bytes, unpacked.
    Raises: Retriable, when there is no answer or it breaks off.
    """
    left_s = max(0.001, ends - time.monotonic())
    connect_timeout_s, read_timeout_s = min(CONNECT_TIMEOUT_S, left_s), min(read_timeout_s, left_s)
    try:
        request = requests.PreparedRequest()
        request.prepare(method, url, {**_EVERY_CALL, **headers}, data=body)
        # Not `session.request`, which follows redirects, and keeps cookies: one session serves many accounts, and what
        # the answer to one sets must not go out with another one's key. It takes longer, too.
        adapter = session.get_adapter(url)
        with adapter.send(request, stream=True, timeout=(connect_timeout_s, read_timeout_s)) as response:
            content, cut = _content(response, ends, longest)
            named = {name.lower(): text for name, text in response.headers.items()}
            return Came(Answer(response.status_code, named, content), cut)
    except (requests.RequestException, HTTPError) as error:
        raise Retriable(_cause(error, connect_timeout_s, read_timeout_s)) from error


def _content(response: requests.Response, ends: float, longest: int) -> tuple[bytes, str]:
    """The body, or what of it is there in time, and why it is not whole: who drips never meets the read time-out."""
    content = bytearray()
    # Not `iter_content`, which waits until a whole chunk is there.
    while piece := response.raw.read1(_PIECE, decode_content=True):
        content += piece
        if len(content) > longest:
            return bytes(content[:longest]), f"the answer is longer than {longest:,} bytes"
        if time.monotonic() > ends:
            return bytes(content), "the answer did not end in time"
    return bytes(content), ""


def _cause(error: requests.RequestException | HTTPError, connect_timeout_s: float, read_timeout_s: float) -> str:
    """What went wrong, without the URL, the body or the headers that the library's own text may hold."""
    match error:
        case requests.ConnectTimeout():
            return f"no connection within {connect_timeout_s:.3g} s"
        case requests.Timeout() | ReadTimeoutError():
            return f"no answer within {read_timeout_s:.3g} s"
        case requests.exceptions.SSLError():
            return "the TLS connection failed"
        case requests.ConnectionError() if "NameResolution" in repr(error):
            return "the host's name was not resolved"
        case requests.ConnectionError():
            return "the connection broke or was refused"
        case HTTPError():
            return "the answer broke off"
    return f"the call failed ({type(error).__name__})"


def retry_after_s(headers: Mapping[str, str]) -> float:
    """How long an answer asks to wait: at least a second, an hour at the most, ten seconds when it does not say."""
    text = headers.get("retry-after", "")
    return min(max(1.0, float(text)), LONGEST_WAIT_S) if text.isascii() and text.isdigit() else 10.0
