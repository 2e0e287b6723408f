"""
What is broken while a block lasts, and whole again after it, whatever happens inside.

What happens to Redis yields a list that grows with every strike.
"""

import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg

from tests.databases import PostgresServer
from tests.faults.town import Town

Strikes = list[str]


@contextmanager
def stopped(town: Town) -> Iterator[Strikes]:
    """Redis does not run; what comes back is empty."""
    town.redis.stop()
    try:
        yield ["stopped"]
    finally:
        town.redis.start()


@contextmanager
def flushed(town: Town) -> Iterator[Strikes]:
    """Redis forgets everything, over and over."""
    over, strikes = threading.Event(), Strikes()

    def flush() -> None:
        while not over.wait(0.05):
            town.flush_redis()
            strikes.append("flushed")

    flushing = threading.Thread(target=flush)
    flushing.start()
    try:
        yield strikes
    finally:
        over.set()
        flushing.join()


@contextmanager
def frozen(town: Town) -> Iterator[Strikes]:
    """Redis takes every connection and every word, and answers none."""
    assert town.redis.process is not None
    os.kill(town.redis.process.pid, signal.SIGSTOP)
    try:
        yield ["frozen"]
    finally:
        os.kill(town.redis.process.pid, signal.SIGCONT)


@contextmanager
def slowed(town: Town) -> Iterator[Strikes]:
    """Redis answers, and takes most of the time that anybody waits for it."""
    assert town.redis.process is not None
    process, over, strikes = town.redis.process.pid, threading.Event(), Strikes()

    def doze() -> None:
        while not over.wait(0.05):
            os.kill(process, signal.SIGSTOP)
            over.wait(0.6)
            os.kill(process, signal.SIGCONT)
            strikes.append("slowed")

    dozing = threading.Thread(target=doze)
    dozing.start()
    try:
        yield strikes
    finally:
        over.set()
        dozing.join()


@contextmanager
def crashed(server: PostgresServer) -> Iterator[None]:
    """PostgreSQL does not run."""
    server.crash()
    try:
        yield
    finally:
        server.start()


@contextmanager
def table_locked(database_url: str) -> Iterator[None]:
    """PostgreSQL: somebody else keeps what all write into to himself, and does not come to an end."""
    with psycopg.connect(database_url) as other:
        other.execute("LOCK TABLE inbound_events, deliveries IN ACCESS EXCLUSIVE MODE")
        try:
            yield
        finally:
            other.rollback()


@contextmanager
def locked(database_url: str) -> Iterator[None]:
    """Somebody else writes into the SQLite file and does not come to an end."""
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        # Whoever writes just now is let go first.
        other.execute("PRAGMA busy_timeout=5000")
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
