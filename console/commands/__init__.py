"""The `flask` commands: one module per noun, `flask <noun> <verb>`; `connection_care` has further verbs of its noun."""

from flask import Flask

from console.commands import (
    catalog,
    completion,
    connection,
    connection_care,
    customer,
    db,
    delivery,
    doctor,
    inbound,
    key,
    openapi,
    replay,
    retention,
    source,
    stats,
    tail,
    token,
    user,
    version,
    workspace,
)

NOUNS = (
    catalog,
    completion,
    connection,
    connection_care,
    customer,
    db,
    delivery,
    doctor,
    inbound,
    key,
    openapi,
    replay,
    retention,
    source,
    stats,
    tail,
    token,
    user,
    version,
    workspace,
)


def register(app: Flask) -> None:
    """Make the commands known to the application."""
    for noun in NOUNS:
        app.cli.add_command(noun.command)
