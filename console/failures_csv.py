"""What of a replay Klaviyo did not take or was left out, as CSV: the same from a page and from the command line."""

import csv
import io
from collections.abc import Iterator

from console.plain_text import cell_of_csv
from vrio_klaviyo.store import replays
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.replays import Replay

HEADER = ("delivery", "metric", "unique_id", "status", "reason")


def lines(session: Session, replay: Replay) -> Iterator[str]:
    """The lines one by one, the header first, each with its end: a long list is never held as a whole."""
    yield _line(HEADER)
    for delivery, reason in replays.failures(session, replay):
        yield _line((delivery.id, delivery.metric or "Profile", delivery.unique_id, delivery.status, reason))


def _line(told: tuple[str, ...]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow([cell_of_csv(text) for text in told])
    return written.getvalue()
