"""`flask openapi`: the JSON API's document."""

import json

import click

from console.api import all_operations
from console.api.document import document
from console.api.handbook import handbook
from console.commands.desk import Verb


@click.command("openapi", cls=Verb)
@click.option("--markdown", is_flag=True, help="Print the page docs/api.md in place of the document.")
def command(markdown: bool) -> None:
    """Print what the JSON API can do, as OpenAPI 3.1. No settings are needed."""
    told = document(all_operations())
    click.echo(handbook(told) if markdown else json.dumps(told, indent=2), nl=not markdown)
