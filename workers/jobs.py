"""The jobs: an id in, one call. What goes wrong in one is written down, so that no row kills worker after worker."""

import faulthandler
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import cache

from vrio_klaviyo import config, log
from vrio_klaviyo.connecting import recheck_connection
from vrio_klaviyo.store import inbound
from vrio_klaviyo.store.db import DatabaseError, is_outage
from workers.tools import Tools, utc_now

# Longer than a job may take by RQ's limit, and than its lease lasts: somebody else has taken over by then.
HANGS_S = 45.0
STANDARD_ERROR = 2


@cache
def tools() -> Tools:
    """What this process works with; its settings were checked when it started."""
    return Tools(config.load())


def intake(source_id: str) -> None:
    """Work off what a source has sent."""

    def note(trace: str) -> None:
        with tools().db.write() as session:
            inbound.note_crash(session, tools().intake.begun, trace)

    _do("intake", source_id, lambda: tools().intake.drain(source_id, tools().owner), note)


def lane(account_id: str) -> None:
    """Send what is owed to one Klaviyo account."""
    _do("lane", account_id, lambda: tools().lane.drain(account_id, tools().owner))


def recheck(connection_id: str) -> None:
    """Ask Klaviyo again about a key that it did not take."""
    at = tools()
    url = at.settings.klaviyo_api_url
    _do("recheck", connection_id, lambda: recheck_connection(at.db, at.vault, at.http, url, connection_id, utc_now()))


def replay(replay_id: str) -> None:
    """Release what a replay may send by now."""
    _do("replay", replay_id, lambda: tools().replayer.advance(replay_id, tools().owner))


def retention(when: str) -> None:
    """Remove what has been kept for long enough."""
    _do("retention", when, lambda: tools().forgetter.forget(tools().owner))


NAMES = frozenset(f"workers.jobs.{job.__name__}" for job in (intake, lane, recheck, replay, retention))


def _do(job: str, subject: str, work: Callable[[], object], note: Callable[[str], None] | None = None) -> None:
    tools().bells.answered(job, subject)
    # RQ's own time limit interrupts Python only; code that never comes back to Python is ended with its process.
    faulthandler.dump_traceback_later(HANGS_S, exit=True, file=STANDARD_ERROR)
    try:
        with tools().at_work:
            work()
    except Exception as error:
        # The row stays as it was, marked as begun; the clock's sweep rings for it again.
        log.error("job.failed", job=job, subject=subject, error=type(error).__name__)
        if isinstance(error, DatabaseError) and is_outage(error):
            tools().left_behind = True
        elif note:
            with suppress(DatabaseError):
                note(traceback.format_exc(limit=-8))
    finally:
        faulthandler.cancel_dump_traceback_later()
