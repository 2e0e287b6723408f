"""One call over HTTP: nothing takes for ever or fills the memory, and neither error nor session tells what it knew."""

import gzip
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC
from typing import Any

import pytest
import requests
from flask import Flask, Response, jsonify, redirect, request

from sandbox.klaviyo.server import serve_in_thread
from tests.wire import answering, saying
from vrio_klaviyo.calling import LONGEST_WAIT_S, Came, call, new_session, retry_after_s
from vrio_klaviyo.errors import Retriable
from vrio_klaviyo.klaviyo.client import KlaviyoClient
from vrio_klaviyo.vrio.client import VrioClient

SECRET = "vk_Zq81-secret"
BODY = b'{"email": "john@acme.test"}'
LONGEST = 100_000


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with new_session() as session:
        yield session


@pytest.fixture(scope="module")
def town() -> Iterator[str]:
    """A server that says what it was asked, sets a cookie, and knows a way elsewhere."""
    app = Flask("town")

    @app.route("/asked", methods=["GET", "POST"])
    def asked() -> Response:
        said = jsonify(method=request.method, headers=dict(request.headers), body=request.get_data(as_text=True))
        said.set_cookie("__cf_bm", "one")
        return said

    @app.get("/away")
    def away() -> Any:
        return redirect("/asked")

    with serve_in_thread(app) as url:
        yield url


def called(http: requests.Session, url: str, *, within_s: float = 2, ends_in_s: float = 5, **more: Any) -> Came:
    ends = time.monotonic() + ends_in_s
    headers = {"accept": "application/json", "x-api-key": SECRET} | more.pop("headers", {})
    return call(http, "POST", url, headers, BODY, read_timeout_s=within_s, ends=ends, longest=LONGEST, **more)


def failed(http: requests.Session, url: str, **more: Any) -> str:
    """Why there was no answer; neither secret nor body is in it, and it did not take long to know."""
    began = time.monotonic()
    with pytest.raises(Retriable) as error:
        called(http, url, **more)

    assert time.monotonic() - began < 5
    assert error.value.answer is None
    for told in (error.value.reason, str(error.value), repr(error.value)):
        assert SECRET not in told
        assert "john@acme.test" not in told
    return error.value.reason


class Deaf(requests.adapters.HTTPAdapter):
    """Notes for how long each call would wait, for a connection and for an answer, and has neither."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[Any] = []

    def send(self, *_: Any, timeout: Any = None, **__: Any) -> requests.Response:
        self.waits.append(timeout)
        raise requests.ConnectTimeout


@pytest.fixture
def deaf(http: requests.Session) -> Deaf:
    adapter = Deaf()
    http.mount("http://", adapter)
    return adapter


@pytest.mark.parametrize(
    ("times", "waits"),
    [
        ({"within_s": 60, "ends_in_s": 600}, (3.05, 60)),
        ({"within_s": 1, "ends_in_s": 600}, (3.05, 1)),
        ({"within_s": 60, "ends_in_s": 2}, (2, 2)),
        ({"within_s": 60, "ends_in_s": -1}, (0.001, 0.001)),
    ],
)
def test_a_call_waits_no_longer_than_it_may(
    http: requests.Session, deaf: Deaf, times: dict[str, float], waits: tuple[float, float]
) -> None:
    reason = failed(http, "http://klaviyo.test", **times)

    assert deaf.waits == [pytest.approx(waits, rel=0.1)]
    assert reason.startswith("no connection within ")


@pytest.mark.parametrize(
    "ask",
    [
        lambda http: KlaviyoClient("http://klaviyo.test", SECRET, http).get("/api/accounts"),
        lambda http: VrioClient("http://vrio.test", SECRET, http, UTC, wait=lambda _seconds: None).customer("68441"),
    ],
    ids=["Klaviyo", "Vrio"],
)
def test_neither_is_waited_for_longer_than_some_seconds(
    http: requests.Session, deaf: Deaf, ask: Callable[[requests.Session], object]
) -> None:
    with pytest.raises(Retriable):
        ask(http)

    assert deaf.waits[0] == pytest.approx((3.05, 10), rel=0.01)


def test_what_is_asked_is_what_was_given(http: requests.Session, town: str) -> None:
    came = called(http, f"{town}/asked")

    assert (came.answer.status, came.cut) == (200, "")
    assert came.answer.headers["content-type"] == "application/json"
    asked = json.loads(came.answer.body)
    assert asked["method"] == "POST"
    assert asked["body"] == BODY.decode()
    assert asked["headers"]["X-Api-Key"] == SECRET
    assert asked["headers"]["Accept"] == "application/json"
    assert asked["headers"]["Accept-Encoding"] == "gzip, deflate"


def test_a_redirect_is_an_answer(http: requests.Session, town: str) -> None:
    ends = time.monotonic() + 5
    came = call(http, "GET", f"{town}/away", {}, read_timeout_s=5, ends=ends, longest=LONGEST)

    assert came.answer.status == 302
    assert came.answer.headers["location"] == "/asked"


def test_what_an_answer_sets_does_not_go_out_again(http: requests.Session, town: str) -> None:
    assert "set-cookie" in called(http, f"{town}/asked").answer.headers

    assert b"Cookie" not in called(http, f"{town}/asked").answer.body


def test_the_environment_is_not_asked(http: requests.Session, town: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert called(http, f"{town}/asked").answer.status == 200


def test_a_connection_is_used_again(http: requests.Session, town: str) -> None:
    for _ in range(3):
        called(http, f"{town}/asked")

    pools = http.get_adapter(town).poolmanager.pools  # type: ignore[attr-defined]
    (pool,) = [pools.get(key) for key in pools.keys()]  # noqa: SIM118 (no mapping)
    assert (pool.num_connections, pool.num_requests) == (1, 3)


def test_nobody_there(http: requests.Session) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert failed(http, f"http://127.0.0.1:{port}") == "the connection broke or was refused"


@pytest.mark.parametrize("url", ["nowhere", "ftp://a.klaviyo.test/", "http://", "http://a b/"])
def test_a_url_that_is_none(http: requests.Session, url: str) -> None:
    assert failed(http, url).startswith("the call failed (")


def test_somebody_who_speaks_no_tls(http: requests.Session) -> None:
    with answering(saying(b"HTTP/1.1 400 Plain\r\n\r\n", shut=True)) as url:
        assert failed(http, url.replace("http:", "https:")) == "the TLS connection failed"


@pytest.mark.parametrize("headers", [{"x-api-key": f"{SECRET}\r\nX: y"}, {"x-api-key": f"{SECRET}\n"}])
def test_what_fits_into_no_header_is_not_told(http: requests.Session, headers: dict[str, str]) -> None:
    assert failed(http, "http://127.0.0.1:9", headers=headers) == "the call failed (InvalidHeader)"


HEAD = b"HTTP/1.1 202 Accepted\r\n"


def dripping(head: bytes, drop: bytes) -> Callable[[socket.socket], None]:
    """An answer that begins well and then comes a drop at a time."""
    return saying(head, *[drop] * 200, pause_s=0.05)


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (HEAD + b"Content-Length: 99999\r\n\r\n", b"x"),
        (HEAD + b"\r\n", b"x"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["length", "until closed", "chunked"],
)
def test_a_body_that_drips_is_cut(http: requests.Session, head: bytes, drop: bytes) -> None:
    with answering(dripping(head, drop)) as url:
        began = time.monotonic()
        came = called(http, url, ends_in_s=0.5)
        took = time.monotonic() - began

    assert came.cut == "the answer did not end in time"
    assert came.answer.status == 202
    assert set(came.answer.body) == {ord("x")}
    assert took < 5


@pytest.mark.parametrize(
    ("head", "drop"),
    [(b"", b"H"), (HEAD + b"x-long: ", b"x"), (HEAD, b"a: b\r\n")],
    ids=["status line", "one header", "many headers"],
)
def test_a_head_that_drips_is_not_waited_for(http: requests.Session, head: bytes, drop: bytes) -> None:
    with answering(dripping(head, drop)) as url:
        assert failed(http, url, within_s=0.5) == "no answer within 0.5 s"


@pytest.mark.parametrize("times", [{"within_s": 0.3}, {"ends_in_s": 0.3}], ids=["a single wait", "all of it"])
@pytest.mark.parametrize("said", [b"", HEAD + b"Content-Length: 100\r\n\r\nhalf"], ids=["silent", "stops"])
def test_silence_is_not_waited_for(http: requests.Session, said: bytes, times: dict[str, float]) -> None:
    with answering(saying(said) if said else saying()) as url:
        assert failed(http, url, **times) == "no answer within 0.3 s"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 999999 X\r\n\r\n",
        HEAD + b"Content-Length: 100\r\n\r\nhalf",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain",
    ],
    ids=["nothing", "no HTTP", "no status", "half of it", "not packed"],
)
def test_what_is_no_whole_answer_is_none(http: requests.Session, said: bytes) -> None:
    with answering(saying(said, shut=True)) as url:
        assert failed(http, url) in ("the connection broke or was refused", "the answer broke off")


def flooding(said: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(b"HTTP/1.1 500 Oops\r\n" + said)

    return answer


PACKED = gzip.compress(b"x" * 50_000_000)


@pytest.mark.parametrize(
    "said",
    [
        b"Content-Length: 50000000\r\n\r\n" + b"x" * 50_000_000,
        b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(PACKED), PACKED),
    ],
    ids=["plain", "packed"],
)
def test_a_long_answer_is_cut(http: requests.Session, said: bytes) -> None:
    with answering(flooding(said)) as url:
        came = called(http, url)

    assert came.cut == "the answer is longer than 100,000 bytes"
    assert came.answer.body == b"x" * LONGEST


def test_an_answer_of_just_that_length_is_whole(http: requests.Session) -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LONGEST + b"x" * LONGEST
    with answering(saying(said)) as url:
        came = called(http, url)

    assert (came.cut, len(came.answer.body)) == ("", LONGEST)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0"}, 1),
        ({"retry-after": "1"}, 1),
        ({}, 10),
        ({"retry-after": ""}, 10),
        ({"retry-after": "soon"}, 10),
        ({"retry-after": "-5"}, 10),
        ({"retry-after": "٣"}, 10),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 10),
        ({"retry-after": "86400"}, LONGEST_WAIT_S),
        ({"retry-after": "9" * 12}, LONGEST_WAIT_S),
        ({"retry-after": "9" * 5000}, LONGEST_WAIT_S),
    ],
)
def test_one_waits_as_told_and_never_for_ever(headers: dict[str, str], seconds: float) -> None:
    assert retry_after_s(headers) == seconds
