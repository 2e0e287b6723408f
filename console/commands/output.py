"""What commands print: JSON for programs; tables and `name: value` lines for people."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import click

from console.plain_text import clean

json_option: Callable[[Any], Any] = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
limit_option: Callable[[Any], Any] = click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, the newest first."
)


def show(thing: Mapping[str, Any], *, as_json: bool, follow: str = "") -> None:
    """Print one thing; `follow` is the command that a person may want next."""
    if as_json:
        click.echo(json.dumps(thing))
        return
    for name, value in thing.items():
        click.echo(f"{name}: {cell(value)}")
    hint(follow)


def listing(things: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool, follow: str = "") -> None:
    """Print things: all of each as JSON, or these columns of each; aligned and with a head only on a terminal."""
    if as_json:
        for thing in things:
            click.echo(json.dumps(thing))
        return
    rows = [[cell(thing[column]) for column in columns] for thing in things]
    for line in table(columns, rows) if sys.stdout.isatty() else map("\t".join, rows):
        click.echo(line)
    hint(follow)


def hint(follow: str) -> None:
    """Name the next useful command, to a person at a terminal."""
    if follow and sys.stderr.isatty():
        click.echo(f"Next: {clean(follow)}", err=True)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """The lines of a table whose columns are as wide as what stands in them."""
    lines = [[column.upper().replace("_", " ") for column in columns], *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()


def cell(value: Any) -> str:
    """A value in one line."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return ", ".join(f"{clean(name)}={cell(part)}" for name, part in value.items() if part)
        case list():
            return ", ".join(map(cell, value))
    return clean(str(value))


def moment(at: datetime | None) -> str | None:
    """A time as RFC 3339, in UTC, with milliseconds."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def pretty(body: str) -> list[str]:
    """A body in lines for people: JSON with its members below one another, anything else as it is."""
    with suppress(ValueError, RecursionError):
        body = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    return [clean(line) for line in body.splitlines()]
