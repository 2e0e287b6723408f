"""The command that runs a sandbox Vrio until it is told to stop, and sends a month of webhooks if asked to."""

import signal
import threading
from dataclasses import replace
from datetime import datetime
from typing import cast, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from sandbox.klaviyo.server import Server
from sandbox.vrio.app import create_app
from sandbox.vrio.playing import SMOOTH, UNRULY
from sandbox.vrio.posting import NobodyThere, Sender, is_on_this_computer
from sandbox.vrio.settings import SANDBOX_KEY, Settings
from sandbox.vrio.spelling import Generation
from sandbox.vrio.story import START, tell_month


@click.command("vrio")
@click.option("--port", default=8082, show_default=True, help="Port to listen on; 0 takes any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--customers", default=50, show_default=True, type=click.IntRange(1, 20_000), help="How many there are.")
@click.option("--seed", default=0, show_default=True, help="Another seed is another month.")
@click.option("--start", default=START, show_default=True, type=click.DateTime(), help="When the month begins.")
@click.option("--time-zone", default="UTC", show_default=True, help="The zone of all its dates, which never say so.")
@click.option("--api-key", default=SANDBOX_KEY, show_default=True, help="What X-Api-Key must be.")
@click.option("--latency-ms", default=0.0, show_default=True, help="Wait so long before every answer.")
@click.option("--post-to", metavar="URL", help="Send the month's webhooks there.")
@click.option("--any-host", is_flag=True, help="Allow --post-to another computer.")
@click.option(
    "--generation",
    type=click.Choice((*get_args(Generation), "mixed")),
    default="v1",
    show_default=True,
    help="How the webhooks are written.",
)
@click.option("--unruly", is_flag=True, help="Some webhooks come late, twice or in another order.")
@click.option("--speed", default=0.0, show_default=True, help="Seconds of the story per second; 0 does not wait.")
def vrio_command(
    port: int,
    host: str,
    customers: int,
    seed: int,
    start: datetime,
    time_zone: str,
    api_key: str,
    latency_ms: float,
    post_to: str | None,
    any_host: bool,
    generation: str,
    unruly: bool,
    speed: float,
) -> None:
    """Run a stand-in for Vrio on this computer: its REST API over a merchant's month, and the month's webhooks."""
    if post_to and not any_host and not is_on_this_computer(post_to):
        raise click.UsageError("--post-to names another computer; --any-host allows that.")
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise click.UsageError(f"There is no time zone {time_zone}.") from error
    world = tell_month(customers, seed, start=start, zone=time_zone)
    server = Server(host, port, create_app(world, Settings(api_key=api_key, latency_ms=latency_ms)))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    click.echo(f"Sandbox Vrio on http://{host}:{server.port}")
    click.echo(f"  X-Api-Key {api_key}")
    if not post_to:
        server.serve_forever(0.1)
        return
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    plan = replace(UNRULY if unruly else SMOOTH, generation=cast(Generation, generation), seed=seed)
    try:
        Sender(post_to, speed, lambda line: click.echo(line, err=True)).send(world, plan)
        thread.join()
    except NobodyThere as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        pass
    finally:
        server.shutdown()
        thread.join()
