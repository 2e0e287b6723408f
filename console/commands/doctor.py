"""`flask doctor`: is everything well, and why did a customer's event not arrive."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime

import click

from console.commands import why
from console.commands.desk import Desk, Verb, at_desk
from console.commands.output import json_option, listing
from console.plain_text import clean
from vrio_klaviyo import config, health
from vrio_klaviyo.calling import new_session
from vrio_klaviyo.config import InvalidSettings
from vrio_klaviyo.errors import InvalidInput, NotReady
from vrio_klaviyo.findings import Finding, State
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.db import Database, DatabaseError
from vrio_klaviyo.store.workspaces import DEFAULT
from workers.bells import Bells

PARTS = (
    *("settings", "database", "migrations", "redis", "worker", "clock", "clock skew", "receiving", "queue", "lanes"),
    *("klaviyo", "key store"),
)
SIGNS = {State.OK: "✓", State.WARNING: "!", State.FAULT: "✗", State.UNKNOWN: "–"}


@click.command("doctor", cls=Verb)
@click.argument("part", required=False, type=click.Choice(PARTS))
@click.option("--email", metavar="EMAIL|ID", help="Tell why this customer's events are not in Klaviyo.")
@click.option("--workspace", default=DEFAULT, show_default=True, help="The workspace that --email looks in.")
@click.option("--online", is_flag=True, help="Ask Klaviyo too: is it there, and what does it say of the keys.")
@json_option
@at_desk
def command(desk: Desk, part: str | None, email: str | None, workspace: str, online: bool, as_json: bool) -> None:
    """
    Look at every setting and dependency, or at one PART, and name all faults at once.

    It runs without settings, too. With --email it goes through the checks of the published page for one customer.
    """
    if email is not None:
        if part:
            raise InvalidInput("a part and --email are two different questions")
        why.tell(desk, email, workspace, online=online, as_json=as_json)
        return
    found = [finding for finding in _findings(datetime.now(UTC), online=online) if part in (None, finding.part)]
    if as_json:
        listing([_shape(finding) for finding in found], [], as_json=True)
    else:
        for line in _lines(found):
            click.echo(line)
    faults = sum(finding.state == State.FAULT for finding in found)
    if faults:
        raise NotReady("1 problem" if faults == 1 else f"{faults} problems")


def _findings(now: datetime, *, online: bool) -> Iterator[Finding]:
    """Everything that can be looked at as things are: what is missing keeps nobody from looking at the rest."""
    settings = None
    try:
        settings = config.load()
        yield Finding("settings", "settings", State.OK, "all that is needed is set")
    except InvalidSettings as error:
        for problem in error.problems:
            name, _, sentence = problem.partition(": ")
            yield Finding("settings", name, State.FAULT, sentence, _REMEDIES.get(name, ""))
    try:
        yield from _of_database(config.load_database_url(), Vault(settings.encryption_keys) if settings else None, now)
    except InvalidSettings:
        yield Finding("database", "database", State.UNKNOWN, "not looked at: DATABASE_URL comes first")
    try:
        yield from health.of_redis(Bells(config.load_redis_url()).facts())
    except InvalidSettings:
        yield Finding("redis", "redis", State.UNKNOWN, "not looked at: REDIS_URL comes first")
    if online and settings:
        with new_session() as http:
            yield from health.of_klaviyo(http, settings.klaviyo_api_url, now)


_REMEDIES = {"ENCRYPTION_KEYS": "flask key generate", "SECRET_KEY": "flask key generate"}


def _of_database(url: str, vault: Vault | None, now: datetime) -> Iterator[Finding]:
    try:
        opened = closing(Database(url))
    except (DatabaseError, OSError, ValueError) as error:
        sentence = f"It cannot be used ({type(error).__name__})."
        yield Finding("database", "database", State.FAULT, sentence, "flask doctor database")
        return
    with opened as db:
        yield from health.of_installation(db, vault, now)


def _shape(finding: Finding) -> dict[str, str]:
    return {
        "part": finding.part,
        "name": finding.name,
        "state": str(finding.state),
        "sentence": finding.sentence,
        "command": finding.command,
    }


def _lines(found: Iterable[Finding]) -> Iterator[str]:
    rows = [(f"{SIGNS[each.state]} {each.name}", each.sentence, each.command) for each in found]
    width = max((len(name) for name, _, _ in rows), default=0)
    for name, sentence, follow in rows:
        # Who reads this has asked the doctor already.
        further = f"  → {follow}" if follow and not follow.startswith("flask doctor") else ""
        yield clean(f"{name.ljust(width)}  {sentence}{further}")
