"""The page of the commands says what they say of themselves."""

from collections.abc import Iterator

import click

from tests.cli import PAGE, commands_of_ours, page


def options_of(command: click.Command, path: str = "flask") -> Iterator[tuple[str, click.Option]]:
    """Every option of a command, and of those under it."""
    yield from ((f"{path} {option.opts[0]}", option) for option in command.params if isinstance(option, click.Option))
    if isinstance(command, click.Group):
        for name, verb in command.commands.items():
            yield from options_of(verb, f"{path} {name}")


def test_the_page_of_the_commands_is_what_would_be_written_now() -> None:
    assert PAGE.read_text() == page(), "It is stale: make docs"


def test_every_option_is_explained() -> None:
    assert [name for name, option in options_of(commands_of_ours()) if not option.help] == []
