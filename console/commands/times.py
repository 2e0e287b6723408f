"""Times as people give them to a command."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import click

DAY = timedelta(days=1)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Moment(click.ParamType[datetime]):
    """A time: so long ago, such as 90m, 2h or 7d, or a date with or without a time, which is UTC if it says no zone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The time that the text stands for."""
        if isinstance(value, datetime):
            return value
        ago = re.fullmatch(r"(\d{1,6})([mhd])", value)
        try:
            if ago:
                return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
            at = datetime.fromisoformat(value)
        except (ValueError, OverflowError):
            self.fail(f"{value} is no time; write 90m, 2h, 7d, 2026-08-30 or 2026-08-30T14:00:00Z", param, ctx)
        return at if at.tzinfo else at.replace(tzinfo=UTC)


def option(name: str, help_: str) -> Callable[[Any], Any]:
    """An option that takes such a time."""
    return click.option(name, type=Moment(), metavar="TIME", help=f"{help_}: 90m, 2h, 7d ago, or a date.")
