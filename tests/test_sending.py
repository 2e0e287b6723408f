"""The senders of a lane: who makes the calls, and what the lane hears of them."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from vrio_klaviyo.errors import Answer, NotAuthorized
from vrio_klaviyo.klaviyo.client import KlaviyoClient
from vrio_klaviyo.klaviyo.requests import Known, Rendered
from vrio_klaviyo.sending import Call, Part, Sending, Sent
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
    """Goes wrong on our side, in whatever way."""

    def __init__(self, fault: BaseException) -> None:
        self._fault = fault

    def send(self, rendered: Rendered) -> Answer:
        raise self._fault


class Refusing:
    """Does not know the key."""

    def send(self, rendered: Rendered) -> Answer:
        raise NotAuthorized("401")


class Ended(BaseException):
    """What ends a process, and is no error."""


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


def all_that_comes(sending: Sending) -> list[Sent]:
    came = []
    while sending.under_way:
        came += sending.come()
    return came


def test_calls_are_made_beside_each_other(threads: ThreadPoolExecutor) -> None:
    meeting = threading.Barrier(SENDERS)

    class Meeting(Accepting):
        def send(self, rendered: Rendered) -> Answer:
            meeting.wait(10)
            return Answer(202)

    with Sending(threads, SENDERS, lambda: True, 5) as sending:
        sending.begin([call(Meeting()) for _ in range(SENDERS)])

        assert [sent.fault for sent in all_that_comes(sending)] == [None] * SENDERS


def test_a_fault_of_ours_is_that_call_s_own(threads: ThreadPoolExecutor) -> None:
    fault = ZeroDivisionError()
    with Sending(threads, SENDERS, lambda: True, 1) as sending:
        sending.begin([call(Accepting()), call(Broken(fault)), *(call(Accepting()) for _ in range(20))])
        came = all_that_comes(sending)

    assert [sent.fault for sent in came if sent.answer is None] == [fault]
    assert all(sent.made for sent in came)


def test_a_refused_key_stops_its_own_calls_only(threads: ThreadPoolExecutor) -> None:
    """The connection may have got another one meanwhile."""
    refusing, accepting = Refusing(), Accepting()
    with Sending(threads, 1, lambda: True, 5) as sending:
        sending.begin([call(refusing), call(refusing), call(accepting)])
        came = all_that_comes(sending)

    assert [(sent.made, sent.answer) for sent in came] == [(True, None), (False, None), (True, Answer(202))]


def test_what_takes_long_need_not_be_waited_for(threads: ThreadPoolExecutor) -> None:
    gate = threading.Event()

    class Slow(Accepting):
        def send(self, rendered: Rendered) -> Answer:
            gate.wait(10)
            return Answer(202)

    with Sending(threads, SENDERS, lambda: True, 5) as sending:
        sending.begin([call(Slow())])
        assert sending.come(within_s=0.01) == []
        assert sending.under_way == 1
        gate.set()

        assert [sent.answer for sent in all_that_comes(sending)] == [Answer(202)]


def test_what_breaks_in_a_sender_breaks_in_the_lane(threads: ThreadPoolExecutor) -> None:
    """Also when it breaks in all of them, and more calls wait than there are senders."""
    with Sending(threads, SENDERS, lambda: True, 5) as sending:
        sending.begin([call(Broken(Ended())) for _ in range(4 * SENDERS)])
        with pytest.raises(Ended):
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
    assert len(sending.never_made()) == 20 - len(made)
    # Those under way were waited for.
    assert gate.is_set()
