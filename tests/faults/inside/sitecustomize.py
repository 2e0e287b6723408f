"""
What goes wrong inside a process of the product, while its command is the one that the Procfile names.

Python runs this file first in every process that has its folder on PYTHONPATH, so the product needs no hook for tests.
Each variable of the environment asks for one fault; with none of them nothing is changed.
"""

import faulthandler
import json
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from itertools import repeat
from pathlib import Path
from typing import Any


def die() -> None:
    """As when the machine kills it: nothing is finished, nobody is told."""
    os.kill(os.getpid(), signal.SIGKILL)


def dies_at(fate: Path, work: str) -> None:
    """
    Die at the moment that the file says, and take the file away first: who starts after that lives.

    Shape:  every commit has two moments, the one just before it and the one just after it. A statement that is a
            transaction by itself is its own commit. With `work`, the name of a module, only its commits count, and
            those that are made for it.
    """
    from sqlalchemy.engine.default import DefaultDialect

    moment, passed, lock = int(fate.read_text()), 0, threading.Lock()
    commit, execute = DefaultDialect.do_commit, DefaultDialect.do_execute

    def pass_one() -> None:
        nonlocal passed
        if work and not is_at(work):
            return
        with lock:
            passed += 1
            if passed == moment:
                fate.unlink()
                die()

    def mortal_commit(dialect: DefaultDialect, connection: Any) -> None:
        pass_one()
        commit(dialect, connection)
        pass_one()

    def mortal_execute(dialect: DefaultDialect, cursor: Any, statement: str, *more: Any) -> None:
        commits = statement.startswith("INSERT") and getattr(cursor.connection, "autocommit", None) is True
        if commits:
            pass_one()
        execute(dialect, cursor, statement, *more)
        if commits:
            pass_one()

    DefaultDialect.do_commit = mortal_commit  # type: ignore[method-assign, assignment]
    DefaultDialect.do_execute = mortal_execute  # type: ignore[method-assign, assignment]


def is_at(work: str) -> bool:
    """Whether this thread is in this module of the product, however deep."""
    frame = sys._getframe()
    while frame and not frame.f_code.co_filename.endswith(f"/vrio_klaviyo/{work}.py"):
        frame = frame.f_back
    return frame is not None


def suffers_from(poison: str, suffer: Callable[[], None]) -> None:
    """Suffer that from reading JSON which holds this word."""
    loads = json.loads

    def deadly_loads(text: str | bytes, **options: Any) -> Any:
        if poison in (text if isinstance(text, str) else text.decode("utf-8", "replace")):
            suffer()
        return loads(text, **options)

    json.loads = deadly_loads


def hang() -> None:
    """Never come back from C: no signal's handler runs meanwhile, and no other thread."""
    deque(repeat(None), maxlen=0)


def is_ended_after(seconds: float) -> None:
    """Who hangs is ended after this time instead of a longer one."""
    end_later: Callable[..., None] = faulthandler.dump_traceback_later

    def end_sooner(timeout: float, **options: Any) -> None:
        end_later(min(timeout, seconds), **options)

    faulthandler.dump_traceback_later = end_sooner


def rings(times: int) -> None:
    """Every bell arrives so many times: 0 when all are lost."""
    from rq import Queue

    enqueue: Callable[..., Any] = Queue.enqueue

    def unreliable_enqueue(queue: Queue, *args: Any, **options: Any) -> None:
        for _ in range(times):
            enqueue(queue, *args, **options)

    Queue.enqueue = unreliable_enqueue  # type: ignore[method-assign]


def has_no_room() -> None:
    """SQLite: the file may not grow beyond what it is."""
    from sqlalchemy import Engine, event

    @event.listens_for(Engine, "connect")
    def bound(connection: Any, _record: Any) -> None:
        # SQLite: a limit below the present size means the present size.
        connection.execute("PRAGMA max_page_count=1").close()


def rushes_at(number: int) -> None:
    """So few due deliveries are a rush: a thousand for every test would take too long."""
    # The product lies where its commands run, which they look up later than this.
    sys.path.insert(0, os.getcwd())
    from vrio_klaviyo import rush

    rush.RUSH_AT = number


def waits_for_locks(seconds: float) -> None:
    """Whoever finds SQLite locked gives up after this time instead of a longer one."""
    sys.path.insert(0, os.getcwd())
    from vrio_klaviyo.store import db

    db.LOCKED_S = seconds


def makes_ids_of(days: float) -> None:
    """Ids hold the time at which they are made; here it is one so many days ago."""
    now_ns, ago_ns = time.time_ns, int(timedelta(days=days).total_seconds() * 1e9)
    time.time_ns = lambda: now_ns() - ago_ns


if (file := os.environ.get("FAULT_DIES_AT")) and Path(file).exists():
    dies_at(Path(file), os.environ.get("FAULT_DIES_IN", ""))
if word := os.environ.get("FAULT_DIES_OF"):
    suffers_from(word, die)
if word := os.environ.get("FAULT_HANGS_AT"):
    suffers_from(word, hang)
if number := os.environ.get("FAULT_ENDED_AFTER_S"):
    is_ended_after(float(number))
if number := os.environ.get("FAULT_RINGS"):
    rings(int(number))
if os.environ.get("FAULT_NO_ROOM"):
    has_no_room()
if number := os.environ.get("FAULT_RUSHES_AT"):
    rushes_at(int(number))
if number := os.environ.get("FAULT_LOCKED_S"):
    waits_for_locks(float(number))
if number := os.environ.get("FAULT_IDS_DAYS_AGO"):
    makes_ids_of(float(number))
