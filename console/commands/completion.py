"""`flask completion`: what a shell needs to complete our commands."""

import click
from click.shell_completion import get_completion_class

from console.commands.desk import Verb


@click.command("completion", cls=Verb)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that completes our commands in a SHELL, to be read by it: eval "$(flask completion bash)"."""
    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(ctx.find_root().command, {}, "flask", "_FLASK_COMPLETE").source())
