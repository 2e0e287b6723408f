"""`flask version`."""

import platform

import click

from console.commands.output import json_option, show
from vrio_klaviyo import VERSION
from vrio_klaviyo.klaviyo.requests import REVISION
from vrio_klaviyo.store.db import head


@click.command("version")
@json_option
def command(as_json: bool) -> None:
    """The version of the product."""
    if not as_json:
        click.echo(VERSION)
        return
    about = {"version": VERSION, "python": platform.python_version(), "klaviyo_revision": REVISION, "migration": head()}
    show(about, as_json=True)
