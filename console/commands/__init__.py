"""The `flask` commands: one module per noun, `flask <noun> <verb>`."""

from flask import Flask

from console.commands import catalog, connection, customer, db, delivery, inbound, key, source, version, workspace


def register(app: Flask) -> None:
    """Make the commands known to the application."""
    for noun in (catalog, connection, customer, db, delivery, inbound, key, source, version, workspace):
        app.cli.add_command(noun.command)
