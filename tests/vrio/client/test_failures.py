"""Which answer is which error, and that none of them tells the key or a customer."""

from datetime import UTC
from typing import Any

import pytest
import requests
import responses

from tests.vrio.client.played import API, HTML, KEY, assert_tells_no_secret, error
from vrio_klaviyo.errors import Answer, CallFailed, EndpointRefused, NotAuthorized, Rejected, Retriable, Throttled
from vrio_klaviyo.vrio.client import VrioClient, failure_of

pytestmark = pytest.mark.requirement("003-C")


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (400, error("bad_request"), Rejected, "400 bad_request"),
        (400, HTML, Rejected, "400"),
        (401, error("unauthorized"), NotAuthorized, "401 unauthorized"),
        (401, b"", NotAuthorized, "401"),
        (403, error("access_denied"), NotAuthorized, "403 access_denied"),
        (403, b'{"message": "Forbidden"}', NotAuthorized, "403"),
        (403, HTML, Retriable, "403 (not Vrio's own answer)"),
        (403, b"", Retriable, "403 (not Vrio's own answer)"),
        (404, HTML, Retriable, "404 (not Vrio's own answer)"),
        (404, b'{"message": "Not Found"}', Retriable, "404 (not Vrio's own answer)"),
        (405, b"", EndpointRefused, "405"),
        (408, b"", Retriable, "408"),
        (410, b"", EndpointRefused, "410"),
        (413, error("payload_too_large"), Rejected, "413 payload_too_large"),
        (415, b"", EndpointRefused, "415"),
        (429, error("too_many"), Throttled, "429 too_many"),
        (429, HTML, Throttled, "429"),
        (500, error("internal_error"), Retriable, "500 internal_error"),
        (502, HTML, Retriable, "502"),
        (503, b"", Retriable, "503"),
        (504, b"", Retriable, "504"),
        (504, error("timeout", api_request=f"{API}/x"), Retriable, "504 timeout"),
        (503, error("request_processing", api_request=f"{API}/x"), Retriable, "503 request_processing"),
        (301, b"", Retriable, "301"),
        (304, b"", Retriable, "304"),
    ],
)
def test_an_answer_is_an_error_of_this_kind(
    vrio: responses.RequestsMock, client: VrioClient, status: int, body: bytes, kind: type[CallFailed], reason: str
) -> None:
    vrio.get(f"{API}/customers/68441", status=status, body=body)

    with pytest.raises(CallFailed) as failed:
        client.customer("68441")

    assert type(failed.value) is kind
    assert failed.value.reason == reason
    assert failed.value.answer is not None
    assert failed.value.answer.status == status
    assert len(vrio.calls) == 1
    assert_tells_no_secret(failed.value)


@pytest.mark.parametrize(
    "code", [None, 7, ["x"], {"a": 1}, "", "Bad", "a" * 41, KEY, "john@acme.test", "a b", "a\n", "ä"]
)
def test_a_code_that_is_none_is_not_told(code: Any) -> None:
    assert failure_of(Answer(500, {}, error(code))).reason == "500"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        b"null",
        b"[]",
        b'"error"',
        b'{"transaction_id": 1668',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        HTML,
    ],
)
@pytest.mark.parametrize("status", [200, 403, 404, 504])
def test_hostile_json_is_retriable(vrio: responses.RequestsMock, client: VrioClient, body: bytes, status: int) -> None:
    vrio.get(f"{API}/transactions/1668", status=status, body=body)

    with pytest.raises(Retriable):
        client.transaction("1668")


@pytest.mark.parametrize("body", [b'{"error": null}', b'{"error": "x"}', b'{"error": [1]}', b'{"error": {}}'])
def test_a_404_that_is_not_in_vrios_words_is_no_absence(
    vrio: responses.RequestsMock, client: VrioClient, body: bytes
) -> None:
    vrio.get(f"{API}/customers/68441", status=404, body=body)

    with pytest.raises(Retriable):
        client.customer("68441")


def test_who_is_throttled_waits_as_told() -> None:
    found = failure_of(Answer(429, {"retry-after": "7"}, b""))

    assert isinstance(found, Throttled)
    assert found.retry_after_s == 7


def test_a_redirect_is_not_followed(vrio: responses.RequestsMock, client: VrioClient) -> None:
    vrio.get(f"{API}/customers/68441", status=302, headers={"Location": "https://evil.test/"})

    with pytest.raises(Retriable, match=r"^302$"):
        client.customer("68441")
    assert len(vrio.calls) == 1


@pytest.mark.parametrize("key", ["", " ", f"{KEY}\r\nX-More: y", f"{KEY}\n", f" {KEY}", f"{KEY}€", f"{KEY}\x00"])
def test_a_key_that_fits_into_no_header_is_not_sent_and_not_told(
    vrio: responses.RequestsMock, http: requests.Session, key: str
) -> None:
    with pytest.raises(NotAuthorized) as failed:
        VrioClient(API, key, http, UTC).customer("68441")

    assert_tells_no_secret(failed.value)
    assert failed.value.__cause__ is None
    assert len(vrio.calls) == 0


def test_the_client_does_not_tell_its_key(client: VrioClient) -> None:
    assert KEY not in repr(client)
    assert KEY not in str(client)
