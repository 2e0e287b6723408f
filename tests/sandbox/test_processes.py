"""Child processes: watched while they live, and none of them outlives the block."""

import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from sandbox import processes
from sandbox.processes import Children, Failure, StopSignals, Told, TooLate, free_port, without_ours

# Says so when it is ready for whatever comes.
SLEEPER = "import signal, time; {}; print('ready', flush=True); time.sleep(60)"


@pytest.fixture
def signals():
    with StopSignals() as signals:
        yield signals


@pytest.fixture
def children(tmp_path, signals):
    with Children(tmp_path, tmp_path, without_ours(os.environ), signals) as children:
        yield children


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def sleeper(ready_with: str = "pass") -> list[str]:
    return python(SLEEPER.format(ready_with))


def printed(children: Children, tmp_path: Path, name: str, text: str = "ready") -> str:
    log = tmp_path / f"{name}.log"
    return children.wait_until(lambda: log.read_text() if text in log.read_text() else None, f"{name} to print {text}")


def is_alive(pid: int) -> bool:
    """Whether there is such a process; one that has ended and that nobody has asked about yet does not count."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_commands_print_comes_in_their_order(children):
    slow, quick = python("import time; time.sleep(0.3); print('slow')"), python("print('quick')")

    assert children.outputs(slow, quick) == ["slow\n", "quick\n"]


def test_commands_run_side_by_side(children, tmp_path):
    """Each of these waits for the other."""
    meet = "import time; from pathlib import Path; Path({!r}).touch()\nwhile not Path({!r}).exists(): time.sleep(0.01)"

    assert children.outputs(python(meet.format("a", "b")), python(meet.format("b", "a"))) == ["", ""]


def test_a_command_that_fails_is_told_with_its_own_words(children):
    with pytest.raises(Failure, match="ended with 3:\nno such workspace"):
        children.outputs(python("import sys; print('no such workspace', file=sys.stderr); sys.exit(3)"))


def test_a_child_that_ends_by_itself_is_named_with_the_end_of_its_log(children, tmp_path):
    children.start("worker", python("import sys; print(*range(100), sep='\\n'); sys.exit('out of memory')"))

    with pytest.raises(Failure) as failure:
        children.wait_until(lambda: None, "ever")

    message = str(failure.value)
    assert message.startswith(
        f'The process "worker" has ended by itself (exit code 1). The end of its log, {tmp_path}/worker.log:\n'
    )
    assert message.splitlines()[-1] == "    out of memory"
    assert "    0\n" not in message


def test_what_does_not_come_is_not_waited_for_for_ever(children):
    with pytest.raises(TooLate, match=r"Waited 0\.1 s for Godot, in vain"):
        children.wait_until(lambda: None, "Godot", within_s=0.1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_waiting_and_a_second_one_changes_nothing(children, number):
    os.kill(os.getpid(), number)
    os.kill(os.getpid(), number)

    with pytest.raises(Told, match=number.name):
        children.pause(60)
    with pytest.raises(Told):
        children.wait_until(lambda: None, "ever")


def test_the_signals_mean_what_they_meant_before_once_the_block_is_left():
    before = signal.getsignal(signal.SIGTERM)
    with StopSignals():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_nothing_outlives_the_block_whatever_happens_in_it(tmp_path, signals):
    started = []

    def fail_half_way():
        with Children(tmp_path, tmp_path, without_ours(os.environ), signals) as children:
            children.start("web", sleeper())
            children.start("worker", sleeper())
            started.extend(children._started)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert [process.returncode for process in started] == [-signal.SIGTERM, -signal.SIGTERM]


def test_the_last_one_that_was_started_ends_first(children, tmp_path):
    tell = "signal.signal(signal.SIGTERM, lambda *_: (open('ended', 'a').write({!r}), exit(0)))"
    for name in ("klaviyo", "web", "worker"):
        children.start(name, sleeper(tell.format(f"{name} ")))
        printed(children, tmp_path, name)

    children.stop()

    assert (tmp_path / "ended").read_text() == "worker web klaviyo "


def test_one_that_does_not_listen_is_killed_and_so_is_what_it_has_started(children, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "STOP_WITHIN_S", 0.2)
    deaf = "import subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    deaf += f"print(subprocess.Popen([sys.executable, '-c', {SLEEPER.format('pass')!r}]).pid)"
    children.start("web", sleeper(deaf))
    grandchild = int(printed(children, tmp_path, "web").split()[0])
    (child,) = children._started
    assert is_alive(grandchild)

    children.stop()

    assert child.returncode == -signal.SIGKILL
    give_up_at = time.monotonic() + 5
    while is_alive(grandchild) and time.monotonic() < give_up_at:
        time.sleep(0.01)
    assert not is_alive(grandchild)


def test_ctrl_c_in_the_terminal_does_not_reach_a_child(children, tmp_path):
    children.start("web", python("import os; print(os.getsid(0) == os.getpid(), 'ready', flush=True); input()"))

    with pytest.raises(Failure, match="EOFError"):
        children.wait_until(lambda: None, "ever")
    assert (tmp_path / "web.log").read_text().startswith("True ready")


def test_a_setting_that_is_made_later_is_for_those_that_start_later(children):
    show = python("import os; print(os.environ.get('ENCRYPTION_KEYS'))")
    before = children.outputs(show)
    children.environment["ENCRYPTION_KEYS"] = "k"

    assert [before, children.outputs(show)] == [["None\n"], ["k\n"]]


def test_neither_settings_nor_proxies_are_handed_on():
    kept = {"PATH": "/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", "PYTHONPATH": "lib"}
    ours = {"DATABASE_URL": "x", "REDIS_URL_FILE": "x", "LOG_LEVEL": "error", "FLASK_APP": "x", "https_proxy": "x"}

    assert without_ours(kept | ours) == kept


def test_the_preferred_port_is_taken_if_it_is_free():
    port = free_port()

    assert free_port(port) == port
    with socket.create_server(("127.0.0.1", port)):
        assert free_port(port) != port
