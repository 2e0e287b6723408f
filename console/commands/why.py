"""Why didn't it arrive: what is known of one customer, told by `flask doctor --email`."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from console.commands.desk import Desk
from console.commands.output import moment, show
from console.plain_text import clean
from vrio_klaviyo.clues import Clue
from vrio_klaviyo.connecting import check_connection
from vrio_klaviyo.diagnosing import Check, Diagnoses, Diagnosis, diagnose
from vrio_klaviyo.findings import State
from vrio_klaviyo.store.connections import list_connections
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.workspaces import find_workspace

_SIGNS = {State.OK: "✓", State.FAULT: "✗", State.UNKNOWN: "–", State.WARNING: "!"}
_SHOWN = 5


def tell(desk: Desk, email: str, workspace: str, *, online: bool, as_json: bool) -> None:
    """Print what keeps this customer's events from Klaviyo; `online` asks Klaviyo about the keys before."""
    with desk.db.read() as session:
        workspace_id = find_workspace(session, workspace).id
        connections = [each.id for each in list_connections(session, workspace_id)]
    if online:
        url = desk.settings.klaviyo_api_url
        for connection_id in connections:
            check_connection(desk.db, desk.vault, desk.http, url, connection_id, datetime.now(UTC))
    with desk.db.read() as session:
        found = diagnose(session, workspace_id, email)
    if as_json:
        show(_of_diagnoses(found), as_json=True)
        return
    for line in _lines(found):
        click.echo(clean(line))


def _of_diagnoses(found: Diagnoses) -> dict[str, Any]:
    return {
        "email": found.email,
        "customers": [customer.id for customer in found.customers],
        "clues": [_of_clue(clue) for clue in found.clues],
        "connections": [_of_diagnosis(each) for each in found.by_connection],
    }


def _of_diagnosis(found: Diagnosis) -> dict[str, Any]:
    return {
        "connection": found.connection.id,
        "name": found.connection.name,
        "checks": [_of_check(check) for check in found.checks],
        "clues": [_of_clue(clue) for clue in found.clues],
        "deliveries": [_of_delivery(delivery) for delivery in found.last],
    }


def _of_check(check: Check) -> dict[str, str]:
    return {
        "name": check.name,
        "state": str(check.state),
        "sentence": check.sentence,
        "remedy": check.remedy,
        "target": check.target,
    }


def _of_clue(clue: Clue) -> dict[str, str]:
    return {"sentence": clue.sentence, "remedy": clue.remedy, "target": clue.target}


def _of_delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "metric": delivery.metric,
        "unique_id": delivery.unique_id,
        "status": delivery.status,
        "reason": delivery.reason,
        "created_at": moment(delivery.created_at),
    }


def _lines(found: Diagnoses) -> Iterator[str]:
    known = ", ".join(customer.id for customer in found.customers) or "no customer of this workspace"
    yield f"{found.email}  {known}"
    yield from map(_clue_line, found.clues)
    for each in found.by_connection:
        yield ""
        yield f"{each.connection.name}  {each.connection.id}"
        for check in each.checks:
            yield f"{_SIGNS[check.state]} {check.name}: {check.sentence}" + (f" {check.remedy}" if check.remedy else "")
        yield from map(_clue_line, each.clues)
        for delivery in each.last[:_SHOWN]:
            what = delivery.metric or "Profile"
            yield f"  {moment(delivery.created_at)}  {what}  {delivery.status}  {delivery.cause}  {delivery.id}"


def _clue_line(clue: Clue) -> str:
    return f"! {clue.sentence}" + (f" {clue.remedy}" if clue.remedy else "")
