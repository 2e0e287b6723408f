"""The browser of the tests: there is one, or they were left out on purpose."""

import os
import subprocess
import sys
from pathlib import Path

from tests.browser import chromium

ROOT = Path(__file__).parents[2]


def test_there_is_a_chromium():
    assert os.access(chromium.executable(), os.X_OK)


def test_browser_0_leaves_these_tests_out_and_no_others():
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-q",
        "tests/browser",
        "tests/console/test_personal.py",
    ]
    listed = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"BROWSER": "0"}, capture_output=True, text=True, check=True
    )

    assert "tests/console/test_personal.py" in listed.stdout
    assert "tests/browser" not in listed.stdout
