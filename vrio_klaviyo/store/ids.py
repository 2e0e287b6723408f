"""Ids of our own rows: a prefix that says what it is, then 26 characters that sort by time."""

import os
import threading
import time
from datetime import UTC, datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80

_lock = threading.Lock()
_last = 0


def new_id(prefix: str) -> str:
    """
    A new id such as `dl_01KAG8Z3M4X5…`: Crockford's base 32 of 48 bits of milliseconds and 80 random bits.

    Ids made by one process ascend, also within a millisecond, so that rows made in one go keep their order.
    """
    global _last
    fresh = (time.time_ns() // 1_000_000) << _RANDOM_BITS | int.from_bytes(os.urandom(_RANDOM_BITS // 8))
    with _lock:
        _last = max(fresh, _last + 1)
        number = _last
    return f"{prefix}_{_written(number)}"


def earliest_id(prefix: str, at: datetime) -> str:
    """An id that comes before all those that are made from this time on, and after all those made before it."""
    return f"{prefix}_{_written(max(0, int(at.timestamp() * 1000)) << _RANDOM_BITS)}"


def moment_of_id(own_id: str) -> datetime:
    """When an id was made."""
    number = 0
    for sign in own_id.rpartition("_")[2]:
        number = number << 5 | _ALPHABET.index(sign)
    return datetime.fromtimestamp((number >> _RANDOM_BITS) / 1000, UTC)


def _written(number: int) -> str:
    characters = [""] * 26
    for place in range(25, -1, -1):
        characters[place] = _ALPHABET[number & 31]
        number >>= 5
    return "".join(characters)
