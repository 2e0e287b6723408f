"""Passwords: how they are kept, compared and chosen."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

SHORTEST, LONGEST = 12, 200
# The first ones that anybody tries; what is shorter is refused anyway.
_KNOWN = {
    "123456789012",
    "1234567890123",
    "12345678901234",
    "1q2w3e4r5t6y",
    "administrator",
    "changemenow1",
    "iloveyou1234",
    "klaviyoklaviyo",
    "letmeinletmein",
    "password1234",
    "password12345",
    "passwordpassword",
    "qwertyqwerty",
    "qwertyuiop12",
    "qwertyuiop123",
    "welcome12345",
}

_hasher = PasswordHasher()


@cache
def _nobodys() -> str:
    """Compared with when there is no such account, so that the answer takes as long."""
    return _hasher.hash("nobody's password")


def hashed(password: str) -> str:
    """The password as kept."""
    return _hasher.hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Whether this is the password; as slow when there is none."""
    try:
        return _hasher.verify(kept or _nobodys(), password[: LONGEST + 1]) and bool(kept)
    except (Argon2Error, InvalidHashError):
        return False


def complaint(password: str, email: str) -> str:
    """Why this cannot be a password; "" when it can."""
    if len(password) < SHORTEST:
        return f"Use at least {SHORTEST} characters."
    if len(password) > LONGEST:
        return f"Use at most {LONGEST} characters."
    told = password.casefold()
    if told in _KNOWN or len(set(told)) < 4 or told == email.casefold():
        return "This password is among the first that others would try."
    return ""
