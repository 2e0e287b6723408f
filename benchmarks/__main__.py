"""`python -m benchmarks [NAME]... [--quick]`: measures and prints; after all of it, writes docs/performance.md."""

import time
from pathlib import Path

import click

from benchmarks import draining, latency, limits, pages, receiving, scale, slow_clients
from benchmarks.house import ground
from benchmarks.report import Report, page
from benchmarks.sizes import FULL, QUICK, Size
from vrio_klaviyo import log

BENCHMARKS = {
    "receiving": receiving,
    "slow_clients": slow_clients,
    "latency": latency,
    "draining": draining,
    "limits": limits,
    "scale": scale,
    "pages": pages,
}
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


def run(names: tuple[str, ...], size: Size) -> list[Report]:
    """Measure these, or all, one after the other."""
    reports = []
    log.configure("warning")
    with ground() as standing:
        for name in names or BENCHMARKS:
            click.echo(f"{BENCHMARKS[name].TITLE}")
            reports.append(BENCHMARKS[name].measure(standing, size))
    return reports


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)))
@click.option("--quick", is_flag=True, help="Just enough of everything to see that it works; the figures say nothing.")
def main(names: tuple[str, ...], quick: bool) -> None:
    """Say how fast the product is on this computer, beside what it is compared with."""
    began = time.monotonic()
    reports = run(names, QUICK if quick else FULL)
    if not (names or quick):
        PAGE.write_text(page(reports, (time.monotonic() - began) / 60))
        click.echo(f"Written to {PAGE.relative_to(Path.cwd())}.")


if __name__ == "__main__":
    main()
