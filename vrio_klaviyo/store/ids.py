"""Ids of our own rows: a prefix that says what it is, then 26 characters that sort by time."""

import os
import threading
import time
from datetime import UTC, datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80
# How far beyond the last one an id lies at most that its own time would put before it: far enough that two processes
# which begin with the same last id make others, and near enough that the millisecond stays.
_STRIDE_BITS = 48

# A clock that is corrected goes back no further than this; one that goes back further was wrong before.
_CORRECTION_MS = 5_000

_lock = threading.Lock()
_last = 0


def new_id(prefix: str) -> str:
    """
    A new id such as `dl_01KAG8Z3M4X5…`: Crockford's base 32 of 48 bits of milliseconds and 80 random bits.

    Ids made by one process ascend, also within a millisecond and while the clock is set back by some seconds, so that
    rows made in one go keep their order. When it goes back further, ids go with it: none tells a time that lies more
    than those seconds ahead of the clock it was made by. So what was made by a clock that was far ahead stays the
    newest until that time has come, and nothing that is made after it is drawn along.
    """
    global _last
    # Before the lock: asking for it lets other threads run, which would all come to wait here.
    chance = int.from_bytes(os.urandom(_RANDOM_BITS // 8))
    with _lock:
        now_ms = time.time_ns() // 1_000_000
        number = now_ms << _RANDOM_BITS | chance
        if number <= _last and (_last >> _RANDOM_BITS) - now_ms <= _CORRECTION_MS:
            number = _last + 1 + chance % (1 << _STRIDE_BITS)
        _last = number
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
