"""How many calls are under way at once, over real HTTP."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC

import pytest
import requests
import responses
from flask import Flask, Response, jsonify, request

from sandbox.klaviyo.server import serve_in_thread
from tests.vrio.client.played import API, CUSTOMER, KEY, ORDER, unfinished
from vrio_klaviyo.errors import Retriable
from vrio_klaviyo.vrio.client import MOST_AT_ONCE, VrioClient

pytestmark = pytest.mark.requirement("003-C")


class Crossing:
    """A place where three meet before any of them goes on; a fourth that comes meanwhile is noticed."""

    def __init__(self) -> None:
        self._three = threading.Barrier(3)
        self._lock = threading.Lock()
        self._now = 0
        self.most = 0

    def cross(self) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self._three.wait(30)
        # Time for a fourth, which would not be let in before one has gone.
        time.sleep(0.02)
        with self._lock:
            self._now -= 1


class Vrio:
    """A Vrio over real HTTP, which has not finished the first answers about a thing."""

    def __init__(self, *, unfinished_first: int = 0, crossing: Crossing | None = None) -> None:
        self.app = Flask("vrio")
        self.app.add_url_rule("/<path:path>", view_func=self.answer)
        self.unfinished_first, self.crossing = unfinished_first, crossing
        self.times: Counter[str] = Counter()

    def answer(self, path: str) -> Response:
        self.times[path] += 1
        times = self.times[path]
        if self.crossing:
            self.crossing.cross()
        assert request.headers["X-Api-Key"] == KEY
        if times <= self.unfinished_first:
            answer = jsonify(unfinished(request.url))
            answer.status_code = 504
            return answer
        return jsonify(CUSTOMER | {"customer_id": path.rpartition("/")[2]})


CUSTOMERS = [str(number) for number in range(1, 43)]


def test_three_calls_are_under_way_at_once_and_never_more(http: requests.Session) -> None:
    crossing = Crossing()
    with serve_in_thread(Vrio(crossing=crossing).app) as url, ThreadPoolExecutor(20) as threads:
        client = VrioClient(url, KEY, http, UTC)
        found = list(threads.map(client.customer, CUSTOMERS))

    assert [told.record.customer_id for told in found if told] == CUSTOMERS
    assert crossing.most == MOST_AT_ONCE == 3


def test_an_answer_that_is_not_finished_keeps_its_slot(http: requests.Session) -> None:
    """Vrio still works on it, and counts it."""
    crossing = Crossing()
    with serve_in_thread(Vrio(unfinished_first=1).app) as url, ThreadPoolExecutor(20) as threads:
        client = VrioClient(url, KEY, http, UTC, wait=lambda _: crossing.cross())
        found = list(threads.map(client.customer, CUSTOMERS))

    assert all(found)
    assert crossing.most == 3


def test_a_failed_call_gives_its_slot_back(vrio: responses.RequestsMock, client: VrioClient) -> None:
    vrio.get(f"{API}/customers/68441", status=500)
    for _ in range(2 * MOST_AT_ONCE):
        with pytest.raises(Retriable):
            client.customer("68441")
    vrio.get(f"{API}/orders/1253", json=ORDER)

    assert client.order("1253") is not None


def test_who_gets_no_slot_in_time_is_told_so(vrio: responses.RequestsMock, http: requests.Session) -> None:
    for number in ("1", "2", "3"):
        vrio.get(f"{API}/customers/{number}", status=504, json=unfinished())
    waiting, go_on = threading.Semaphore(0), threading.Event()

    def wait(_: float) -> None:
        waiting.release()
        go_on.wait(30)

    with ThreadPoolExecutor(3) as threads:
        client = VrioClient(API, KEY, http, UTC, total_timeout_s=2, wait=wait)
        under_way = [threads.submit(client.customer, number) for number in ("1", "2", "3")]
        assert all(waiting.acquire(timeout=30) for _ in under_way)
        with pytest.raises(Retriable, match="3 other calls were under way all the time"):
            client.customer("4")
        assert len(vrio.calls) == 3
        go_on.set()


def test_an_unfinished_answer_is_followed_over_http(http: requests.Session) -> None:
    played = Vrio(unfinished_first=2)
    with serve_in_thread(played.app) as url:
        found = VrioClient(f"{url}/", KEY, http, UTC, wait=lambda _: None).customer("68441")

    assert found is not None
    assert played.times == {"customers/68441": 3}
