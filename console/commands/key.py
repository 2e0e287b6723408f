"""`flask key …`: the keys that seal secrets in the database."""

import click

from console.commands.desk import Noun
from console.commands.output import hint, json_option, show
from vrio_klaviyo.store.crypto import new_key

command = Noun("key", help="Encryption keys.")


@command.command()
@json_option
def generate(as_json: bool) -> None:
    """Make a new key for ENCRYPTION_KEYS; it is nowhere kept."""
    if as_json:
        show({"key": new_key()}, as_json=True)
        return
    click.echo(new_key())
    hint("put it first in ENCRYPTION_KEYS, and keep the older ones behind it")
