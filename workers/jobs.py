"""The jobs: an id in, one call. What goes wrong in one is written down, so that no row kills worker after worker."""

import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import cache

from vrio_klaviyo import config, log
from vrio_klaviyo.connecting import check_connection
from vrio_klaviyo.store import inbound
from vrio_klaviyo.store.db import DatabaseError
from workers.tools import Tools, utc_now


@cache
def tools() -> Tools:
    """What this process works with; its settings were checked when it started."""
    return Tools(config.load())


def intake(source_id: str) -> None:
    """Work off what a source has sent."""

    def note(trace: str) -> None:
        with tools().db.write() as session:
            inbound.note_crash(session, source_id, trace)

    _do("intake", source_id, lambda: tools().intake.drain(source_id, tools().owner), note)


def lane(account_id: str) -> None:
    """Send what is owed to one Klaviyo account."""
    _do("lane", account_id, lambda: tools().lane.drain(account_id, tools().owner))


def recheck(connection_id: str) -> None:
    """Ask Klaviyo again about a key that it did not take."""
    at = tools()
    url = at.settings.klaviyo_api_url
    _do("recheck", connection_id, lambda: check_connection(at.db, at.vault, at.http, url, connection_id, utc_now()))


NAMES = frozenset(f"workers.jobs.{job.__name__}" for job in (intake, lane, recheck))


def _do(job: str, subject: str, work: Callable[[], object], note: Callable[[str], None] | None = None) -> None:
    tools().bells.answered(job, subject)
    try:
        work()
    except Exception as error:
        # The row stays as it was, marked as begun; the clock's sweep rings for it again.
        log.error("job.failed", job=job, subject=subject, error=type(error).__name__)
        if note:
            # When it was the database that failed, it cannot be told so.
            with suppress(DatabaseError):
                note(traceback.format_exc(limit=-8))
