"""A JSON body as a tree to unfold: members in the order they came in, numbers and strings as they were written."""

import json
from dataclasses import dataclass, field
from typing import Any

# What is longer is for downloading: nobody reads it on a page.
LARGEST = 256 * 1024
DEEPEST = 60


class _Number(str):
    """A number's own digits."""


@dataclass(frozen=True, slots=True)
class Node:
    """
    One value.

    Shape:  kind is object, array, string, number or word (true, false, null); text is a scalar as JSON writes it, and
            for objects and arrays how many members they have. key is None in arrays and at the top.
    """

    kind: str
    text: str
    key: str | None = None
    children: tuple["Node", ...] = field(default=())


def tree(body: str | bytes | None) -> Node | None:
    """The body's tree; None when it is no JSON, or too large or too deep to draw."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body or ""
    if len(text) > LARGEST:
        return None
    try:
        document = json.loads(
            text, parse_float=_Number, parse_int=_Number, parse_constant=_Number, object_pairs_hook=tuple
        )
        return _node(document, None, 0)
    except (ValueError, RecursionError):
        return None


def _node(value: Any, key: str | None, depth: int) -> Node:
    if depth > DEEPEST:
        raise RecursionError
    match value:
        case _Number():
            return Node("number", str(value), key)
        case str():
            return Node("string", json.dumps(value, ensure_ascii=False), key)
        case tuple():
            members = tuple(_node(part, name, depth + 1) for name, part in value)
            return Node("object", f"{len(members)}", key, members)
        case list():
            members = tuple(_node(part, None, depth + 1) for part in value)
            return Node("array", f"{len(members)}", key, members)
    return Node("word", json.dumps(value), key)
