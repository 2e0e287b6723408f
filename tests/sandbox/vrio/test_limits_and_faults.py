"""Too many requests at once, answers that take their time, and what goes wrong on purpose."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sandbox.klaviyo.server import serve_in_thread
from sandbox.vrio import SANDBOX_KEY, Settings, create_app

KEY = {"X-Api-Key": SANDBOX_KEY}
SEARCH = "/transactions?customer_id=68441"


class Door:
    """Holds every request back until it is opened."""

    def __init__(self):
        self.waiting = threading.Semaphore(0)
        self.open = threading.Event()

    def __call__(self, seconds):
        self.waiting.release()
        assert self.open.wait(10)


def statuses(month, first, then, **settings):
    """What the last requests get while the first are held back, and then what those get."""
    door = Door()
    app = create_app(month, Settings(latency_ms=1, **settings), door)
    with ThreadPoolExecutor(8) as pool:
        held = [pool.submit(app.test_client().get, url, headers=KEY) for url in first]
        for _ in first:
            assert door.waiting.acquire(timeout=10)
        late = [pool.submit(app.test_client().get, url, headers=KEY) for url in then]
        answered = [_status(one) for one in late]
        door.open.set()
        assert {one.result(10).status_code for one in held} == {200}
    return answered, app.test_client().get("/sandbox/state").get_json()["most_at_once"]


def _status(answer):
    """None while it is held back."""
    try:
        return answer.result(0.3).status_code
    except TimeoutError:
        return None


def test_three_at_once_and_no_more(month):
    assert statuses(month, [SEARCH] * 3, [SEARCH]) == ([429], {"/transactions": 4})
    assert statuses(month, [SEARCH] * 3, [SEARCH], throttle_status=503) == ([503], {"/transactions": 4})


def test_every_endpoint_counts_for_itself_and_a_named_thing_not_at_all(month):
    others = ["/orders?customer_id=68441", "/transactions/1668", "/transactions?transaction_id=1668"]

    assert statuses(month, [SEARCH] * 3, others) == ([None] * 3, {"/transactions": 3, "/orders": 1})


def test_a_slot_is_free_again_after_an_answer(vrio):
    assert [vrio.get(SEARCH).status_code for _ in range(10)] == [200] * 10
    assert vrio.http.get("/sandbox/state").get_json()["most_at_once"] == {"/transactions": 1}


def test_an_answer_that_is_not_finished_is_found_later(vrio):
    finished = vrio.json("/transactions/1668?with=sale")
    vrio.fault(fault="processing", path="/transactions", polls=2)

    first = vrio.get("/transactions/1668?with=sale")
    assert first.status_code == 504
    assert first.get_json()["error"]["code"] == "request_processing"
    url = first.get_json()["error"]["api_request"]
    assert url.startswith("http://localhost/api_requests/")
    assert vrio.error(url, key="wrong") == (401, "unauthorized")
    assert [vrio.error(url) for _ in range(2)] == [(504, "request_processing")] * 2
    assert vrio.json(url) == finished
    assert vrio.json("/transactions/1668?with=sale") == finished
    assert vrio.error("/api_requests/unknown") == (404, "not_found")


def test_faults_are_for_a_path_and_for_so_many_times(vrio):
    vrio.fault(fault="status", path="/orders", status=500, times=2, headers={"Retry-After": "1"})
    vrio.fault(fault="html", path="/customers", status=502)
    vrio.fault(fault="garbage", path="/transactions/1668")

    assert vrio.get("/transactions/1668").get_data() == b'{"transaction_id": '
    assert vrio.get("/customers/68441").mimetype == "text/html"
    assert vrio.get("/orders/1253").headers["Retry-After"] == "1"
    assert vrio.error("/orders/1253") == (500, "internal_error")
    assert vrio.http.get("/sandbox/faults").get_json() == []
    assert vrio.json("/orders/1253")["order_id"] == 1253


def test_a_slow_answer_and_a_broken_connection(month):
    waited = []
    with serve_in_thread(create_app(month, None, waited.append)) as url, requests.Session() as session:
        session.headers.update(KEY)
        for fault in ({"fault": "latency", "ms": 250}, {"fault": "hang", "seconds": 9}, {"fault": "reset"}):
            session.post(f"{url}/sandbox/faults", json=fault)
        assert session.get(f"{url}/orders/1253").status_code == 200
        for _ in range(2):
            with pytest.raises(requests.ConnectionError):
                session.get(f"{url}/orders/1253")
        assert session.get(f"{url}/orders/1253").status_code == 200
    assert waited == [0.25, 9]


@pytest.mark.parametrize(
    "fault", [{}, {"fault": "flood"}, {"fault": "status", "times": 0}, {"fault": "status", "colour": "red"}, []]
)
def test_a_fault_that_is_not_understood_is_refused(vrio, fault):
    answer = vrio.http.post("/sandbox/faults", json=fault)

    assert answer.status_code == (201 if fault == [] else 400)


def test_the_journal_tells_who_asked_for_what(vrio):
    vrio.get(SEARCH)
    vrio.get("/orders/1253?with=cart", key="wrong")
    journal = vrio.http.get("/sandbox/requests").get_json()

    assert [
        (entry["path"], entry["query"], entry["key"], entry["is_counted"], entry["status"]) for entry in journal
    ] == [
        ("/transactions", {"customer_id": "68441"}, "right", True, 200),
        ("/orders/1253", {"with": "cart"}, "wrong", False, 401),
    ]
    assert vrio.http.get("/sandbox/requests?since=1").get_json() == journal[1:]
    assert vrio.http.post("/sandbox/reset").status_code == 204
    assert vrio.http.get("/sandbox/requests").get_json() == []


def test_the_ledger_can_be_asked_for(vrio):
    with_rest, without = (vrio.http.get(f"/sandbox/ledger?with_rest={flag}").get_json() for flag in (1, 0))

    assert with_rest.keys() == without.keys()
    assert with_rest != without


def test_the_control_routes_are_for_this_computer(vrio):
    answer = vrio.http.get("/sandbox/state", environ_base={"REMOTE_ADDR": "192.0.2.7"})

    assert answer.status_code == 403
    assert SANDBOX_KEY not in vrio.http.get("/sandbox/state").get_data(as_text=True)
