"""`flask delivery …`: what we owe Klaviyo."""

from itertools import chain

import click

from console.commands import shapes
from console.commands.desk import Desk, Noun, at_desk
from console.commands.output import json_option, limit_option, listing, show
from console.commands.readable import attempt_lines, request_lines
from vrio_klaviyo.store.attempts import attempts_of_deliveries, counts_of_deliveries
from vrio_klaviyo.store.connections import find_connection
from vrio_klaviyo.store.customers import find_customers
from vrio_klaviyo.store.deliveries import DeliveryStatus, find_delivery, list_deliveries

command = Noun("delivery", help="What we owe Klaviyo.")


@command.command("list")
@click.option(
    "--status", type=click.Choice([str(status) for status in DeliveryStatus]), help="Only those that stand so."
)
@click.option("--event", "metric", metavar="METRIC", help='Only those of this metric, such as "Placed Order".')
@click.option("--customer", help="Only those of this customer, by e-mail or id.")
@click.option("--connection", help="Only those of this connection, by its name or id.")
@limit_option
@json_option
@at_desk
def list_(
    desk: Desk,
    status: str | None,
    metric: str | None,
    customer: str | None,
    connection: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """The newest deliveries."""
    with desk.db.read() as session:
        found = list_deliveries(
            session,
            status=status,
            metric=metric,
            customer_ids=[row.id for row in find_customers(session, customer)] if customer else None,
            connection_id=find_connection(session, connection).id if connection else None,
            limit=limit,
        )
        counts = counts_of_deliveries(session, [delivery.id for delivery in found])
    told = [shapes.of_delivery(delivery, counts.get(delivery.id, 0)) for delivery in found]
    follow = f"flask delivery show {told[0]['id']}" if told else ""
    columns = ["created_at", "kind", "metric", "unique_id", "status", "reason", "attempts", "id"]
    listing(told, columns, as_json=as_json, follow=follow)


@command.command("show")
@click.argument("delivery_id", metavar="ID")
@json_option
@at_desk
def show_(desk: Desk, delivery_id: str, as_json: bool) -> None:
    """One delivery: what is owed, and every attempt, the newest first."""
    with desk.db.read() as session:
        delivery = find_delivery(session, delivery_id)
        connection = find_connection(session, delivery.connection_id)
        attempts = attempts_of_deliveries(session, [delivery.id])
    told = shapes.of_delivery(delivery, len(attempts)) | shapes.of_skip(delivery)
    request = shapes.of_request(delivery, connection, desk.settings.klaviyo_api_url)
    made = [shapes.of_attempt(attempt, delivery) for attempt in attempts]
    if as_json:
        show(told | {"request": request, "webhooks": made}, as_json=True)
        return
    show(told, as_json=False)
    for line in chain(request_lines(request), *map(attempt_lines, made)):
        click.echo(line)
