"""Further verbs of `flask connection …`: try one out, change its key, put it away."""

import time

import click

from console import steering
from console.commands import shapes
from console.commands.connection import command, found, named, of_workspace, tell
from console.commands.desk import Desk, at_desk
from console.commands.output import json_option, show
from console.commands.secret_file import SecretFile
from vrio_klaviyo.store.attempts import counts_of_deliveries
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus, find_delivery
from vrio_klaviyo.trying_out import METRICS_TO_TRY

LOOK_EVERY_S = 0.2
_UNDER_WAY = (DeliveryStatus.QUEUED, DeliveryStatus.RETRYING)


@command.command("test-event")
@named
@of_workspace
@click.option("--email", required=True, help="Whose timeline it goes to in Klaviyo.")
@click.option(
    "--event",
    "metric",
    type=click.Choice(METRICS_TO_TRY),
    default=METRICS_TO_TRY[0],
    show_default=True,
    help="As what.",
)
@click.option("--no-mark", is_flag=True, help="Leave out the property VrioTest, by which a flow can leave it out.")
@click.option(
    "--wait", type=click.IntRange(0, 120), default=10, show_default=True, help="Seconds to wait for Klaviyo's answer."
)
@json_option
@at_desk
def test_event(
    desk: Desk,
    connection: str,
    workspace: str | None,
    email: str,
    metric: str,
    no_mark: bool,
    wait: int,
    as_json: bool,
) -> None:
    """Send one event to see that it works. It goes while the connection is paused, too, and counts in no figure."""
    sent = steering.try_out(desk.hand, found(desk, connection, workspace), metric, email, marked=not no_mark)
    delivery = _awaited(desk, sent.id, wait)
    with desk.db.read() as session:
        attempts = counts_of_deliveries(session, [delivery.id]).get(delivery.id, 0)
    follow = f"flask delivery show {delivery.id}"
    show(shapes.of_delivery(delivery, attempts), as_json=as_json, follow=follow)
    if delivery.status in (DeliveryStatus.FAILED, DeliveryStatus.HELD):
        raise click.ClickException(f"Klaviyo did not take it: {delivery.cause}")


def _awaited(desk: Desk, delivery_id: str, seconds: int) -> Delivery:
    """The delivery when it has come to an end, or when nobody waits any longer."""
    ends = time.monotonic() + seconds
    while True:
        with desk.db.read() as session:
            delivery = find_delivery(session, delivery_id)
        if delivery.status not in _UNDER_WAY or time.monotonic() >= ends:
            return delivery
        time.sleep(LOOK_EVERY_S)


@command.command("rotate-key")
@named
@of_workspace
@click.option("--key-file", "key", type=SecretFile(), required=True, help="A file with the key; - for standard input.")
@json_option
@at_desk
def rotate_key(desk: Desk, connection: str, workspace: str | None, key: str, as_json: bool) -> None:
    """Put another key in the old one's place. If Klaviyo does not take it, nothing is changed."""
    meant = found(desk, connection, workspace)
    tell(desk, meant.id, steering.give_key(desk.hand, meant, key), as_json, follow=f"flask connection show {meant.id}")


@command.command()
@named
@of_workspace
@click.confirmation_option(prompt="It is paused for good and leaves the lists; its log stays. Go on?")
@json_option
@at_desk
def archive(desk: Desk, connection: str, workspace: str | None, as_json: bool) -> None:
    """Put a connection away: nothing is sent through it any more, and its log stays."""
    away = found(desk, connection, workspace)
    steering.archive(desk.hand, away)
    tell(desk, away.id, None, as_json)
