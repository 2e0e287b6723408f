"""
What goes wrong inside a process of the product, while its command is the one that the Procfile names.

Python runs this file first in every process that has its folder on PYTHONPATH, so the product needs no hook for tests.
Each variable of the environment asks for one fault; with none of them nothing is changed.
"""

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any


def die() -> None:
    """As when the machine kills it: nothing is finished, nobody is told."""
    os.kill(os.getpid(), signal.SIGKILL)


def dies_at(fate: Path) -> None:
    """
    Die at the moment that the file says, and take the file away first: who starts after that lives.

    Shape:  every commit has two moments, the one just before it and the one just after it.
    """
    from sqlalchemy.engine.default import DefaultDialect

    moment, passed, lock = int(fate.read_text()), 0, threading.Lock()
    commit = DefaultDialect.do_commit

    def pass_one() -> None:
        nonlocal passed
        with lock:
            passed += 1
            if passed == moment:
                fate.unlink()
                die()

    def mortal_commit(dialect: DefaultDialect, connection: Any) -> None:
        pass_one()
        commit(dialect, connection)
        pass_one()

    DefaultDialect.do_commit = mortal_commit  # type: ignore[method-assign, assignment]


def dies_of(poison: str) -> None:
    """Die of reading JSON that holds this word."""
    loads = json.loads

    def deadly_loads(text: str | bytes, **options: Any) -> Any:
        if poison in (text if isinstance(text, str) else text.decode("utf-8", "replace")):
            die()
        return loads(text, **options)

    json.loads = deadly_loads


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


if (file := os.environ.get("FAULT_DIES_AT")) and Path(file).exists():
    dies_at(Path(file))
if word := os.environ.get("FAULT_DIES_OF"):
    dies_of(word)
if number := os.environ.get("FAULT_RINGS"):
    rings(int(number))
if os.environ.get("FAULT_NO_ROOM"):
    has_no_room()
