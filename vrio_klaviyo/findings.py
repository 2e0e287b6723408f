"""A finding: one thing that was looked at, and how it stands."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class State(StrEnum):
    """How something stands: as it must, worth a look, at fault, or nobody can tell."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One line of what was found.

    Shape:  part groups the lines; name is what was looked at; command puts it right or tells more, "" when all is well.
    """

    part: str
    name: str
    state: State
    sentence: str
    command: str = ""


def ago(passed: timedelta) -> str:
    """A length of time in its largest unit."""
    seconds = max(0, int(passed.total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
