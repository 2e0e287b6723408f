"""Offers and items: what Vrio does not tell of them, imported from a file of the merchant's."""

from textwrap import dedent
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console import sourcing
from console.pages import guard
from console.pages.guard import needs
from console.pages.new_connection import sentence_of
from console.site import Site
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store.catalog import imported_at, kept_catalog
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.people import Role
from vrio_klaviyo.store.sources import Source
from vrio_klaviyo.vrio import keeping
from vrio_klaviyo.vrio.catalog import Catalog
from vrio_klaviyo.vrio.catalog_file import FORMAT

LARGEST_FILE = 5 * 1024 * 1024
# Of more mistakes than these the first ones are told: whoever mends them looks again.
MISTAKES_TOLD = 20


def add_routes(routes: Blueprint, site: Site) -> None:
    """`/sources/<source_id>/catalog`."""

    @routes.get("/<source_id>/catalog")
    @needs(Role.MANAGER)
    def catalog(source_id: str) -> ResponseReturnValue:
        return _page(source_id, [])

    @routes.post("/<source_id>/catalog")
    @needs(Role.MANAGER)
    def import_catalog(source_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            source = guard.find(session, Source, source_id)
        try:
            told = sourcing.import_catalog(guard.hand(), source, _content())
        except InvalidInput as error:
            return _page(source_id, _mistakes(error)), 422
        offers, items = _many(told["offers"], "offer"), _many(told["items"], "item")
        flash(f"The file is imported: {offers} with {items}. What comes in from now on has them.")
        return redirect(url_for("sources.catalog", source_id=source_id), 303)

    def _page(source_id: str, mistakes: list[str]) -> str:
        with site.db.read() as session:
            source = guard.find(session, Source, source_id)
            kept = _about(session, source_id)
        return render_template(
            "sources/catalog.html",
            source=source,
            kept=kept,
            mistakes=mistakes[:MISTAKES_TOLD],
            more=len(mistakes[MISTAKES_TOLD:]),
            format=dedent(FORMAT),
        )


def _about(session: Session, source_id: str) -> dict[str, Any] | None:
    """How much is imported for a source, and when that was; None when nothing is."""
    body = kept_catalog(session, source_id)
    if body is None:
        return None
    return sourcing.counts_of(keeping.loads(Catalog, body)) | {"at": imported_at(session, source_id)}


def _content() -> bytes:
    """What is in the file. Raises InvalidInput."""
    file = request.files.get("file")
    content = file.read(LARGEST_FILE + 1) if file else b""
    if not content:
        raise InvalidInput("no file was chosen, or it is empty")
    if len(content) > LARGEST_FILE:
        raise InvalidInput(f"the file is over {LARGEST_FILE // 1024 // 1024} MiB")
    return content


def _mistakes(error: InvalidInput) -> list[str]:
    """A sentence for each mistake; that nothing was imported stands above them anyway."""
    sentence, *mistakes = str(error).splitlines()
    return [f"{mistake.removesuffix('.')}." for mistake in mistakes] or [sentence_of(InvalidInput(sentence))]


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
