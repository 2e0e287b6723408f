"""
What can be chosen about a sandbox, at its start or later through `POST /sandbox/settings`.
"""

from dataclasses import dataclass
from typing import Literal

from sandbox.klaviyo.documents import MAX_BODY_BYTES
from sandbox.klaviyo.keys import ACCOUNTS, KEYS, Account, ApiKey

PhoneMode = Literal["reject", "partial"]


@dataclass(frozen=True)
class Settings:
    """
    The choices for one sandbox.

    Shape:  `refused_phones` are prefixes; a whole number is the prefix of itself.
    Units:  `rate_limit_scale` multiplies every limit (2.0 doubles them); `bulk_bytes` is how long a bulk job may be;
            `journal_bytes` bounds the kept bodies in all.
    """

    rate_limits: bool = True
    rate_limit_scale: float = 1.0
    drop_test_domains: bool = False
    phone_mode: PhoneMode = "reject"
    refused_phones: tuple[str, ...] = ("+1555000",)
    latency_ms: float = 0
    bulk_bytes: int = MAX_BODY_BYTES
    journal_entries: int = 10_000
    journal_bytes: int = 100_000_000
    accounts: tuple[Account, ...] = ACCOUNTS
    keys: tuple[ApiKey, ...] = KEYS
