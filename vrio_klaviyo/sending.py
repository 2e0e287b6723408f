"""The calls of a lane: a few threads that make them, one after another each, and what came of them."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from types import TracebackType

from vrio_klaviyo.errors import Answer, CallFailed, EndpointRefused, NotAuthorized, Retriable, Throttled
from vrio_klaviyo.klaviyo.client import KlaviyoClient
from vrio_klaviyo.klaviyo.requests import Rendered
from vrio_klaviyo.store.turns import Due

SENDERS = 10
# How long answers are gathered, so that one transaction closes many.
GATHER_S = 0.03


@dataclass(frozen=True, slots=True)
class Part:
    """One delivery's part of a call: its own bytes, and its attempt, which is committed."""

    due: Due
    rendered: Rendered
    attempt_id: str


@dataclass(frozen=True, slots=True)
class Call:
    """
    One request that is about to be made.

    Shape:  one part, whose bytes are the request, or the many of a bulk job. client is who makes it, or why nobody can.
    """

    client: KlaviyoClient | NotAuthorized
    rendered: Rendered
    parts: tuple[Part, ...]
    is_job: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """
    What came of a call.

    Shape:  made is False when the lane was stopped before its turn. fault is what went wrong on our side of it; nobody
            knows then how far it came.
    """

    call: Call
    duration_ms: int
    answer: Answer | None
    error: CallFailed | None
    made: bool = True
    fault: Exception | None = None

    @property
    def reason(self) -> str:
        """Why it failed; empty when it did not."""
        return self.error.reason if self.error else ""


class Sending:
    """
    The calls of one slice of a lane's work.

    Shape:  so many `senders` make them, each in one of the threads. `may_go` is asked right before each call. After an
            answer that stops the lane, or refuses a key, no other call of it begins. Leaving the block waits for those
            under way.
    """

    def __init__(
        self, threads: ThreadPoolExecutor, senders: int, may_go: Callable[[], bool], failures_allowed: int
    ) -> None:
        self._threads = threads
        self._senders = senders
        self._may_go = may_go
        self._failures_allowed = failures_allowed
        # Not a future for each call: with all that they lock, they cost as much as a tenth of the call.
        self._waiting: SimpleQueue[Call | None] = SimpleQueue()
        self._came: SimpleQueue[Sent | BaseException] = SimpleQueue()
        self._at_work: list[Future[None]] = []
        self._lock = threading.Lock()
        self._failures = 0
        self._barred: set[KlaviyoClient | NotAuthorized] = set()
        self.stopped = False
        self.under_way = 0

    def __enter__(self) -> "Sending":
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.stopped = True
        for _ in self._at_work:
            self._waiting.put(None)
        # Not by counting what came: a job's time may be up between taking an answer and counting it.
        wait(self._at_work)

    def begin(self, calls: list[Call]) -> None:
        """Have these calls made."""
        for call in calls:
            self._waiting.put(call)
        self.under_way += len(calls)
        while len(self._at_work) < min(self.under_way, self._senders):
            self._at_work.append(self._threads.submit(self._work))

    def come(self, within_s: float | None = None) -> list[Sent]:
        """What came back: nothing when nothing is under way, or came in time; else at least one."""
        if not self.under_way:
            return []
        try:
            came = [self._came.get(timeout=within_s)]
        except Empty:
            return []
        ends, enough = time.monotonic() + GATHER_S, max(1, self.under_way // 2)
        while len(came) < self.under_way:
            try:
                came.append(self._came.get(timeout=0 if len(came) >= enough else max(0.0, ends - time.monotonic())))
            except Empty:
                break
        self.under_way -= len(came)
        return [_unless_broken(one) for one in came]

    def never_made(self) -> list[Call]:
        """The calls whose turn never came, of those that were not taken as come; to be asked after the block."""
        calls = []
        with suppress(Empty):
            while True:
                came = self._came.get_nowait()
                calls += [came.call] if isinstance(came, Sent) and not came.made else []
        return calls

    def _work(self) -> None:
        """Make one call after another, until there are no more to come."""
        while (call := self._waiting.get()) is not None:
            try:
                self._came.put(self._make(call))
            except BaseException as error:
                # Whatever it is, the lane waits for this call, and is told of it there.
                self._came.put(error)

    def _make(self, call: Call) -> Sent:
        if self.stopped or call.client in self._barred or not self._may_go():
            return Sent(call, 0, None, None, made=False)
        began = time.monotonic()
        try:
            answer, error = _answered(call)
        except Exception as fault:
            # It is this call's own: its neighbours go on.
            return Sent(call, _ms_since(began), None, None, fault=fault)
        with self._lock:
            self._heed(call, error)
        return Sent(call, _ms_since(began), answer, error)

    def _heed(self, call: Call, error: CallFailed | None) -> None:
        self._failures = self._failures + 1 if isinstance(error, Retriable) else 0
        if isinstance(error, Throttled | EndpointRefused) or self._failures >= self._failures_allowed:
            self.stopped = True
        if isinstance(error, NotAuthorized):
            # Not its connection: with another key its calls may go.
            self._barred.add(call.client)


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _unless_broken(came: Sent | BaseException) -> Sent:
    if isinstance(came, BaseException):
        raise came
    return came


def _answered(call: Call) -> tuple[Answer | None, CallFailed | None]:
    if isinstance(call.client, NotAuthorized):
        return None, call.client
    try:
        return call.client.send(call.rendered), None
    except CallFailed as error:
        return error.answer, error
