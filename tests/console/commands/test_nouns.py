"""The commands all together: each is there, and nobody waits for what the others need."""

import subprocess
import sys
from pathlib import Path

from console.commands import NOUNS

ROOT = Path(__file__).parents[3]


def test_every_noun_is_in_the_help(invoke):
    told = invoke("--help").stdout

    assert [noun for noun in NOUNS if f"\n  {noun} " not in told] == []


def test_a_noun_whose_verbs_are_in_two_modules_has_them_all(invoke):
    told = invoke("connection", "--help").stdout

    assert all(f"\n  {verb} " in told for verb in ("add", "archive", "rotate-key", "set", "test-event"))


def test_there_is_no_other_noun(invoke):
    assert invoke("pages").exit_code == 2


def test_to_look_for_a_command_loads_no_page():
    script = (
        "import sys, wsgi; print([name for name in sys.modules if name.startswith(('console.pages', 'console.api'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
