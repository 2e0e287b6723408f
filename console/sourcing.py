"""
What a person does to a source: the same from a page or the command line, and noted under their name.

Whoever calls has found the source in the person's own workspace.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from console.hand import Hand
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store.catalog import keep_catalog
from vrio_klaviyo.store.sources import OVERLAP, Source, add_source, change_source, rotate_key
from vrio_klaviyo.store.workspaces import find_workspace
from vrio_klaviyo.vrio import keeping
from vrio_klaviyo.vrio.catalog import Catalog
from vrio_klaviyo.vrio.catalog_file import read_catalog
from vrio_klaviyo.vrio_key import VrioKeyCheck, check_vrio_key

# What the audit log tells of a source; its keys are none of it.
SETTINGS = ("name", "time_zone", "country", "currency", "upcoming_days")


def add(hand: Hand, workspace_id: str, wanted: Mapping[str, Any]) -> Source:
    """
    A new source; what is wanted is in the words of `change_source`.

    Raises: InvalidInput when the name is taken, or zone, country or currency is none.
    """
    tools = hand.tools
    with tools.db.write() as session:
        source = add_source(session, tools.vault, find_workspace(session, workspace_id), wanted["name"])
        change_source(session, tools.vault, source, **wanted)
        hand.note(session, source.workspace_id, "source.added", source.id, name=source.name)
    return source


def change(hand: Hand, source: Source, wanted: Mapping[str, Any]) -> Source:
    """
    Change what is named, for all that comes in from now on, and return how it is then; an empty api_key takes it away.

    Raises: InvalidInput when the name is taken, or zone, country or currency is none.
    """
    with hand.tools.db.write() as session:
        found = session.get_one(Source, source.id)
        before = settings_of(found)
        change_source(session, hand.tools.vault, found, **wanted)
        after = settings_of(found)
        changed = [name for name in SETTINGS if before[name] != after[name]]
        if changed:
            old, new = ({name: those[name] for name in changed} for those in (before, after))
            hand.note(session, found.workspace_id, "source.changed", found.id, before=old, after=new)
        if (key := wanted.get("api_key")) is not None:
            action = "source.api_key_set" if key else "source.api_key_removed"
            hand.note(session, found.workspace_id, action, found.id)
    return found


def settings_of(source: Source) -> dict[str, Any]:
    """The settings as they are."""
    return {name: getattr(source, name) for name in SETTINGS}


def check_api_key(hand: Hand, source: Source) -> VrioKeyCheck:
    """
    Ask Vrio whether the source's REST key is good.

    Raises: InvalidInput when it has none.
    """
    if source.api_key_sealed is None:
        raise InvalidInput(f"{source.name} has no key for Vrio's REST API: give it one first")
    key = hand.tools.vault.unseal(source.api_key_sealed, source.workspace_id, source.id)
    return check_vrio_key(hand.tools.http, hand.tools.settings.vrio_api_url, key)


def rotate(hand: Hand, source: Source, *, at_once: bool) -> Source:
    """Give the source a new address, and return it; the one before works for a day more, or ends at once."""
    with hand.tools.db.write() as session:
        found = session.get_one(Source, source.id)
        rotate_key(found, hand.tools.vault, hand.tools.now(), timedelta(0) if at_once else OVERLAP)
        hand.note(session, found.workspace_id, "source.rotated", found.id, at_once=at_once)
    return found


def import_catalog(hand: Hand, source: Source, content: bytes) -> dict[str, int]:
    """
    Put what is in the file in place of what was imported before; how much that is.

    Raises: InvalidInput when anything in it is wrong, and nothing is imported.
    """
    catalog = read_catalog(content)
    counts = counts_of(catalog)
    with hand.tools.db.write() as session:
        keep_catalog(session, source.id, keeping.dumps(catalog), hand.tools.now())
        hand.note(session, source.workspace_id, "source.catalog_imported", source.id, **counts)
    return counts


def counts_of(catalog: Catalog) -> dict[str, int]:
    """How much a catalogue tells of what."""
    return {
        "offers": len(catalog.offers),
        "items": sum(len(offer.items) for offer in catalog.offers),
        "categories": len(catalog.categories),
        "cancel_reasons": len(catalog.cancel_reasons),
        "intervals": len(catalog.intervals),
    }
