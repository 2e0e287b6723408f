"""Who holds leases, and who of them is known to be dead."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workers import tools
from workers.tools import is_dead, owner_of


@pytest.fixture
def owner() -> str:
    return owner_of(os.getpid())


def changed(owner: str, place: int, value: str) -> str:
    parts = owner.split("/")
    parts[place] = value
    return "/".join(parts)


def test_who_lives_is_not_dead(owner: str) -> None:
    assert not is_dead(owner)
    assert owner_of(os.getpid()) == owner


@pytest.mark.parametrize("buried", [False, True])
def test_who_was_killed_is_dead(buried: bool) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        owner = owner_of(process.pid)
        assert not is_dead(owner)
        process.kill()
        if buried:
            process.wait()
        else:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_dead(owner)


def test_another_process_that_got_its_number_does_not_keep_it_alive(owner: str) -> None:
    assert is_dead(changed(owner, 3, "1"))


@pytest.mark.parametrize(
    ("place", "value"), [(0, "elsewhere"), (1, "another-room"), (1, ""), (2, "not_a_number")], ids=str
)
def test_of_who_cannot_be_seen_from_here_nobody_says_that_it_is_dead(owner: str, place: int, value: str) -> None:
    assert not is_dead(changed(changed(owner, 3, "1"), place, value))


def test_of_who_cannot_be_looked_at_nobody_says_that_it_is_dead(
    owner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """We may not, or no descriptor is left to look with: that is no answer."""
    (tmp_path / str(os.getpid()) / "stat").mkdir(parents=True)
    monkeypatch.setattr(tools, "PROCESSES", tmp_path)

    assert not is_dead(owner)
    assert is_dead(changed(owner, 2, "1"))


def test_owners_of_older_versions_are_left_alone() -> None:
    host = owner_of(os.getpid()).split("/")[0]

    assert not is_dead(f"{host}/999999")
    assert not is_dead("")
