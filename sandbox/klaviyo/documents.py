"""
Bytes to a JSON document, as strictly as a server that trusts nobody.
"""

import json
import math
from typing import Any

from sandbox.klaviyo.problems import refused

KB, MB = 1_000, 1_000_000
MAX_BODY_BYTES = 5 * MB
MAX_STRING_BYTES = 100 * KB
MAX_ARRAY_ITEMS = 4_000
MAX_NESTING = 10
MAX_DEPTH = 50
MAX_INTEGER, MIN_INTEGER = 2**63 - 1, -(2**63)

Path = tuple[str | int, ...]


def read_document(body: bytes) -> Any:
    """
    The JSON value of a body.

    Raises: Refused 400 at `/data` for invalid UTF-8, invalid JSON, NaN, infinities, numbers
            that overflow to one, and nesting far beyond anything an endpoint takes.
    """
    try:
        document = json.loads(body.decode("utf-8"), parse_constant=_no_constant, parse_float=_finite)
        if deeper_than(document, MAX_DEPTH):
            raise ValueError("nested too deeply to be looked at")
        return document
    except (ValueError, RecursionError) as error:
        raise refused(400, "invalid", "The payload provided in the request is invalid.", "/data") from error


def pointer(path: Path) -> str:
    """
    A path as a JSON pointer, with `~` and `/` in member names escaped.
    """
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def broken_limits(value: Any, path: Path = ()) -> list[tuple[Path, str]]:
    """
    Every place in a document that breaks a limit on strings, arrays or integers, with what is wrong there.
    """
    match value:
        case str():
            complaint = _text_complaint(value)
            return [(path, complaint)] if complaint else []
        case bool():
            return []
        case int():
            return [] if MIN_INTEGER <= value <= MAX_INTEGER else [(path, "Integers must fit in 64 bits.")]
        case list():
            found = [(path, "Arrays must have no more than 4000 items.")] if len(value) > MAX_ARRAY_ITEMS else []
            for number, item in enumerate(value):
                found += broken_limits(item, (*path, number))
            return found
        case dict():
            found = []
            for name, item in value.items():
                complaint = _text_complaint(name)
                found += [((*path, name), complaint)] if complaint else []
                found += broken_limits(item, (*path, name))
            return found
    return []


def deeper_than(value: Any, levels: int) -> bool:
    """
    Whether objects and arrays are nested deeper than so many levels; a flat object has one.
    """
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(deeper_than(item, levels - 1) for item in inside)


def _text_complaint(text: str) -> str | None:
    if "\0" in text:
        return "Null characters are not allowed."
    try:
        too_long = len(text.encode()) > MAX_STRING_BYTES
    except UnicodeEncodeError:
        return "The text is not valid Unicode."
    return "Strings must be no larger than 100 KB." if too_long else None


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("number out of range")
    return number


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
