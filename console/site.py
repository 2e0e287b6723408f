"""What pages and the API work with, put together once by the composition root."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import requests
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from vrio_klaviyo.config import Settings
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.db import Database
from workers.bells import Bells


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """The web process's tools; all of them may be used by several threads."""

    settings: Settings
    db: Database
    vault: Vault
    http: requests.Session
    bells: Bells
    now: Callable[[], datetime]
    limiter: Limiter


def limiter(redis_url: str) -> Limiter:
    """Counts tries over all web processes in Redis; while that is away each process counts for itself."""
    return Limiter(
        get_remote_address,
        storage_uri=redis_url,
        storage_options={"socket_timeout": 1, "socket_connect_timeout": 1},
        in_memory_fallback_enabled=True,
        key_prefix="limit",
    )
