"""`flask key …`: the keys that seal secrets in the database."""

import click

from console.commands.desk import Desk, Noun, at_desk
from console.commands.output import hint, json_option, listing, show
from vrio_klaviyo.store.crypto import new_key
from vrio_klaviyo.store.sealed import Seal, seal_anew, seals

command = Noun("key", help="Encryption keys.")


@command.command()
@json_option
def generate(as_json: bool) -> None:
    """Make a new key for ENCRYPTION_KEYS; it is nowhere kept."""
    if as_json:
        show({"key": new_key()}, as_json=True)
        return
    click.echo(new_key())
    hint("put it first in ENCRYPTION_KEYS, and keep the older ones behind it")


@command.command()
@json_option
@at_desk
def check(desk: Desk, as_json: bool) -> None:
    """Look at every secret that is kept: which key opens it, the first one, an older one, or none."""
    with desk.db.read() as session:
        found = seals(session, desk.vault)
    listing([_shape(seal) for seal in found], ["owner", "name", "what", "key"], as_json=as_json)
    shut = sum(not seal.opens for seal in found)
    if shut:
        raise click.ClickException(f"no key of ENCRYPTION_KEYS opens {shut} of {len(found)} secrets")
    if any(not seal.newest for seal in found):
        hint("flask key rotate")


@command.command()
@click.option("--dry-run", is_flag=True, help="Only tell what would be sealed anew.")
@json_option
@at_desk
def rotate(desk: Desk, dry_run: bool, as_json: bool) -> None:
    """
    Seal all secrets with the first key of ENCRYPTION_KEYS that an older one sealed.

    After it the older keys are not needed any more. It may be run while the product works, and again at any time.
    """
    with (desk.db.trial if dry_run else desk.db.write)() as session:
        changed = seal_anew(session, desk.vault)
        shut = [seal for seal in seals(session, desk.vault) if not seal.opens]
    told = {"sealed_anew": len(changed), "not_opened": [seal.owner for seal in shut], "dry_run": dry_run}
    show(told, as_json=as_json, follow="flask key check")
    if shut:
        raise click.ClickException(f"no key of ENCRYPTION_KEYS opens {len(shut)} secrets; they stay as they are")


def _shape(seal: Seal) -> dict[str, str]:
    key = "first" if seal.newest else "older" if seal.opens else "none"
    return {"owner": seal.owner, "name": seal.name, "what": seal.what, "key": key}
