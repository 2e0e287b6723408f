"""The repository's own rules: locks without hosts, commands that exist, files that name no machine."""

import os
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = ["requirements.txt", "requirements-demo.txt", "requirements-dev.txt"]

PIN = r"[a-z0-9-]+==[\w.]+( ; [^\n\\]+)?"
HASH = r"--hash=sha256:[0-9a-f]{64}"


def files() -> list[Path]:
    """Every file of the repository that git would keep."""
    ignored = [".git", *(line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines())]
    found = []
    for folder, subfolders, names in os.walk(ROOT):
        subfolders[:] = [name for name in subfolders if not any(fnmatch(name, pattern) for pattern in ignored)]
        found += [Path(folder, name) for name in names if not any(fnmatch(name, pattern) for pattern in ignored)]
    return sorted(found)


def pages() -> list[Path]:
    """Every page that people read."""
    return [file for file in files() if file.suffix == ".md"]


def pins(lock: str) -> set[str]:
    """Name, version and marker of everything in a lock."""
    return {match[0] for match in re.finditer(f"^{PIN}", (ROOT / lock).read_text(), re.MULTILINE)}


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_pins_and_their_hashes_and_nothing_else(lock: str) -> None:
    assert re.fullmatch(rf"({PIN}( \\\n    {HASH})+\n)+", (ROOT / lock).read_text())


@pytest.mark.parametrize("source", ["runtime.in", "demo.in", "dev.in"])
def test_what_a_lock_is_made_from_names_packages_and_no_place_to_get_them(source: str) -> None:
    for line in (ROOT / "requirements" / source).read_text().splitlines():
        assert "://" not in line
        assert re.fullmatch(r"#.*|-[rc] [\w./-]+|[a-z0-9-]+(\[[a-z0-9,-]+\])?([<>=!~]+[\w.*,<>=!~]+)?", line)


@pytest.mark.parametrize(("source", "lock"), [("runtime", LOCKS[0]), ("demo", LOCKS[1]), ("dev", LOCKS[2])])
def test_a_lock_holds_all_that_was_asked_for(source: str, lock: str) -> None:
    asked = set(re.findall(r"^[a-z0-9-]+", (ROOT / f"requirements/{source}.in").read_text(), re.MULTILINE))

    assert {name for name in asked if not name.startswith("-")} <= {pin.partition("==")[0] for pin in pins(lock)}


def test_what_is_tested_is_what_runs() -> None:
    assert pins("requirements.txt") | pins("requirements-demo.txt") <= pins("requirements-dev.txt")


def test_no_file_names_the_machine_it_was_written_on() -> None:
    machine = re.compile(rb"/(w[o]rk|f[a]rm)/|/tmp/bash_j[o]bs")

    assert [file for file in files() if machine.search(file.read_bytes())] == []


def test_ci_can_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_procfile_runs_the_product() -> None:
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if line)

    assert lines.keys() == {"web", "worker", "clock", "release"}


def test_every_make_command_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        (page.name, target)
        for page in pages()
        for target in re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE)
    }

    assert {(page, target) for page, target in named if target not in targets} == set()


def test_a_python_that_is_too_old_is_told_so(tmp_path: Path) -> None:
    old = tmp_path / "python3.10"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)

    made = make("install", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}")

    assert made.returncode != 0
    assert "Python 3.11 or newer" in made.stderr
    assert not (tmp_path / "venv").exists()
