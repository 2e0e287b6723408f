"""`flask inbound …`: the webhooks that came from Vrio."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import requests

from console.commands import shapes
from console.commands.desk import Desk, Noun, at_desk
from console.commands.output import json_option, limit_option, listing, show
from console.commands.readable import preview_lines
from vrio_klaviyo import previewing
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store.attempts import counts_of_deliveries
from vrio_klaviyo.store.deliveries import counts_of_inbound, deliveries_of_inbound
from vrio_klaviyo.store.inbound import InboundStatus, find_inbound, list_inbound, take_again
from vrio_klaviyo.store.sources import find_source, webhook_path

SAMPLES = Path(__file__).parents[2] / "sandbox" / "samples"
TIMEOUT_S = (3.05, 30)

command = Noun("inbound", help="The webhooks that came from Vrio.")


@command.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--source", required=True, help="The source to post as, by its name or id.")
@click.option("--url", metavar="BASE", help="Where the product listens.  [default: http://127.0.0.1:$PORT]")
@json_option
@at_desk
def send(desk: Desk, files: tuple[str, ...], source: str, url: str | None, as_json: bool) -> None:
    """
    Post webhooks to ourselves, as Vrio would.

    A FILE is sent as it is; - is standard input, and a name without .json may be one of the samples that come with the
    product.
    """
    bodies = [(file, _content(file)) for file in files]
    with desk.db.read() as session:
        path = webhook_path(find_source(session, source), desk.vault)
    base = (url or f"http://127.0.0.1:{desk.settings.port}").rstrip("/")
    answers = [_post(desk.http, base + path, file, body) for file, body in bodies]
    follow = f"flask inbound show {answers[-1]['id']}" if answers[-1]["id"] else ""
    listing(answers, ["file", "status", "duplicate", "id", "error"], as_json=as_json, follow=follow)
    refused = sum(not answer["received"] for answer in answers)
    if refused:
        raise click.ClickException(f"{refused} of {len(answers)} were not received")


def _content(file: str) -> bytes:
    """
    The bytes of a file, of standard input, or of a sample.

    Raises: InvalidInput.
    """
    if file == "-":
        return sys.stdin.buffer.read()
    samples = {sample.stem: sample for sample in SAMPLES.glob("*.json")}
    path = Path(file) if Path(file).exists() else samples.get(file, Path(file))
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file} is no file to read and no sample; samples: {', '.join(sorted(samples))}") from error


def _post(http: requests.Session, url: str, file: str, body: bytes) -> dict[str, Any]:
    """What was answered to one webhook. The address has a key in it, and is never part of this."""
    told = {"file": file, "status": None, "received": False, "duplicate": False, "id": None, "error": None}
    headers = {"content-type": "application/json"}
    try:
        answer = http.post(url, data=body, headers=headers, timeout=TIMEOUT_S, allow_redirects=False)
    except requests.RequestException as error:
        return told | {"error": f"no answer ({type(error).__name__})"}
    try:
        said = answer.json()
    except ValueError:
        said = None
    if isinstance(said, dict):
        told |= {name: said[name] for name in ("duplicate", "id", "error") if name in said}
    return told | {"status": answer.status_code, "received": answer.ok and not answer.is_redirect}


@command.command("list")
@click.option(
    "--status", type=click.Choice([str(status) for status in InboundStatus]), help="Only those that stand so."
)
@click.option("--source", help="Only those of this source, by its name or id.")
@limit_option
@json_option
@at_desk
def list_(desk: Desk, status: str | None, source: str | None, limit: int, as_json: bool) -> None:
    """The newest webhooks."""
    with desk.db.read() as session:
        source_id = find_source(session, source).id if source else None
        found = list_inbound(session, status=status, source_id=source_id, limit=limit)
        counts = counts_of_inbound(session, [inbound.id for inbound in found])
    told = [shapes.of_inbound(inbound, counts.get(inbound.id, 0)) for inbound in found]
    follow = f"flask inbound show {told[0]['id']}" if told else ""
    listing(told, ["received_at", "event", "status", "reason", "deliveries", "id"], as_json=as_json, follow=follow)


@command.command("show")
@click.argument("inbound_id", metavar="ID")
@json_option
@at_desk
def show_(desk: Desk, inbound_id: str, as_json: bool) -> None:
    """One webhook: its body as it was kept, and what it has opened."""
    with desk.db.read() as session:
        inbound = find_inbound(session, inbound_id)
        opened = deliveries_of_inbound(session, [inbound.id])
        counts = counts_of_deliveries(session, [delivery.id for delivery in opened])
    told = shapes.of_inbound(inbound, len(opened)) | {"body": shapes.text(inbound.body)}
    owed = [shapes.of_delivery(delivery, counts.get(delivery.id, 0)) for delivery in opened]
    if as_json:
        show(told | {"opened": owed}, as_json=True)
        return
    show(told, as_json=False)
    follow = f"flask delivery show {owed[0]['id']}" if owed else ""
    listing(owed, ["kind", "metric", "unique_id", "status", "reason", "id"], as_json=False, follow=follow)


@command.command()
@click.argument("inbound_id", metavar="ID")
@json_option
@at_desk
def preview(desk: Desk, inbound_id: str, as_json: bool) -> None:
    """What this webhook would send through each connection today. Nothing is sent, and nothing written."""
    found = previewing.preview(desk.db, inbound_id, datetime.now(UTC))
    told = [
        {"connection": connection.id, "name": connection.name, **shapes.of_previewed(one)}
        for connection, requests in found.by_connection
        for one in requests
    ]
    if as_json:
        show({"inbound": found.inbound.id, "note": found.note, "requests": told}, as_json=True)
        return
    for line in preview_lines(found.note, told):
        click.echo(line)


@command.command()
@click.argument("inbound_ids", nargs=-1, required=True, metavar="ID...")
@json_option
@at_desk
def again(desk: Desk, inbound_ids: tuple[str, ...], as_json: bool) -> None:
    """
    Work off again what was set aside because workers had died of it: all of these webhooks, or none.

    It is for after an update. What they had opened before is not opened a second time.
    """
    with desk.db.write() as session:
        taken = [take_again(session, inbound_id) for inbound_id in dict.fromkeys(inbound_ids)]
        for inbound in taken:
            workspace_id = find_source(session, inbound.source_id).workspace_id
            desk.hand.note(session, workspace_id, "inbound.taken_again", inbound.id, source=inbound.source_id)
        counts = counts_of_inbound(session, [inbound.id for inbound in taken])
        told = [shapes.of_inbound(inbound, counts.get(inbound.id, 0)) for inbound in taken]
    for source_id in {inbound.source_id for inbound in taken}:
        desk.bells.ring("intake", source_id)
    listing(
        told, ["received_at", "event", "status", "id"], as_json=as_json, follow=f"flask inbound show {told[0]['id']}"
    )
