"""The page docs/cli.md: `python -m tests.cli` writes it from what every command says of itself with --help."""

from collections.abc import Iterator
from pathlib import Path

import click
from flask import Flask

import wsgi
from console import commands
from sandbox import commands as playground

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
WIDTH = 100

HEAD = """# Commands

Every command runs in the folder of the product, as `flask <noun> <verb>`. `--json` prints a thing as one JSON object
and a list as one object a line; without it there are tables on a terminal, and tabs between the columns elsewhere.
What is said of how it went stands on standard error. A command ends with 0 when it is done, 1 when it failed, 2 when it
was called wrongly, 3 when something was not found, and 5 when the product is not ready.

This page is made from the commands' own `--help`: `make docs` writes it."""


def page() -> str:
    """The whole page."""
    ours = commands_of_ours()
    root = click.Context(ours, info_name="flask")
    parts = (part for _, one in sorted(ours.commands.items()) for part in _parts(one, root))
    return "\n\n".join([HEAD, *parts]) + "\n"


def commands_of_ours() -> click.Group:
    """Every command of the product, without those that Flask brings along."""
    app = Flask("vrio_klaviyo")
    commands.register(app)
    playground.register(app)
    for process in wsgi.processes():
        app.cli.add_command(process)
    ctx = click.Context(app.cli)
    found = {name: app.cli.get_command(ctx, name) for name in app.cli.list_commands(ctx)}
    return click.Group("flask", {name: one for name, one in found.items() if one is not None})


def _parts(command: click.Command, parent: click.Context) -> Iterator[str]:
    """The section of a command, and those of the commands under it."""
    ctx = click.Context(command, parent=parent, info_name=command.name, terminal_width=WIDTH, max_content_width=WIDTH)
    heading = "##" if parent.parent is None else "###"
    yield f"{heading} {ctx.command_path}\n\n```\n{command.get_help(ctx)}\n```"
    if isinstance(command, click.Group):
        for _, verb in sorted(command.commands.items()):
            yield from _parts(verb, ctx)


if __name__ == "__main__":
    PAGE.write_text(page())
