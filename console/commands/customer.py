"""`flask customer …`: one customer, and every request that was made for them."""

import sys
from collections import Counter
from dataclasses import asdict

import click

from console.commands import shapes
from console.commands.desk import Desk, Noun, at_desk
from console.commands.output import json_option, limit_option, show
from console.commands.readable import log_lines
from console.plain_text import clean
from vrio_klaviyo import forgetting
from vrio_klaviyo.errors import InvalidInput, NotFound
from vrio_klaviyo.store.attempts import attempts_of_deliveries
from vrio_klaviyo.store.customers import Customer, find_customers
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import DeliveryStatus, deliveries_of_inbound
from vrio_klaviyo.store.inbound import list_inbound
from vrio_klaviyo.store.workspaces import DEFAULT, find_workspace

command = Noun("customer", help="Customers and their log.")


@command.command("show")
@click.argument("customer", metavar="EMAIL|ID")
@click.option("--workspace", help="The workspace that the customer is looked for in.")
@limit_option
@json_option
@at_desk
def show_(desk: Desk, customer: str, workspace: str | None, limit: int, as_json: bool) -> None:
    """One customer: the newest webhooks from Vrio, and all that followed from each."""
    with desk.db.read() as session:
        person = _person(session, customer, workspace)
        inbound = list_inbound(session, customer_ids=[row.id for row in person], limit=limit)
        deliveries = deliveries_of_inbound(session, [event.id for event in inbound])
        attempts = attempts_of_deliveries(session, [delivery.id for delivery in deliveries])
        told = shapes.of_customer(session, person[0])
    opened = Counter(delivery.inbound_event_id for delivery in deliveries)
    made = Counter(attempt.delivery_id for attempt in attempts)
    of = {delivery.id: delivery for delivery in deliveries}
    came = [shapes.of_inbound(event, opened[event.id]) | {"body": shapes.text(event.body)} for event in inbound]
    owed = [shapes.of_delivery(each, made[each.id]) | shapes.of_skip(each) for each in deliveries]
    sent = [shapes.of_attempt(attempt, of[attempt.delivery_id]) for attempt in attempts]
    if as_json:
        not_sent = [each for each in reversed(owed) if each["status"] == DeliveryStatus.SKIPPED]
        show(told | {"webhooks": sent, "not_sent": not_sent, "deliveries": owed, "inbound": came}, as_json=True)
        return
    show(told, as_json=False)
    for line in log_lines(came, owed, sent):
        click.echo(line)


@command.command()
@click.argument("email")
@click.option("--workspace", default=DEFAULT, show_default=True, help="The workspace that the customer is in.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@at_desk
def erase(desk: Desk, email: str, workspace: str, yes: bool, as_json: bool) -> None:
    """
    Take everything that tells who a person is out of the database, for good.

    Times, codes, ids and keys stay, so that figures do not change and nothing is sent twice. What was not sent yet is
    given up. Vrio and Klaviyo are not told: there the person must be erased by itself.
    """
    if not yes:
        if not sys.stdin.isatty():
            raise InvalidInput("nobody can be asked here: repeat it with --yes")
        click.confirm(f"Erase {clean(email)} for good?", abort=True, err=True)
    with desk.db.read() as session:
        workspace_id = find_workspace(session, workspace).id
    erased = forgetting.erase(desk.db, workspace_id, email, desk.now())
    with desk.db.write() as session:
        desk.hand.note(session, workspace_id, "customer.erased", **asdict(erased))
    show(asdict(erased), as_json=as_json)
    if erased.under_way:
        raise click.ClickException("something of this person is being sent right now: repeat it in a moment")


def _person(session: Session, email_or_id: str, workspace: str | None) -> list[Customer]:
    """
    The rows of one person: several when several sources of a workspace know the e-mail.

    Raises: NotFound; InvalidInput when it may be one of several people, whose logs must not be shown as one.
    """
    if not email_or_id.strip():
        raise InvalidInput("the customer's e-mail or id is empty")
    found = find_customers(session, email_or_id)
    if workspace:
        workspace_id = find_workspace(session, workspace).id
        found = [row for row in found if row.workspace_id == workspace_id]
    if not found:
        raise NotFound(f"no customer of that workspace has the e-mail or id {email_or_id}")
    people = {(row.workspace_id, row.email or row.id) for row in found}
    if len(people) > 1:
        ids = ", ".join(row.id for row in found)
        raise InvalidInput(f"several customers have the e-mail or id {email_or_id}: name one by its own id, of {ids}")
    return found
