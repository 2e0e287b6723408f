"""What can be chosen about the REST side of a sandbox at its start."""

from dataclasses import dataclass

SANDBOX_KEY = "vrio-sandbox-key-0001"


@dataclass(frozen=True)
class Settings:
    """
    The choices for one sandbox.

    Shape:  `at_once` is how many counted requests each endpoint takes together; `throttle_status` answers one too many,
            since what Vrio answers then is not known.
    """

    api_key: str = SANDBOX_KEY
    at_once: int = 3
    throttle_status: int = 429
    latency_ms: float = 0
    journal_entries: int = 10_000
