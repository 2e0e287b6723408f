"""One call to Klaviyo: which answer is which error, and no answer takes for ever, fills the memory or tells the key."""

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import requests

from sandbox.klaviyo import GOOD_KEY, REVOKED_KEY
from tests.building import Klaviyo, event, klaviyo_served
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
from vrio_klaviyo.klaviyo.client import (
    LONGEST_ANSWER,
    LONGEST_WAIT_S,
    KlaviyoClient,
    errors_in,
    failure_of,
    new_session,
    retry_after_s,
)
from vrio_klaviyo.klaviyo.requests import Known, Profile, Rendered, Style, render

IN_EVENT = "/data/attributes/profile/data/attributes/phone_number"
IN_PROFILE = "/data/attributes/phone_number"
HTML = b"<html><body><h1>403 Forbidden</h1></body></html>"


def errors(*pairs: tuple[str, str | None]) -> bytes:
    """A JSON:API body of errors, each with its code and pointer."""
    return json.dumps({"errors": [{"code": code, "source": {"pointer": at}} for code, at in pairs]}).encode()


INVALID = errors(("invalid", "/data/attributes/time"))
PHONE = errors(("invalid", IN_EVENT))


@pytest.mark.parametrize(
    ("status", "body", "has_phone", "error"),
    [
        (400, INVALID, True, Rejected),
        (400, b"", True, Rejected),
        (400, HTML, True, Rejected),
        (400, PHONE, True, PhoneRejected),
        (400, errors(("invalid", IN_PROFILE)), True, PhoneRejected),
        (400, errors(("invalid", f"{IN_PROFILE}/")), True, PhoneRejected),
        (400, errors(("invalid", IN_EVENT), ("invalid", IN_EVENT)), True, PhoneRejected),
        (400, errors(("invalid", f"{IN_PROFILE[:-13]}/properties/$phone_number")), True, PhoneRejected),
        (400, PHONE, False, Rejected),
        (400, errors(("invalid", IN_EVENT), ("invalid", "/data/attributes/time")), True, Rejected),
        (400, errors(("invalid", IN_EVENT), ("invalid", None)), True, Rejected),
        (400, errors(("invalid", "/data/attributes/properties/my_phone_number")), True, Rejected),
        (400, errors(("not_authenticated", "/data/")), True, NotAuthorized),
        (400, errors(("authentication_failed", None)), False, NotAuthorized),
        (422, INVALID, True, Rejected),
        (422, PHONE, True, PhoneRejected),
        (401, errors(("not_authenticated", "/data/")), True, NotAuthorized),
        (401, HTML, True, Retriable),
        (401, b"", True, Retriable),
        (403, errors(("permission_denied", "/data/")), True, NotAuthorized),
        (403, HTML, True, Retriable),
        (403, b'{"detail": "no"}', True, Retriable),
        (404, errors(("not_found", "/data/")), True, EndpointRefused),
        (404, HTML, True, EndpointRefused),
        (405, INVALID, True, EndpointRefused),
        (410, INVALID, True, EndpointRefused),
        (415, INVALID, True, EndpointRefused),
        (406, INVALID, True, Rejected),
        (408, b"", True, Retriable),
        (409, errors(("duplicate_profile", "/data/attributes")), True, PhoneRejected),
        (409, errors(("duplicate_profile", "/data/attributes")), False, Rejected),
        (413, b"", True, Rejected),
        (418, b"", True, Rejected),
        (429, errors(("throttled", "/data/")), True, Throttled),
        (429, HTML, True, Throttled),
        (500, b"", True, Retriable),
        (502, HTML, True, Retriable),
        (503, errors(("error", None)), True, Retriable),
        (504, b"", True, Retriable),
        (520, b"", True, Retriable),
        (301, b"", True, Retriable),
        (302, b"", True, Retriable),
        (304, b"", True, Retriable),
        (600, b"", True, Retriable),
    ],
)
def test_an_answer_is_an_error_of_this_kind(status: int, body: bytes, has_phone: bool, error: type[CallFailed]) -> None:
    answer = Answer(status, {}, body)
    found = failure_of(answer, has_phone=has_phone)

    assert type(found) is error
    assert found.answer is answer
    assert found.reason.startswith(str(status))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        b'{"data": [{"type": ',
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b'"errors"',
        b'{"errors": null}',
        b'{"errors": {"code": "x"}}',
        b'{"errors": [1, null, "x", []]}',
        b"[" * 100_000,
        b'{"errors": [{"code": ' + b"9" * 5000 + b"}]}",
    ],
)
def test_an_answer_that_is_no_json_api_has_no_errors(body: bytes) -> None:
    assert errors_in(Answer(400, {}, body)) == []
    assert type(failure_of(Answer(400, {}, body), has_phone=True)) is Rejected


@pytest.mark.parametrize(
    "error",
    [
        {"code": ["list"], "source": "text"},
        {"code": {"a": 1}, "source": {"pointer": 7}},
        {"code": None, "source": None},
        {"source": []},
        {},
    ],
)
def test_an_error_of_an_odd_shape_is_still_one(error: dict[str, Any]) -> None:
    found = failure_of(Answer(400, {}, json.dumps({"errors": [error]}).encode()), has_phone=True)

    assert type(found) is Rejected


def test_the_reason_is_status_code_and_pointer_and_not_the_detail() -> None:
    error = {"code": "invalid", "detail": "john@acme.test is bad", "source": {"pointer": "/data/attributes/time"}}
    found = failure_of(Answer(400, {}, json.dumps({"errors": [error]}).encode()), has_phone=False)

    assert found.reason == "400 invalid /data/attributes/time"


def test_a_reason_is_short_however_much_klaviyo_says() -> None:
    found = failure_of(Answer(400, {}, errors(*[("c" * 5000, "/p" * 5000)] * 50)), has_phone=False)

    assert len(found.reason) < 700


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
def test_the_lane_waits_as_told_and_never_for_ever(headers: dict[str, str], seconds: float) -> None:
    assert retry_after_s(headers) == seconds
    found = failure_of(Answer(429, headers, b""), has_phone=True)
    assert isinstance(found, Throttled)
    assert found.retry_after_s == seconds


@pytest.fixture(scope="module")
def served() -> Iterator[Klaviyo]:
    with klaviyo_served() as klaviyo:
        yield klaviyo


@pytest.fixture
def klaviyo(served: Klaviyo) -> Klaviyo:
    served.reset()
    return served


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with new_session() as session:
        yield session


def rendered(**changes: Any) -> Rendered:
    return render(event(profile=Profile(email="john@acme.test", phone="+15551234567"), **changes), Style(), Known())


def test_what_is_accepted_comes_back(klaviyo: Klaviyo, http: requests.Session) -> None:
    answer = KlaviyoClient(klaviyo.url, GOOD_KEY, http).send(rendered())

    assert answer.status == 202
    assert answer.body == b""
    assert answer.headers["cid"] == "SbxA01"
    assert all(name == name.lower() for name in answer.headers)
    (request,) = klaviyo.requests()
    assert request["key"] == "good"
    assert request["body"].encode() == rendered().body
    assert {name: request["headers"][name.title()] for name in ("revision", "content-type")} == {
        "revision": "2026-07-15",
        "content-type": "application/vnd.api+json",
    }


@pytest.mark.requirement("003-70")
def test_a_key_that_klaviyo_does_not_know_is_not_authorized(klaviyo: Klaviyo, http: requests.Session) -> None:
    for key in (REVOKED_KEY, "pk_unknown"):
        with pytest.raises(NotAuthorized, match=r"^401 "):
            KlaviyoClient(klaviyo.url, key, http).send(rendered())


@pytest.mark.parametrize(
    ("fault", "how", "error"),
    [
        ("status", {"status": 500}, Retriable),
        ("status", {"status": 404}, EndpointRefused),
        ("status", {"status": 302, "headers": {"Location": "https://klaviyo.example/"}}, Retriable),
        ("status", {"status": 401}, NotAuthorized),
        ("html", {"status": 401}, Retriable),
        ("html", {"status": 403}, Retriable),
        ("garbage", {"status": 400}, Rejected),
        ("garbage", {"status": 503}, Retriable),
        ("throttle", {"retry_after": 3}, Throttled),
        ("reset", {}, Retriable),
    ],
)
def test_what_goes_wrong_over_http_is_told_apart(
    klaviyo: Klaviyo, http: requests.Session, fault: str, how: dict[str, Any], error: type[CallFailed]
) -> None:
    klaviyo.fault(fault, **how)
    with pytest.raises(CallFailed) as failed:
        KlaviyoClient(klaviyo.url, GOOD_KEY, http).send(rendered())

    assert type(failed.value) is error
    assert len(klaviyo.requests()) == 1
    assert_tells_no_secret(failed.value)


def assert_tells_no_secret(error: CallFailed) -> None:
    for told in (error.reason, str(error), repr(error)):
        assert GOOD_KEY not in told
        assert "john@acme.test" not in told
        assert "+15551234567" not in told


def test_garbage_that_is_accepted_is_accepted(klaviyo: Klaviyo, http: requests.Session) -> None:
    klaviyo.fault("garbage", status=202)

    assert KlaviyoClient(klaviyo.url, GOOD_KEY, http).send(rendered()).status == 202


def test_what_one_account_sets_does_not_go_out_to_another(klaviyo: Klaviyo, http: requests.Session) -> None:
    klaviyo.fault("status", status=202, headers={"Set-Cookie": "__cf_bm=one; Path=/"})
    KlaviyoClient(klaviyo.url, GOOD_KEY, http).send(rendered())
    KlaviyoClient(klaviyo.url, GOOD_KEY, http).send(rendered())

    assert "Cookie" not in klaviyo.requests()[1]["headers"]


def test_nobody_there_is_retriable(http: requests.Session) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Retriable, match="the connection broke or was refused") as failed:
        KlaviyoClient(f"http://127.0.0.1:{port}", GOOD_KEY, http).send(rendered())

    assert failed.value.answer is None
    assert_tells_no_secret(failed.value)


def test_a_key_that_fits_into_no_header_is_not_told(http: requests.Session) -> None:
    with pytest.raises(CallFailed) as failed:
        KlaviyoClient("http://127.0.0.1:9", f"{GOOD_KEY}\r\nX: y", http).send(rendered())

    assert_tells_no_secret(failed.value)


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads the head of one request, and then does as told with the connection."""
    ended = threading.Event()

    def serve() -> None:
        with suppress(OSError):
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                answer(connection)
                ended.wait(20)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        ended.set()
        server.close()
        thread.join()


def dripping(head: bytes, drop: bytes) -> Callable[[socket.socket], None]:
    """An answer that begins well and then comes a drop at a time."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(head)
        with suppress(OSError):
            for _ in range(200):
                connection.sendall(drop)
                time.sleep(0.05)

    return answer


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 202 Accepted\r\nContent-Length: 99999\r\n\r\n", b"x"),
        (b"HTTP/1.1 202 Accepted\r\n\r\n", b"x"),
        (b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["length", "until closed", "chunked"],
)
def test_an_answer_that_drips_is_not_waited_for(http: requests.Session, head: bytes, drop: bytes) -> None:
    with answering(dripping(head, drop)) as url:
        began = time.monotonic()
        answer = KlaviyoClient(url, GOOD_KEY, http, read_timeout_s=0.5).send(rendered())
        took = time.monotonic() - began

    # What it is about stands at its beginning.
    assert answer.status == 202
    assert set(answer.body) == {ord("x")}
    assert took < 2


@pytest.mark.parametrize(
    ("head", "drop"),
    [(b"", b"H"), (b"HTTP/1.1 202 Accepted\r\nx-long: ", b"x"), (b"HTTP/1.1 202 Accepted\r\n", b"a: b\r\n")],
    ids=["status line", "one header", "many headers"],
)
def test_a_head_that_drips_is_not_waited_for(http: requests.Session, head: bytes, drop: bytes) -> None:
    with answering(dripping(head, drop)) as url:
        began = time.monotonic()
        with pytest.raises(Retriable, match=r"no answer within 0\.5 s"):
            KlaviyoClient(url, GOOD_KEY, http, read_timeout_s=0.5).send(rendered())
        took = time.monotonic() - began

    assert took < 2


def test_silence_is_not_waited_for(http: requests.Session) -> None:
    with answering(lambda connection: None) as url:
        began = time.monotonic()
        with pytest.raises(Retriable, match=r"no answer within 0\.3 s"):
            KlaviyoClient(url, GOOD_KEY, http, read_timeout_s=0.3).send(rendered())
        took = time.monotonic() - began

    assert took < 2


def test_an_answer_that_stops_half_way_is_not_waited_for(http: requests.Session) -> None:
    def stop(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\nhalf")

    with answering(stop) as url, pytest.raises(Retriable, match=r"no answer within 0\.3 s"):
        KlaviyoClient(url, GOOD_KEY, http, read_timeout_s=0.3).send(rendered())


def test_an_answer_that_breaks_off_is_retriable(http: requests.Session) -> None:
    def cut(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\nhalf")
        connection.shutdown(socket.SHUT_WR)

    with answering(cut) as url, pytest.raises(Retriable):
        KlaviyoClient(url, GOOD_KEY, http, read_timeout_s=2).send(rendered())


@pytest.mark.parametrize("said", [b"garbage\r\n\r\n", b"", b"HTTP/1.1 999999 X\r\n\r\n"])
def test_what_is_no_http_is_retriable(http: requests.Session, said: bytes) -> None:
    def say(connection: socket.socket) -> None:
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)

    with answering(say) as url, pytest.raises(Retriable):
        KlaviyoClient(url, GOOD_KEY, http, read_timeout_s=2).send(rendered())


def test_a_long_answer_is_cut(http: requests.Session) -> None:
    def flood(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(b"HTTP/1.1 500 Oops\r\nContent-Length: 50000000\r\n\r\n" + b"x" * 50_000_000)

    with answering(flood) as url, pytest.raises(Retriable) as failed:
        KlaviyoClient(url, GOOD_KEY, http).send(rendered())

    assert failed.value.answer is not None
    assert failed.value.answer.body == b"x" * LONGEST_ANSWER


def test_a_packed_answer_is_unpacked_and_cut(http: requests.Session) -> None:
    packed = gzip.compress(b"x" * 50_000_000)

    def answer(connection: socket.socket) -> None:
        head = f"HTTP/1.1 500 Oops\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
        with suppress(OSError):
            connection.sendall(head.encode() + packed)

    with answering(answer) as url, pytest.raises(Retriable) as failed:
        KlaviyoClient(url, GOOD_KEY, http).send(rendered())

    assert failed.value.answer is not None
    assert failed.value.answer.body == b"x" * LONGEST_ANSWER


def test_an_answer_that_is_not_what_it_says_is_retriable(http: requests.Session) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 202 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain")

    with answering(answer) as url, pytest.raises(Retriable, match="the answer broke off"):
        KlaviyoClient(url, GOOD_KEY, http).send(rendered())


def test_an_answer_that_repeats_the_key_is_kept_without_it(klaviyo: Klaviyo, http: requests.Session) -> None:
    echo = {"errors": [{"code": "invalid", "detail": f"{GOOD_KEY} may not", "source": {"pointer": f"/{GOOD_KEY}"}}]}
    klaviyo.fault("status", status=400, body=echo, headers={"X-Told": GOOD_KEY})

    with pytest.raises(Rejected) as failed:
        KlaviyoClient(klaviyo.url, GOOD_KEY, http).send(rendered())

    answer = failed.value.answer
    assert answer is not None
    assert GOOD_KEY not in f"{answer.headers} {answer.body!r} {failed.value}"
    assert answer.headers["x-told"] == "pk_removed"
    assert failed.value.reason == "400 invalid /pk_removed"


def test_an_answer_to_nobody_is_kept_as_it_is(klaviyo: Klaviyo, http: requests.Session) -> None:
    klaviyo.fault("status", status=500, body="as it is")

    with pytest.raises(Retriable) as failed:
        KlaviyoClient(klaviyo.url, "", http).get("/api/accounts")

    assert failed.value.answer is not None
    assert failed.value.answer.body == b'"as it is"'


def test_a_connection_is_used_again(klaviyo: Klaviyo, http: requests.Session) -> None:
    client = KlaviyoClient(klaviyo.url, GOOD_KEY, http)
    for number in range(3):
        client.send(rendered(unique_id=str(number)))

    pools = http.get_adapter(klaviyo.url).poolmanager.pools  # type: ignore[attr-defined]
    (pool,) = [pools.get(key) for key in pools.keys()]  # noqa: SIM118 (no mapping)
    assert (pool.num_connections, pool.num_requests) == (1, 3)
