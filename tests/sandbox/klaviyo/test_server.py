"""
The sandbox over real HTTP: connections stay open, break when told to, and the command ends when told to.
"""

import copy
import json
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from sandbox.klaviyo import GOOD_KEY, Settings, create_app, serve_in_thread

ROOT = Path(__file__).parents[3]
HEADERS = {
    "Authorization": f"Klaviyo-API-Key {GOOD_KEY}",
    "revision": "2026-07-15",
    "content-type": "application/vnd.api+json",
    "accept": "application/vnd.api+json",
}


@pytest.fixture
def url():
    with serve_in_thread(create_app(Settings(rate_limits=False))) as base:
        yield base


@pytest.fixture
def session():
    with requests.Session() as session:
        session.headers.update(HEADERS)
        yield session


def local_ports(session, send, times):
    """
    The client's side of each connection used.
    """
    ports = set()
    for _ in range(times):
        response = send()
        ports.add(response.raw.connection.sock.getsockname()[1])
        assert response.content is not None
    return ports


def test_a_connection_stays_open(url, session, event_body):
    ports = local_ports(session, lambda: session.post(f"{url}/api/events", json.dumps(event_body), stream=True), 20)

    assert len(ports) == 1


def test_an_answer_comes_at_once(url, session):
    took = []
    for _ in range(20):
        started = time.perf_counter()
        assert session.get(f"{url}/api/lists").content
        took.append(time.perf_counter() - started)

    # With Nagle's algorithm against delayed acknowledgements each body but the first ones would take 40 ms.
    assert sorted(took)[5] < 0.030


def test_an_unread_or_refused_body_does_not_spoil_the_next_request(url, session, event_body):
    assert session.post(f"{url}/api/events", "x" * 6_000_000).status_code == 413
    assert session.post(f"{url}/sandbox/reset", "GET / HTTP/1.1\r\n\r\n").status_code == 204
    assert session.post(f"{url}/nope", "GET / HTTP/1.1\r\n\r\n").status_code == 404
    assert session.head(f"{url}/").status_code == 200
    assert session.post(f"{url}/api/events", json.dumps(event_body)).status_code == 202


def test_a_chunked_body_is_read(url, session, event_body):
    parts = iter([json.dumps(event_body)[:50].encode(), json.dumps(event_body)[50:].encode()])

    assert session.post(f"{url}/api/events", parts).status_code == 202
    assert session.get(f"{url}/sandbox/events").json()[0]["unique_id"] == "1668"


def test_a_client_that_asks_before_sending_is_told_to_go_on(url, event_body):
    body = json.dumps(event_body).encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        start = f"POST /api/events HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n"
        connection.sendall(f"{start}{head}\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert connection.recv(1000).startswith(b"HTTP/1.1 202 ")


@pytest.mark.parametrize("processed", [False, True])
def test_a_reset_reaches_the_client(url, session, event_body, processed):
    session.post(f"{url}/sandbox/faults", json={"fault": "reset", "processed": processed})
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        session.post(f"{url}/api/events", json.dumps(event_body))

    assert len(session.get(f"{url}/sandbox/events").json()) == processed


def test_a_hang_outlasts_the_client(url, session, event_body):
    session.post(f"{url}/sandbox/faults", json={"fault": "hang", "seconds": 5})
    with pytest.raises(requests.ReadTimeout):
        session.post(f"{url}/api/events", json.dumps(event_body), timeout=0.1)


def test_many_clients_at_once_lose_nothing(url, event_body):
    def send(number):
        body = copy.deepcopy(event_body)
        body["data"]["attributes"]["unique_id"] = str(number // 2)
        return requests.post(f"{url}/api/events", json.dumps(body), headers=HEADERS, timeout=10).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(80))) == {202}
    events = requests.get(f"{url}/sandbox/events", timeout=10).json()
    assert sorted(int(event["unique_id"]) for event in events) == list(range(40))
    assert {event["repeats"] for event in events} == {1}


def test_a_closed_server_closes_its_connections(session):
    with serve_in_thread(create_app()) as url:
        assert session.get(f"{url}/api/lists").status_code == 200
    with pytest.raises(requests.ConnectionError):
        session.get(f"{url}/api/lists")


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_command_tells_its_keys_and_ends_when_told(ending):
    command = [sys.executable, "-m", "sandbox.klaviyo", "--port", "0", "--no-rate-limits", "--phone-mode", "partial"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        url = re.search(r"http://\S+", process.stdout.readline())
        assert url
        settings = requests.get(f"{url[0]}/sandbox/state", timeout=10).json()["settings"]
        assert (settings["rate_limits"], settings["phone_mode"]) == (False, "partial")
        process.send_signal(ending)
        output, errors = process.stdout.read(), process.stderr.read()

    assert (process.returncode, errors) == (0, "")
    assert GOOD_KEY in output
