"""What a worker or clock process works with: opened once, used for every job."""

import os
import socket
from contextlib import suppress
from datetime import UTC, datetime

from vrio_klaviyo.config import Settings
from vrio_klaviyo.intake import Intake
from vrio_klaviyo.klaviyo.client import new_session
from vrio_klaviyo.lane import Lane
from vrio_klaviyo.lookups import Clients
from vrio_klaviyo.store import leases
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.db import Database
from workers.bells import Bells

HOST = socket.gethostname()


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


class Tools:
    """The database, the bells, and the two halves of the story put together."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.owner = f"{HOST}/{os.getpid()}"
        self.stopping = False
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

    def bury_the_dead(self) -> None:
        """
        Free what a killed process of this machine held, so that its work goes on at once and not when the leases end.

        A number that another process got since only means that they end by themselves.
        """
        with self.db.write() as session:
            for owner in leases.owners(session):
                host, _, process = owner.rpartition("/")
                if host == HOST and process.isdecimal() and not _lives(int(process)):
                    leases.free(session, owner)

    def _told_to_stop(self) -> bool:
        return self.stopping


def _lives(process: int) -> bool:
    try:
        # Another user's process may not be asked, and lives.
        with suppress(PermissionError):
            os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
