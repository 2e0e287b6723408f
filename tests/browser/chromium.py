"""A browser for the tests: the one on the PATH, else what Playwright or the system's package manager installs."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ADVICE = (
    "The browser tests need Chromium, and none was found or could be installed. Install it (Debian: apt-get install "
    "chromium; elsewhere: .venv/bin/playwright install chromium), or leave these tests out: make test BROWSER=0"
)

# Chromium: as root it does not start with its sandbox; the rest keeps it from calling home.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class NoBrowser(Exception):
    """There is no browser; the message says what to install."""


@cache
def executable() -> str:
    """
    Where a Chromium is, installed if need be.

    Raises: NoBrowser.
    """
    found = _on_path() or _of_playwright()
    if found:
        return found
    for install in ([sys.executable, "-m", "playwright", "install", "chromium"], *_as_root()):
        done = subprocess.run(install, capture_output=True, check=False, timeout=600)
        found = _on_path() or _of_playwright()
        if done.returncode == 0 and found:
            return found
    raise NoBrowser(ADVICE)


def _as_root() -> list[list[str]]:
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return []
    return [[apt, "update", "-qq"], [apt, "install", "-qq", "-y", "--no-install-recommends", "chromium"]]


def _on_path() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def _of_playwright() -> str | None:
    with sync_playwright() as playwright:
        return _installed(playwright)


def _installed(playwright: Playwright) -> str | None:
    path = playwright.chromium.executable_path
    return path if Path(path).exists() else None
