"""`flask sandbox …` and `flask demo`."""

from pathlib import Path

import click
from flask import Flask

from sandbox.klaviyo.command import klaviyo_command
from sandbox.vrio.command import vrio_command


def register(app: Flask) -> None:
    """Make the commands known to the application."""
    app.cli.add_command(click.Group("sandbox", [klaviyo_command, vrio_command], help="Stand-ins on this computer."))
    app.cli.add_command(demo_command)


@click.command("demo")
@click.option("--check", is_flag=True, help="No pauses: compare the outcome with what it must be, and end.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/demo"),
    show_default=True,
    help="Where the demo's database, keys and logs are put.",
)
@click.pass_context
def demo_command(ctx: click.Context, check: bool, folder: Path) -> None:
    """Start the whole product on this computer, with a Klaviyo of its own, and send webhooks through it."""
    # Imported late: every other command would pay for it.
    from sandbox.demo import run

    ctx.exit(run(folder, check=check))
