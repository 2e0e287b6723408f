"""What changed from one body to another: line by line, to be read without colour, and field by field in a sentence."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby

from console.pages.json_tree import Node, tree

# Comparing takes the square of it, and nobody reads that much.
MOST_LINES = 2000
_LONGEST = 400
# So many lines of what stayed are shown around what changed.
_AROUND = 3

REMOVED, ADDED, SAME = "−", "+", ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the later body, or one that it no longer has; sign is −, + or nothing."""

    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """
    What changed.

    Shape:  removed, added and changed are names of fields, each once; lines are empty where there would be too many.
    """

    lines: list[Line]
    removed: list[str]
    added: list[str]
    changed: list[str]

    @property
    def stretches(self) -> list[tuple[bool, list[Line]]]:
        """The lines, apart where a long stretch of what stayed begins and ends, which is to be folded."""
        kept = {
            near
            for place, line in enumerate(self.lines)
            if line.sign
            for near in range(place - _AROUND, place + _AROUND + 1)
        }
        numbered = groupby(enumerate(self.lines), key=lambda numbered: numbered[0] not in kept)
        return [(folded, [line for _, line in lines]) for folded, lines in numbered]

    @property
    def sentence(self) -> str:
        """All of it in one line: "1 field removed: phone_number."."""
        told = [
            f"{_fields(names)} {what}: {', '.join(names[:6])}{' …' if len(names) > 6 else ''}."
            for what, names in (("removed", self.removed), ("added", self.added), ("changed", self.changed))
            if names
        ]
        if not told:
            return "Something changed." if any(line.sign for line in self.lines) else "Nothing changed."
        return " ".join(told)


def difference(before: bytes, after: bytes) -> Difference:
    """The way from one body to the other."""
    old, new = tree(before), tree(after)
    if old is None or new is None:
        return Difference(list(_compared(_lines_of(before), _lines_of(after))), [], [], [])
    had, has = dict(_leaves(old)), dict(_leaves(new))
    return Difference(
        lines=list(_compared(list(written(old)), list(written(new)))),
        removed=_names(path for path in had if path not in has),
        added=_names(path for path in has if path not in had),
        changed=_names(path for path in has if path in had and has[path] != had[path]),
    )


def written(node: Node, depth: int = 0) -> Iterator[str]:
    """The lines of a body as it is read: no commas, which would make a line look changed when the next one goes."""
    indent, key = "  " * depth, "" if node.key is None else f'"{node.key}": '
    if node.kind not in ("object", "array"):
        yield _cut(f"{indent}{key}{node.text}")
        return
    opens, closes = "{}" if node.kind == "object" else "[]"
    if not node.children:
        yield f"{indent}{key}{opens}{closes}"
        return
    yield f"{indent}{key}{opens}"
    for child in node.children:
        yield from written(child, depth + 1)
    yield f"{indent}{closes}"


def _leaves(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if not node.children:
        yield path, node.text
    for place, child in enumerate(node.children):
        yield from _leaves(child, (*path, str(place) if child.key is None else child.key))


def _names(paths: Iterator[tuple[str, ...]]) -> list[str]:
    """The last names of these paths, each once."""
    return list(
        dict.fromkeys(_cut(next((part for part in reversed(path) if not part.isdigit()), "")) for path in paths)
    )


def _compared(before: list[str], after: list[str]) -> Iterator[Line]:
    if len(before) + len(after) > 2 * MOST_LINES:
        return
    for what, start, end, new_start, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            yield from (Line(SAME, text) for text in after[new_start:new_end])
        else:
            yield from (Line(REMOVED, text) for text in before[start:end])
            yield from (Line(ADDED, text) for text in after[new_start:new_end])


def _lines_of(body: bytes) -> list[str]:
    return [_cut(line) for line in body.decode("utf-8", "replace").splitlines()]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _fields(names: list[str]) -> str:
    return "1 field" if len(names) == 1 else f"{len(names)} fields"
