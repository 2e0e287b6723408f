"""The demo as people run it: it plays, it checks itself, and it leaves nothing behind."""

import fcntl
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.demo import run

ROOT = Path(__file__).parents[2]
needs_proc = pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")

# Of each kind of line one, and the end.
KEY_LINES = """\
    Vrio → us     customer_created 301                john@example.com  202 kept
    us → Klaviyo  the profile                         john@example.com  201 accepted
    Vrio → us     transaction_completed 1668          john@example.com  202 kept
    us → Klaviyo  Placed Order 1668                   john@example.com  202 accepted
    Vrio → us     transaction_completed 1668          john@example.com  200 we have it already
    us → Klaviyo  Placed Order 1697                   jane@example.com  400 refused, with phone number +15550000101
    us → Klaviyo  Placed Order 1697                   jane@example.com  202 accepted, without the number
    Vrio → us     hello?                                                400 kept all the same
    us → Klaviyo  Declined Order 1711                 john@example.com  429 too much at once: wait
    nothing new   transaction_completed 1668          john@example.com
    not sent      Ordered Product 1698_7                                no_email
                  The customer has no e-mail address, and Klaviyo knows people by it.
    sent later    shipment_shipped 4503
    ignored       order_updated 1253                  john@example.com
    unknown       order_gift_wrapped 1260
    unreadable    hello?
    waiting       shipment_shipped 4504
    us → Klaviyo  Placed Non-Recurring Order 1721     hugo@example.com  400 refused, with phone number +442079460958
    us → Klaviyo  Declined Order 1722                 ruth@example.com  503 Klaviyo is in trouble
    us → Klaviyo  Payment Recovered 1719              john@example.com  202 accepted
demo: 22 checks passed
""".splitlines()


def shown_in_the_readme() -> list[str]:
    """What the README shows of the demo."""
    blocks = re.findall(r"^```text\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    return [line for block in blocks for line in block.splitlines()]


class Running:
    """A demo that checks itself, in a place of its own."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "demo"
        self._place = str(tmp_path)
        # None of the product's settings, whatever the tests themselves were started with.
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "LANG": "C.UTF-8"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flask", "demo", "--check", "--folder", self.folder],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        self.lines = iter(self.process.stdout)

    def until(self, text: str) -> None:
        """Read until a line has this in it."""
        assert any(text in line for line in self.lines)

    def rest(self) -> list[str]:
        """All lines that are still to come; they are over when it and its children have ended."""
        return [line.rstrip("\n") for line in self.lines]

    def processes(self) -> list[str]:
        """What runs of it, itself included: its place is in each environment, and it is where Redis works."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                environment, cwd = (process / "environ").read_bytes(), os.readlink(process / "cwd")
                if f"TMPDIR={self._place}\0".encode() in environment or cwd.startswith(f"{self._place}/"):
                    found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue  # It has ended, or is somebody else's.
        return found


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    yield running
    running.process.terminate()
    running.rest()
    running.process.wait(30)
    assert running.process.stdout is not None
    running.process.stdout.close()


@needs_proc
def test_the_check_passes_and_leaves_nothing_behind(demo: Running) -> None:
    lines = demo.rest()

    assert demo.process.wait(10) == 0, "\n".join(lines)
    assert [line for line in [*KEY_LINES, *shown_in_the_readme()] if line not in lines] == []
    assert demo.processes() == []
    assert {path.name for path in demo.folder.iterdir()} >= {
        *(f"{name}.log" for name in ("klaviyo", "web", "worker", "clock")),
        "demo.db",
        "env",
    }
    assert stat.S_IMODE((demo.folder / "env").stat().st_mode) == 0o600
    exported = re.findall(r"^export (\w+)=", (demo.folder / "env").read_text(), re.MULTILINE)
    settings = ["DATABASE_URL", "REDIS_URL", "SECRET_KEY", "KLAVIYO_API_URL", "HOST", "PORT", "BASE_URL"]
    assert exported == [*settings, "ENCRYPTION_KEYS"]


@needs_proc
def test_ctrl_c_ends_everything_and_a_second_one_does_no_harm(demo: Running) -> None:
    demo.until("us → Klaviyo")
    running = " ".join(demo.processes())
    started = ["redis-server", "sandbox klaviyo", "granian", "flask worker", "flask clock"]
    assert [name for name in started if name not in running] == []

    told_at = time.monotonic()
    demo.process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    demo.process.send_signal(signal.SIGINT)

    assert "demo: stopped half-way, by SIGINT" in demo.rest()
    assert demo.process.wait(10) == 128 + signal.SIGINT
    assert time.monotonic() - told_at < 10
    assert demo.processes() == []


@needs_proc
def test_sigterm_while_it_starts_leaves_nothing_behind(demo: Running) -> None:
    demo.until("Starting")
    demo.process.terminate()

    assert "demo: stopped half-way, by SIGTERM" in demo.rest()
    assert demo.process.wait(10) == 128 + signal.SIGTERM
    assert demo.processes() == []


def test_a_folder_where_a_demo_runs_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "demo.db").write_text("in use")
    held = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert run(tmp_path, check=True) == 1
    finally:
        os.close(held)

    assert "A demo runs in" in capsys.readouterr().out
    assert (tmp_path / "demo.db").read_text() == "in use"
