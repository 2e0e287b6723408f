"""What a worker or clock process works with: opened once, used for every job."""

import os
import socket
import threading
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from vrio_klaviyo.calling import new_session
from vrio_klaviyo.config import Settings
from vrio_klaviyo.forgetting import Forgetter, Kept
from vrio_klaviyo.intake import Intake
from vrio_klaviyo.lane import Lane
from vrio_klaviyo.lookups import Clients
from vrio_klaviyo.replaying import Replayer
from vrio_klaviyo.store import leases
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.db import Database
from workers.bells import Bells

HOST = socket.gethostname()
PROCESSES = Path("/proc")


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


class Tools:
    """The database, the bells, and the two halves of the story put together."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.owner = owner_of(os.getpid())
        self.stopping = False
        # Held while a job is done; left_behind says that one ended and could not give its lease back.
        self.at_work = threading.Lock()
        self.left_behind = False
        self.db = Database(settings.database_url)
        self.vault = Vault(settings.encryption_keys)
        self.bells = Bells(settings.redis_url)
        self.http = new_session()
        self.intake = Intake(
            db=self.db,
            ring=self.bells.ring,
            now=utc_now,
            vrio_client=Clients(self.vault, self.http, settings.vrio_api_url).of,
            stopping=self._told_to_stop,
        )
        self.lane = Lane(
            db=self.db,
            vault=self.vault,
            http=self.http,
            base_url=settings.klaviyo_api_url,
            ring=self.bells.ring,
            now=utc_now,
            stopping=self._told_to_stop,
        )

        self.replayer = Replayer(db=self.db, ring=self.bells.ring, now=utc_now, stopping=self._told_to_stop)
        kept = Kept(
            bodies=timedelta(days=settings.body_retention_days), rows=timedelta(days=settings.row_retention_days)
        )
        self.forgetter = Forgetter(db=self.db, kept=kept, now=utc_now, stopping=self._told_to_stop)

    def bury_the_dead(self) -> None:
        """
        Free what a killed process of this machine held, so that its work goes on at once and not when the leases end.

        Of who cannot be seen from here nobody says that it is dead: its leases end by themselves.
        """
        with self.db.write() as session:
            for owner in leases.owners(session):
                if is_dead(owner):
                    leases.free(session, owner)

    def give_back(self) -> None:
        """
        Free what a job of this process held when the database went away, so that others need not wait for its end.

        Does nothing while a job is being done: what is held then is in use.
        """
        if self.left_behind and self.at_work.acquire(blocking=False):
            try:
                self.lane.own_up()
                with self.db.write() as session:
                    leases.free(session, self.owner)
                self.left_behind = False
            finally:
                self.at_work.release()

    def _told_to_stop(self) -> bool:
        return self.stopping


def owner_of(process: int) -> str:
    """
    The name under which a process of this machine holds leases: host, place, number and start.

    The place is what the number is counted in. Two containers may have the same host name, and the same numbers in it.
    """
    return f"{HOST}/{_place()}/{process}/{_started(process)}"


def is_dead(owner: str) -> bool:
    """Whether this owner can be seen from here, and is not there any more."""
    host, _, rest = owner.partition("/")
    place, _, rest = rest.partition("/")
    process, _, started = rest.partition("/")
    if not place or (host, place) != (HOST, _place()) or not process.isdecimal():
        return False
    try:
        return _started(int(process)) != started
    except OSError:
        # It is there or not, and we may not look, or have no descriptor left to look with.
        return False


@cache
def _place() -> str:
    """This start of this machine, and the room in it in which processes have numbers; empty where nobody can tell."""
    try:
        boot = (PROCESSES / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot[:8]}-{(PROCESSES / 'self/ns/pid').readlink().name.strip('pid:[]')}"
    except OSError:
        return ""


def _started(process: int) -> str:
    """
    When a process was started, in the machine's own count; empty when there is none of that number.

    Raises: OSError when that cannot be looked up.
    """
    try:
        status = (PROCESSES / str(process) / "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # Its name stands before this in parentheses, and may hold anything. State Z is one that is dead and not yet buried.
    fields = status.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]
