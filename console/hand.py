"""Who does something, and with what: a person at a page, a program or the command line."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import requests

from vrio_klaviyo.config import Settings
from vrio_klaviyo.store import audit
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.db import Database, Session
from workers.bells import Bells


class Tools(Protocol):
    """A web process's `Site`, or a command's `Desk`."""

    @property
    def settings(self) -> Settings: ...
    @property
    def db(self) -> Database: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def http(self) -> requests.Session: ...
    @property
    def bells(self) -> Bells: ...
    @property
    def now(self) -> Callable[[], datetime]: ...


@dataclass(frozen=True, slots=True)
class Hand:
    """Somebody's hand: the tools in it, and what the audit log calls whose it is."""

    tools: Tools
    actor: str = audit.COMMAND_LINE
    user_id: str | None = None

    def note(self, session: Session, workspace_id: str, action: str, subject: str = "", /, **details: Any) -> None:
        """Write down what was done, in the transaction that does it."""
        audit.note(
            session,
            workspace_id,
            action,
            now=self.tools.now(),
            subject=subject,
            user_id=self.user_id,
            actor=self.actor,
            **details,
        )
