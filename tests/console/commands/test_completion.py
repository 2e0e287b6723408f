"""`flask completion`."""

import pytest


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_each_shell_names_our_program(invoke, shell):
    result = invoke("completion", shell)

    assert result.exit_code == 0
    assert "_FLASK_COMPLETE" in result.stdout


def test_another_shell_is_not_known(invoke):
    assert invoke("completion", "ksh").exit_code == 2
