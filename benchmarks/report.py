"""What a benchmark tells: one line for each figure, on the terminal and in `docs/performance.md`."""

import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import median

GOOD, MISSED = "met", "**missed**"


@dataclass(frozen=True, slots=True)
class Line:
    """One figure: what was measured, beside what, and whether that was the goal."""

    what: str
    measured: str
    beside: str = ""
    goal: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        """The goal and whether it was met."""
        return "" if self.met is None else f"{self.goal}: {GOOD if self.met else MISSED}"


@dataclass(frozen=True, slots=True)
class Report:
    """What one benchmark found; `notes` say how, `why` what a goal is missed by where one is."""

    name: str
    title: str
    notes: str
    why: str = ""
    lines: list[Line] = field(default_factory=list)

    def add(self, what: str, measured: str, beside: str = "", goal: str = "", met: bool | None = None) -> None:
        """One more line, which is printed at once."""
        line = Line(what, measured, beside, goal, met)
        self.lines.append(line)
        print(f"  {what:<58} {measured:>18}  {beside:<44} {line.verdict}", flush=True)


def ratio(ours: Iterable[float], theirs: Iterable[float]) -> float:
    """The median of the ratios, taken round by round: what slowed one round down slowed both sides."""
    return median(own / other for own, other in zip(ours, theirs, strict=True))


def page(reports: list[Report], minutes: float) -> str:
    """The whole of `docs/performance.md`."""
    parts = [HEAD.format(cpus=os.cpu_count(), python=platform.python_version(), minutes=round(minutes))]
    for report in reports:
        parts.append(f"## {report.title}\n\n`python -m benchmarks {report.name}`. {report.notes}\n")
        parts.append("| | measured | beside | goal |\n|---|---:|---|---|")
        parts += [f"| {line.what} | {line.measured} | {line.beside} | {line.verdict} |" for line in report.lines]
        parts.append("")
    parts.append("## Goals that were missed in this run\n\n" + ("\n".join(_missed(reports)) or "None.") + "\n")
    return "\n".join(parts)


def _missed(reports: Iterable[Report]) -> Iterator[str]:
    for report in reports:
        missed = [line.what for line in report.lines if line.met is False]
        if missed:
            yield f"- {report.title}: {'; '.join(missed)}. {report.why}".rstrip()


HEAD = """\
# Performance

Written by `make bench`; do not edit. Everything ran on one computer with {cpus} processors and Python {python}, in
{minutes} minutes: the product, what it is compared with, the sandbox Klaviyo, the databases, and what posts the
webhooks. So only the ratios tell much. What is compared was measured side by side, round by round, and its ratio is
the median of the rounds'; what has no other side (latency, Klaviyo's limits, more workers, pages) ran once.
"""
