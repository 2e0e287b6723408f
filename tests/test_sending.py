"""The senders of a lane: who makes the calls, and what the lane hears of them."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from vrio_klaviyo.errors import Answer
from vrio_klaviyo.klaviyo.client import KlaviyoClient
from vrio_klaviyo.klaviyo.requests import Known, Rendered
from vrio_klaviyo.sending import Call, Part, Sending
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.turns import Due

SENDERS = 3
RENDERED = Rendered(method="POST", path="/api/events", headers={}, body=b"{}", phone=None)


class Accepting:
    """Takes everything."""

    def send(self, rendered: Rendered) -> Answer:
        return Answer(202)


class Broken:
    """Has a fault of its own."""

    def send(self, rendered: Rendered) -> Answer:
        raise ZeroDivisionError


def call(client: Any) -> Call:
    due = Due(Delivery(), Connection(id="cn_1"), Known())
    return Call(cast(KlaviyoClient, client), RENDERED, (Part(due, RENDERED, "at_1"),))


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(SENDERS) as threads:
        yield threads


def test_every_call_comes_back(threads: ThreadPoolExecutor) -> None:
    calls = [call(Accepting()) for _ in range(20)]
    with Sending(threads, SENDERS, lambda: True, 5) as sending:
        sending.begin(calls[:1])
        sending.begin(calls[1:])
        came = []
        while sending.under_way:
            came += sending.come()

    assert {id(sent.call) for sent in came} == {id(one) for one in calls}
    assert all(sent.made and sent.answer == Answer(202) for sent in came)


def test_what_breaks_in_a_sender_breaks_in_the_lane(threads: ThreadPoolExecutor) -> None:
    """Also when it breaks in all of them, and more calls wait than there are senders."""
    with Sending(threads, SENDERS, lambda: True, 5) as sending:
        sending.begin([call(Broken()) for _ in range(4 * SENDERS)])
        with pytest.raises(ZeroDivisionError):
            sending.come()

    # They are there for the next one.
    with Sending(threads, SENDERS, lambda: True, 5) as sending:
        sending.begin([call(Accepting())])
        assert [sent.made for sent in sending.come()] == [True]


def test_who_leaves_lets_no_other_call_begin(threads: ThreadPoolExecutor) -> None:
    gate = threading.Event()

    class Slow(Accepting):
        def send(self, rendered: Rendered) -> Answer:
            made.append(1)
            gate.wait(10)
            return Answer(202)

    made: list[int] = []
    sending = Sending(threads, SENDERS, lambda: True, 5)
    with sending:
        sending.begin([call(Slow()) for _ in range(20)])
        threading.Timer(0.2, gate.set).start()

    assert len(made) <= SENDERS
    # Those under way were waited for.
    assert gate.is_set()
