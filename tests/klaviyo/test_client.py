"""One call to Klaviyo: which answer is which error, and none of them tells the key."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.klaviyo import GOOD_KEY, REVOKED_KEY
from tests.bodies import event
from tests.steered import Klaviyo
from tests.wire import answering, saying
from vrio_klaviyo.calling import new_session
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
from vrio_klaviyo.klaviyo.client import LONGEST_ANSWER, KlaviyoClient, errors_in, failure_of
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


def test_the_lane_waits_as_told() -> None:
    found = failure_of(Answer(429, {"retry-after": "7"}, b""), has_phone=True)

    assert isinstance(found, Throttled)
    assert found.retry_after_s == 7


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


def test_of_an_answer_that_does_not_end_the_beginning_is_taken(http: requests.Session) -> None:
    dripping = saying(b"HTTP/1.1 202 Accepted\r\n\r\n", *[b"x"] * 200, pause_s=0.05)
    with answering(dripping) as url:
        answer = KlaviyoClient(url, GOOD_KEY, http, read_timeout_s=0.5).send(rendered())

    assert answer.status == 202
    assert 0 < len(answer.body) < 200


def test_of_a_long_answer_the_beginning_is_kept(http: requests.Session) -> None:
    long = b"HTTP/1.1 500 Oops\r\n\r\n" + b"x" * (LONGEST_ANSWER + 1)
    with answering(saying(long, shut=True)) as url, pytest.raises(Retriable, match=r"^500$") as failed:
        KlaviyoClient(url, GOOD_KEY, http).send(rendered())

    assert failed.value.answer is not None
    assert failed.value.answer.body == b"x" * LONGEST_ANSWER


def test_silence_is_not_waited_for(http: requests.Session) -> None:
    with answering(saying()) as url, pytest.raises(Retriable, match=r"no answer within 0\.3 s"):
        KlaviyoClient(url, GOOD_KEY, http, read_timeout_s=0.3).send(rendered())


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
