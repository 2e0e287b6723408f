"""The `flask` commands: one module per noun, `flask <noun> <verb>`; `connection_care` has further verbs of its noun."""

from importlib import import_module

import click
from flask import Flask
from flask.cli import AppGroup

NOUNS = (
    "catalog",
    "completion",
    "connection",
    "customer",
    "db",
    "delivery",
    "doctor",
    "inbound",
    "key",
    "openapi",
    "replay",
    "retention",
    "source",
    "stats",
    "tail",
    "token",
    "user",
    "version",
    "workspace",
)
# A noun with verbs in further modules: the last of them, which knows the others.
WHOLE = {"connection": "connection_care"}


class Nouns(AppGroup):
    """All commands. A noun is imported when it is asked for: nobody waits for what the others need."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return sorted({*super().list_commands(ctx), *NOUNS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in NOUNS:
            return super().get_command(ctx, cmd_name)
        command: click.Command = import_module(f"{__name__}.{WHOLE.get(cmd_name, cmd_name)}").command
        return command


def register(app: Flask) -> None:
    """Make the commands known to the application, before any others."""
    app.cli = Nouns(app.name)
