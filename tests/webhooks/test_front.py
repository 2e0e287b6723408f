"""The web server's door, as the shipped server runs it: whole requests for few threads, however slowly they come."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from tests.product import ROOT, wait_until
from webhooks.front import MOST_BYTES

HEAD = b"POST /slow HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address: tuple[str, int] = free.getsockname()
    command = [sys.executable, "-m", "granian", "--interface", "rsgi", "tests.webhooks.echo:front"]
    process = subprocess.Popen([*command, "--port", str(address[1]), "--log-level", "warning"], cwd=ROOT)
    wait_until(lambda: answers(address), "the server answers")
    yield address
    process.terminate()
    process.wait(30)


@pytest.fixture
def url(server: tuple[str, int]) -> str:
    return f"http://{server[0]}:{server[1]}"


def answers(address: tuple[str, int]) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(address) == 0


def told(answer: requests.Response) -> Any:
    return answer.json()


def test_a_request_reaches_the_application_whole(url: str) -> None:
    answer = requests.post(f"{url}/a%20path/%C3%A9?q=1%202", data=b"a body", headers={"X-Two": "2"}, timeout=10)

    assert answer.status_code == 202
    assert answer.headers["X-One"] == "1"
    assert dict(answer.cookies) == {"a": "1", "b": "2"}
    asked = told(answer)
    assert (asked["REQUEST_METHOD"], asked["QUERY_STRING"], asked["body"]) == ("POST", "q=1%202", "a body")
    assert asked["PATH_INFO"].encode("latin-1").decode() == "/a path/é"
    assert (asked["HTTP_X_TWO"], asked["CONTENT_LENGTH"], asked["REMOTE_ADDR"]) == ("2", "6", "127.0.0.1")
    assert url == f"http://{asked['SERVER_NAME']}:{asked['SERVER_PORT']}"
    assert asked["HTTP_HOST"] in url


def test_a_body_whose_length_is_not_told_is_whole_too(url: str) -> None:
    asked = told(requests.post(url, data=iter([b"one, ", b"two"]), timeout=10))

    assert (asked["body"], asked["CONTENT_LENGTH"]) == ("one, two", "8")


def test_an_answer_may_come_in_parts(url: str) -> None:
    assert told(requests.get(f"{url}/parts", timeout=10))["PATH_INFO"] == "/parts"


def test_a_head_is_answered_without_a_body(url: str) -> None:
    answer = requests.head(url, timeout=10)

    assert (answer.status_code, answer.content) == (202, b"")


def test_webhooks_have_an_application_of_their_own(url: str) -> None:
    assert requests.post(f"{url}/webhooks/vrio/key", timeout=10).status_code == 204


def test_slow_clients_keep_no_thread(server: tuple[str, int], url: str) -> None:
    with ExitStack() as stack:
        for _ in range(50):
            client = stack.enter_context(socket.create_connection(server))
            client.sendall(HEAD + b"{")

        assert told(requests.post(url, data=b"quick", timeout=10))["body"] == "quick"


def test_who_is_too_slow_is_told_so(server: tuple[str, int]) -> None:
    with socket.create_connection(server, timeout=30) as client:
        client.sendall(HEAD + b"{")

        assert client.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_a_body_without_an_end_is_refused(server: tuple[str, int]) -> None:
    with socket.create_connection(server, timeout=30) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n")
        part = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        for _ in range(MOST_BYTES // 0x100000 + 1):
            client.sendall(part)

        assert client.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_says_that_it_is_too_long_is_not_waited_for(server: tuple[str, int]) -> None:
    with socket.create_connection(server, timeout=30) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % (MOST_BYTES + 1))

        assert client.recv(1000).startswith(b"HTTP/1.1 202 ")
