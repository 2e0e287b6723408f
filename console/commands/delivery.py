"""`flask delivery …`: what we owe Klaviyo."""

import json
import sys
from collections.abc import Callable
from datetime import datetime
from itertools import chain
from typing import Any

import click

from console.commands import shapes
from console.commands.desk import Desk, Noun, at_desk
from console.commands.output import json_option, limit_option, listing, show
from console.commands.readable import attempt_lines, request_lines
from vrio_klaviyo.errors import InvalidInput, NotFound, Refused
from vrio_klaviyo.klaviyo.curl import as_curl
from vrio_klaviyo.klaviyo.requests import Known, loads, render
from vrio_klaviyo.sending_again import send_again
from vrio_klaviyo.store.attempts import Attempt, attempts_of_deliveries, counts_of_deliveries
from vrio_klaviyo.store.connections import find_connection
from vrio_klaviyo.store.customers import find_customers
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus, find_delivery, list_deliveries
from vrio_klaviyo.store.inbound import find_inbound

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
    request = None
    if delivery.bodies_removed_at is None:
        request = shapes.of_request(delivery, connection, desk.settings.klaviyo_api_url)
    made = [shapes.of_attempt(attempt, delivery) for attempt in attempts]
    if as_json:
        show(told | {"request": request, "webhooks": made}, as_json=True)
        return
    show(told, as_json=False)
    for line in chain(request_lines(request) if request else (), *map(attempt_lines, made)):
        click.echo(line)


@command.command()
@click.argument("delivery_id", metavar="ID")
@click.option("--rebuild", is_flag=True, help="Build it again from Vrio's webhook, with today's settings.")
@click.option("--despite-pause", is_flag=True, help="Send it also through a connection that is paused.")
@json_option
@at_desk
def resend(desk: Desk, delivery_id: str, rebuild: bool, despite_pause: bool, as_json: bool) -> None:
    """
    Send one delivery again, under its own id: one attempt and no automatic retry; a retry that waits is canceled.

    The body is the one that went out last, byte for byte, but that what happened more than three days ago is marked as
    history. Klaviyo ignores an event whose id it has processed.
    """
    how = {"rebuild": rebuild, "despite_pause": despite_pause}
    with desk.db.write() as session:
        connection = send_again(session, delivery_id, desk.now(), **how)
        desk.hand.note(session, connection.workspace_id, "delivery.resent", delivery_id, **how)
        delivery = find_delivery(session, delivery_id)
        session.refresh(delivery)
        attempts = counts_of_deliveries(session, [delivery_id]).get(delivery_id, 0)
    desk.bells.ring("lane", connection.account_id)
    told = shapes.of_delivery(delivery, attempts)
    show(told, as_json=as_json, follow=f"flask delivery show {delivery_id}")


attempt_option: Callable[[Any], Any] = click.option(
    "--attempt", "number", type=int, metavar="NUMBER", help="Of this attempt; else the last."
)


@command.command()
@click.argument("delivery_id", metavar="ID")
@attempt_option
@json_option
@at_desk
def curl(desk: Desk, delivery_id: str, number: int | None, as_json: bool) -> None:
    """
    The request as a line for a shell that has the private key in KLAVIYO_API_KEY. Running it sends a real request.

    It is the request as it went out; what was never sent yet is shown as it would be.
    """
    with desk.db.read() as session:
        delivery = find_delivery(session, delivery_id)
        attempt = _attempt(session, delivery, number)
        if attempt is not None:
            line = as_curl(attempt.method, attempt.url, attempt.request_headers, attempt.request_body)
        else:
            connection = find_connection(session, delivery.connection_id)
            rendered = render(loads(delivery.request), connection.style, Known())
            url = desk.settings.klaviyo_api_url.rstrip("/") + rendered.path
            line = as_curl(rendered.method, url, rendered.headers, rendered.body)
    click.echo(json.dumps({"delivery": delivery_id, "curl": line}) if as_json else line)


@command.command()
@click.argument("delivery_id", metavar="ID")
@attempt_option
@click.option("--response", is_flag=True, help="What Klaviyo answered.")
@click.option("--webhook", is_flag=True, help="What came from Vrio.")
@at_desk
def body(desk: Desk, delivery_id: str, number: int | None, response: bool, webhook: bool) -> None:
    """The bytes of a body as they are: of the request, of its answer, or of the webhook that it was made from."""
    if response and webhook:
        raise InvalidInput("one of --response and --webhook at a time")
    with desk.db.read() as session:
        delivery = find_delivery(session, delivery_id)
        if webhook:
            inbound = find_inbound(session, delivery.inbound_event_id)
            _must_be_there(inbound.body_removed_at)
            content = inbound.body
        else:
            attempt = _attempt(session, delivery, number)
            if attempt is None:
                raise NotFound(f"{delivery_id} was not sent yet")
            content = (attempt.response_body or b"") if response else attempt.request_body
    sys.stdout.buffer.write(content)


def _attempt(session: Session, delivery: Delivery, number: int | None) -> Attempt | None:
    """
    One attempt of a delivery, the last if no number is given; None when there is none at all.

    Raises: NotFound; Refused when its bodies are gone.
    """
    _must_be_there(delivery.bodies_removed_at)
    attempts = attempts_of_deliveries(session, [delivery.id])
    found = [attempt for attempt in attempts if number in (None, attempt.number)]
    if number is not None and not found:
        raise NotFound(f"{delivery.id} has no attempt {number}")
    return found[0] if found else None


def _must_be_there(removed_at: datetime | None) -> None:
    if removed_at is not None:
        raise Refused(f"its bodies were removed on {removed_at:%d %b %Y}; times, codes and ids are kept")
