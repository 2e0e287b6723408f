"""What goes wrong on the wire: it is retriable, and neither time nor memory is lost to it."""

import socket
import time
from datetime import UTC

import pytest
import requests
from flask import Flask, Response, jsonify, request

from sandbox.klaviyo.server import serve_in_thread
from tests.vrio.client.played import KEY, assert_tells_no_secret, sales
from tests.wire import answering, saying
from vrio_klaviyo.errors import Retriable
from vrio_klaviyo.vrio.client import LONGEST_ANSWER, VrioClient

pytestmark = pytest.mark.requirement("003-C")


def test_nobody_there_is_retriable(http: requests.Session) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Retriable, match="the connection broke or was refused") as failed:
        VrioClient(f"http://127.0.0.1:{port}", KEY, http, UTC).customer("68441")

    assert failed.value.answer is None
    assert_tells_no_secret(failed.value)


def test_silence_is_not_waited_for(http: requests.Session) -> None:
    with answering(saying()) as url, pytest.raises(Retriable, match=r"^no answer within 0\.3 s$") as failed:
        VrioClient(url, KEY, http, UTC, read_timeout_s=0.3).customer("68441")

    assert_tells_no_secret(failed.value)


def test_silence_is_waited_for_no_longer_than_the_lookup_may_take(http: requests.Session) -> None:
    with answering(saying()) as url, pytest.raises(Retriable, match=r"^no answer within 0\."):
        VrioClient(url, KEY, http, UTC, total_timeout_s=0.3).customer("68441")


def test_an_answer_that_drips_is_not_waited_for(http: requests.Session) -> None:
    """Every single wait is short enough."""
    dripping = saying(b"HTTP/1.1 200 OK\r\n\r\n", *[b" "] * 300, pause_s=0.05)
    with answering(dripping) as url, pytest.raises(Retriable, match="the answer did not end in time"):
        VrioClient(url, KEY, http, UTC, total_timeout_s=2).customer("68441")


def test_an_answer_that_is_too_long_is_not_taken(http: requests.Session) -> None:
    long = saying(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (LONGEST_ANSWER + 1), shut=True)
    with answering(long) as url, pytest.raises(Retriable, match=r"longer than 8,388,608 bytes"):
        VrioClient(url, KEY, http, UTC).customer("68441")


def test_the_time_for_one_lookup_is_for_all_its_pages(http: requests.Session) -> None:
    """All of them together would take longer than a lookup may, and none of them does."""
    app = Flask("slow")

    @app.get("/transactions")
    def search() -> Response:
        time.sleep(0.1)
        first = int(request.args.get("offset", "0"))
        return jsonify({"total": 1000, "transactions": sales(first + 1)})

    with serve_in_thread(app) as url, pytest.raises(Retriable, match=r"no answer within|did not end in time"):
        VrioClient(url, KEY, http, UTC, total_timeout_s=1).transactions_of("68441")
