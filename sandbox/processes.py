"""Child processes that live exactly as long as whoever started them, and how a person or a supervisor ends it all."""

import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from random import SystemRandom
from tempfile import TemporaryFile
from types import FrameType, TracebackType
from typing import IO, Any, Self, TypeVar

from sandbox.redis_server import PORTS

Found = TypeVar("Found")

POLL_S = 0.05
STOP_WITHIN_S = 8.0
LOG_LINES = 15


class Failure(RuntimeError):
    """It went wrong, and the message says to a person what."""


class TooLate(Failure):
    """What was waited for did not come."""


class Told(Exception):
    """We were told to end, by the signal of this number."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class StopSignals:
    """
    Remembers Ctrl-C, SIGTERM and a closed terminal while the block lasts, however often they come.

    Shape:  a handler that raised could do so between the start of a child and the note of it, and one would be left.
    """

    def __init__(self) -> None:
        self._number = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def look(self) -> None:
        """Raises: Told, when one has come."""
        if self._number:
            raise Told(self._number)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._number = number


class Children:
    """
    Starts processes, watches them, and ends all of them with the block, the last one first.

    Shape:  `environment` is all that a child gets; what is put into it counts for those that are started later. Each
            has a session of its own, so that Ctrl-C reaches us alone. Logs are `<name>.log` in the folder.
    """

    def __init__(self, folder: Path, cwd: Path, environment: dict[str, str], signals: StopSignals) -> None:
        self.environment = environment
        self._folder = folder
        self._cwd = cwd
        self._signals = signals
        self._started: list[subprocess.Popen[bytes]] = []
        self._must_live: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self, name: str, command: Sequence[str]) -> None:
        """A process that has to live on."""
        with self._log(name).open("wb") as log:
            self._must_live[name] = self._spawn(command, log, log)

    def watch(self, name: str, process: subprocess.Popen[bytes]) -> None:
        """A process that has to live on, and that somebody else ends."""
        self._must_live[name] = process

    def outputs(self, *commands: Sequence[str], within_s: float = 30.0) -> list[str]:
        """
        What commands print that are run side by side.

        Raises: Failure with the words of the first one that failed; and what `look` and `wait_until` raise.
        """
        with ExitStack() as opened:
            running = []
            for command in commands:
                out, err = (opened.enter_context(TemporaryFile()) for _ in range(2))
                running.append((command, self._spawn(command, out, err), out, err))
            printed = []
            for command, process, out, err in running:
                code = self.wait_until(process.poll, f"`{shlex.join(command)}`", within_s)
                self._started.remove(process)
                out.seek(0)
                err.seek(0)
                if code:
                    raise Failure(f"`{shlex.join(command)}` ended with {code}:\n{err.read().decode(errors='replace')}")
                printed.append(out.read().decode())
        return printed

    def wait_until(self, found: Callable[[], Found | None], what: str, within_s: float = 20.0) -> Found:
        """
        What is found, as soon as it is not None.

        Raises: TooLate; and what `look` raises.
        """
        give_up_at = time.monotonic() + within_s
        while True:
            self.look()
            if (result := found()) is not None:
                return result
            if time.monotonic() > give_up_at:
                raise TooLate(f"Waited {within_s:g} s for {what}, in vain.")
            time.sleep(POLL_S)

    def pause(self, seconds: float) -> None:
        """Wait, and look. Raises: what `look` raises."""
        goes_on_at = time.monotonic() + seconds
        while time.monotonic() < goes_on_at:
            self.look()
            time.sleep(POLL_S)

    def look(self) -> None:
        """
        Raises: Told, when we are to end; Failure with the end of its log, when a child has ended by itself.
        """
        self._signals.look()
        for name, process in self._must_live.items():
            if process.poll() is not None:
                ended = f'The process "{name}" has ended by itself (exit code {process.returncode}).'
                raise Failure(f"{ended} {self._last_words(name)}")

    def stop(self) -> None:
        """End every child, politely at first; none is left."""
        give_up_at = time.monotonic() + STOP_WITHIN_S
        for process in reversed(self._started):
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, give_up_at - time.monotonic()))
            # The child itself if it did not listen, and what it has started and left behind.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._started.clear()
        self._must_live.clear()

    def _spawn(self, command: Sequence[str], out: IO[bytes], err: IO[bytes]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command,
            cwd=self._cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _last_words(self, name: str) -> str:
        log = self._log(name)
        if not log.exists():
            return "It has no log."
        lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        return "\n".join([f"The end of its log, {log}:", *(f"    {line}" for line in lines)])


def without_ours(environment: Mapping[str, str]) -> dict[str, str]:
    """
    What a process needs of an environment to run at all.

    Shape:  no setting of the product, of Flask or of a proxy: the demo must be the same wherever it runs.
    """
    names = ("PATH", "HOME", "USER", "LANG", "LC_", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHON", "LD_LIBRARY_PATH")
    return {name: value for name, value in environment.items() if name.startswith(names)}


def free_port(preferred: int | None = None) -> int:
    """
    A loopback port that nobody listens on, the preferred one if it is free.

    Raises: Failure, when there is none.
    """
    for port in ([preferred] if preferred else []) + SystemRandom().sample(PORTS, 100):
        with socket.socket() as probe:
            # A server that has just ended leaves connections behind, which do not keep its port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                probe.listen()
            except OSError:
                continue
            return port
    raise Failure("There is no free port on this computer.")
