"""An option for how much is sent in a minute."""

from typing import Any

import click

from console.schemas.connections import RATES


class Rate(click.IntRange):
    """A cap for the requests of a minute; "none" is 0, which a cap cannot be."""

    def __init__(self) -> None:
        super().__init__(*RATES)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """What the help shows."""
        return "N|none"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number that was typed."""
        return 0 if value == "none" else int(super().convert(value, param, ctx))
