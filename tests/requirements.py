"""
Which tests show which requirement: `python -m tests.requirements` lists them, and ends with 1 when one has none.

The numbers are the rows of docs/requirements.md. The markers are read in the tests' source, so that the list can be had
while a test cannot even be imported.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "requirements.md"


def listed(page: str) -> list[tuple[str, str]]:
    """Every number of the page with its sentence, in the page's order."""
    return re.findall(r"^\| (\d{3}-\w+) \| ([^|]+?) \|", page, re.MULTILINE)


def carried(root: Path) -> dict[str, list[str]]:
    """
    The tests that carry each number.

    Shape:  named as pytest does, so that a line can be handed to it: a file for a module's `pytestmark`; a test with
            parameters stands once, also when only one of its cases is marked.
    Raises: ValueError, when a marker is not made of plain texts, which nobody could read here.
    """
    found: dict[str, list[str]] = {}
    for file in sorted((root / "tests").rglob("test_*.py")):
        name = file.relative_to(root).as_posix()
        for test, number in _marks(ast.parse(file.read_text(), name), (name,)):
            if test not in found.setdefault(number, []):
                found[number].append(test)
    return found


def _marks(node: ast.AST, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Test and number of each marker below a node; a function's decorators are below it, its parameters' marks too."""
    for part in ast.iter_child_nodes(node):
        match part:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                # pytest: what is named otherwise is never run, and a marker on it shows nothing.
                if name.lower().startswith("test"):
                    yield from _marks(part, (*names, name))
            case ast.Call(func=ast.Attribute(attr="requirement", value=ast.Attribute(attr="mark")), args=numbers):
                for number in numbers:
                    if not (isinstance(number, ast.Constant) and isinstance(number.value, str)):
                        raise ValueError(f"{names[0]}, line {part.lineno}: a requirement's number must be a plain text")
                    yield "::".join(names), number.value
            case _:
                yield from _marks(part, names)


def without_a_test(numbers: Iterable[str], tests: Mapping[str, list[str]]) -> list[str]:
    """The numbers that no test carries."""
    return [number for number in numbers if not tests.get(number)]


def report(requirements: list[tuple[str, str]], tests: Mapping[str, list[str]]) -> Iterator[str]:
    """The list for people, and what is wrong with it in the end."""
    numbers = [number for number, _ in requirements]
    for number, sentence in requirements:
        yield f"{number:8} {sentence}"
        yield from (f"{'':8}   {test}" for test in tests.get(number) or ["no test"])
    missing, unknown = without_a_test(numbers, tests), sorted(tests.keys() - set(numbers))
    yield f"{len(numbers)} requirements; without a test: {', '.join(missing) or 'none'}"
    if unknown:
        yield f"Named by a test and not listed: {', '.join(unknown)}"


def main() -> int:
    """Print the list; 0 when it is whole."""
    requirements, tests = listed(PAGE.read_text()), carried(ROOT)
    print("\n".join(report(requirements, tests)))
    numbers = [number for number, _ in requirements]
    return int(bool(without_a_test(numbers, tests) or tests.keys() - set(numbers)))


if __name__ == "__main__":
    sys.exit(main())
