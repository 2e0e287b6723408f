"""
The command that runs a sandbox Klaviyo until it is told to stop.
"""

import signal
from typing import cast, get_args

import click

from sandbox.klaviyo.app import create_app
from sandbox.klaviyo.keys import ACCOUNTS, KEYS
from sandbox.klaviyo.server import Server
from sandbox.klaviyo.settings import PhoneMode, Settings


@click.command("klaviyo")
@click.option("--port", default=8081, show_default=True, help="Port to listen on; 0 takes any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--no-rate-limits", is_flag=True, help="Never answer 429.")
@click.option("--drop-test-domains", is_flag=True, help="Drop events for @example.com and @test.com, as Klaviyo does.")
@click.option(
    "--phone-mode",
    type=click.Choice(get_args(PhoneMode)),
    default="reject",
    show_default=True,
    help="What happens to an event with a refused phone number.",
)
@click.option("--latency-ms", default=0.0, show_default=True, help="Wait so long before every answer.")
def klaviyo_command(
    port: int, host: str, no_rate_limits: bool, drop_test_domains: bool, phone_mode: str, latency_ms: float
) -> None:
    """
    Run a strict stand-in for Klaviyo on this computer.
    """
    settings = Settings(
        rate_limits=not no_rate_limits,
        drop_test_domains=drop_test_domains,
        phone_mode=cast(PhoneMode, phone_mode),
        latency_ms=latency_ms,
    )
    server = Server(host, port, create_app(settings))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    click.echo(f"Sandbox Klaviyo on http://{host}:{server.port}")
    names = {account.id: account.name for account in ACCOUNTS}
    for key in KEYS:
        note = " (revoked)" if key.revoked else ""
        click.echo(f"  {key.name:<17} {key.key}  {names[key.account_id]}{note}")
    server.serve_forever(0.1)
