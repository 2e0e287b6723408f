"""Answers that Vrio has not finished yet: they are fetched where it says, and nowhere else."""

import time
from datetime import UTC
from typing import Any

import pytest
import requests
import responses

from tests.vrio.client.played import API, CUSTOMER, KEY, SALE, asked, error, unfinished
from vrio_klaviyo.errors import CallFailed, NotAuthorized, Retriable, Throttled
from vrio_klaviyo.vrio.client import PAUSES_S, VrioClient

pytestmark = pytest.mark.requirement("003-C")


def test_an_answer_that_is_not_finished_is_fetched_where_vrio_says(
    vrio: responses.RequestsMock, client: VrioClient, waits: list[float]
) -> None:
    vrio.get(f"{API}/transactions/1668", status=504, json=unfinished())
    vrio.get(f"{API}/api_requests/7f", status=504, json=unfinished(f"{API}/api_requests/8a?part=1"))
    vrio.get(f"{API}/api_requests/8a", json=SALE)

    found = client.transaction("1668")

    assert found is not None
    assert found.record.transaction_id == "1668"
    assert asked(vrio)[1:] == [("/api_requests/7f", {}), ("/api_requests/8a", {"part": "1"})]
    assert [call.request.headers["x-api-key"] for call in vrio.calls] == [KEY] * 3
    assert waits == list(PAUSES_S[:2])


def test_a_page_that_is_not_finished_is_fetched_too(vrio: responses.RequestsMock, client: VrioClient) -> None:
    vrio.get(f"{API}/transactions", status=504, json=unfinished())
    vrio.get(f"{API}/api_requests/7f", json={"total": 1, "transactions": [SALE]})

    assert client.transactions_of("68441").is_whole


def test_an_answer_that_is_never_finished_is_retriable(
    vrio: responses.RequestsMock, client: VrioClient, waits: list[float]
) -> None:
    vrio.get(f"{API}/customers/68441", status=504, json=unfinished())
    vrio.get(f"{API}/api_requests/7f", status=504, json=unfinished())

    with pytest.raises(Retriable, match=r"^504 request_processing$"):
        client.customer("68441")
    assert len(vrio.calls) == 1 + len(PAUSES_S)
    assert waits == list(PAUSES_S)


def test_an_answer_that_is_not_finished_in_time_is_retriable(
    vrio: responses.RequestsMock, http: requests.Session
) -> None:
    vrio.get(f"{API}/customers/68441", status=504, json=unfinished())
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        time.sleep(seconds)

    with pytest.raises(Retriable, match=r"no answer within 0\.2 s altogether"):
        VrioClient(API, KEY, http, UTC, total_timeout_s=0.2, wait=wait).customer("68441")
    (pause,) = waited
    assert pause <= 0.2 < PAUSES_S[0]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, error("internal_error"), Retriable),
        (401, error("unauthorized"), NotAuthorized),
        (429, b"", Throttled),
        # Whether the thing is gone or the finished answer, nobody can tell.
        (404, error("not_found"), Retriable),
        (200, b"garbage", Retriable),
        (200, b'{"customer_id": 5}', Retriable),
    ],
)
def test_a_finished_answer_is_judged_as_any_other(
    vrio: responses.RequestsMock, client: VrioClient, status: int, body: bytes, kind: type[CallFailed]
) -> None:
    vrio.get(f"{API}/customers/68441", status=504, json=unfinished())
    vrio.get(f"{API}/api_requests/7f", status=status, body=body)

    with pytest.raises(CallFailed) as failed:
        client.customer("68441")
    assert type(failed.value) is kind


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.test/api_requests/7f",
        "https://api.vrio.test.evil.test/api_requests/7f",
        "https://evil.test\\@api.vrio.test/api_requests/7f",
        "https://api.vrio.test\\@evil.test/api_requests/7f",
        "https://api.vrio.test@evil.test/api_requests/7f",
        "https://evil.test#@api.vrio.test/api_requests/7f",
        "https://evil.test?@api.vrio.test/api_requests/7f",
        "http://api.vrio.test/api_requests/7f",
        "http://api.vrio.test:443/api_requests/7f",
        "https://api.vrio.test:8443/api_requests/7f",
        "https://api.vrio.test:99999/api_requests/7f",
        "https://[api.vrio.test/api_requests/7f",
        "//api.vrio.test/api_requests/7f",
        "ftp://api.vrio.test/api_requests/7f",
        "/api_requests/7f",
        "https://api.vrio.test",
        "https://api.vrio.test/",
        "https://api.vrio.test/a b",
        "https://api.vrio.test/a\\b",
        "https://api.vrio.test/a?b c",
        "https://api.vrio.test/a?b=<c>",
        "https://api.vrio.test/" + "a" * 600,
        "",
        None,
        7,
        [f"{API}/api_requests/7f"],
    ],
)
def test_the_key_goes_nowhere_else(
    vrio: responses.RequestsMock, client: VrioClient, waits: list[float], elsewhere: Any
) -> None:
    vrio.get(f"{API}/customers/68441", status=504, json=unfinished(elsewhere))

    with pytest.raises(Retriable, match="its api_request is no URL of this API"):
        client.customer("68441")
    assert len(vrio.calls) == 1
    assert waits == []


@pytest.mark.parametrize("same", ["HTTPS://API.vrio.TEST/api_requests/7f", f"{API}:443/api_requests/7f"])
def test_another_spelling_of_our_own_host_is_our_own_host(
    vrio: responses.RequestsMock, client: VrioClient, same: str
) -> None:
    vrio.get(f"{API}/customers/68441", status=504, json=unfinished(same))
    vrio.get(f"{API}/api_requests/7f", json=CUSTOMER)

    assert client.customer("68441") is not None
