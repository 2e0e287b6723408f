"""Ids of our own rows: a prefix that says what it is, then 26 characters that sort by time."""

import os
import threading
import time

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
        rest = _last
    characters = [""] * 26
    for place in range(25, -1, -1):
        characters[place] = _ALPHABET[rest & 31]
        rest >>= 5
    return f"{prefix}_{''.join(characters)}"
