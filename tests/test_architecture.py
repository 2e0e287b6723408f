"""Who may import whom: every import line of the product is read, also those inside functions and for types only."""

import ast
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Row: a module, or a package with all that is in it; where two rows fit, the longer one counts. What stands beside it
# may be imported there, with all that is in it. The row's own package needs no mention. What has no row may not exist.
MAY_IMPORT: Mapping[str, Sequence[str]] = {
    "wsgi": ["webhooks", "console", "sandbox", "workers", "vrio_klaviyo.config", "vrio_klaviyo.log"],
    "webhooks": [
        "workers.bells",
        "vrio_klaviyo.store",
        "vrio_klaviyo.config",
        "vrio_klaviyo.errors",
        "vrio_klaviyo.log",
    ],
    "console": ["workers.bells", "vrio_klaviyo"],
    "workers": ["vrio_klaviyo"],
    # The intake is one story in seven rooms, each of which knows the next.
    "vrio_klaviyo.intake": [
        "vrio_klaviyo.assembling",
        "vrio_klaviyo.consequences",
        "vrio_klaviyo.lookups",
        "vrio_klaviyo.recollection",
        "vrio_klaviyo.vrio",
        "vrio_klaviyo.store",
        "vrio_klaviyo.errors",
        "vrio_klaviyo.log",
    ],
    "vrio_klaviyo.lookups": [
        "vrio_klaviyo.recollection",
        "vrio_klaviyo.vrio",
        "vrio_klaviyo.store",
        "vrio_klaviyo.errors",
        "vrio_klaviyo.log",
    ],
    "vrio_klaviyo.consequences": [
        "vrio_klaviyo.gate",
        "vrio_klaviyo.assembling",
        "vrio_klaviyo.recollection",
        "vrio_klaviyo.wanted",
        "vrio_klaviyo.vrio",
        "vrio_klaviyo.klaviyo.requests",
        "vrio_klaviyo.store",
    ],
    "vrio_klaviyo.assembling": [
        "vrio_klaviyo.complete",
        "vrio_klaviyo.recollection",
        "vrio_klaviyo.vrio",
        "vrio_klaviyo.klaviyo.requests",
        "vrio_klaviyo.store",
    ],
    "vrio_klaviyo.wanted": [
        "vrio_klaviyo.vrio.routes",
        "vrio_klaviyo.klaviyo.requests",
        "vrio_klaviyo.store.connections",
    ],
    # What the clock has to say of its own; the intake makes the rest of it.
    "vrio_klaviyo.upcoming": ["vrio_klaviyo.vrio.changes", "vrio_klaviyo.store"],
    "vrio_klaviyo.complete": ["vrio_klaviyo.recollection", "vrio_klaviyo.vrio"],
    "vrio_klaviyo.recollection": ["vrio_klaviyo.vrio", "vrio_klaviyo.store.db", "vrio_klaviyo.store.memory"],
    # The lane is one story in six rooms, each of which knows the next.
    "vrio_klaviyo.lane": [
        "vrio_klaviyo.claiming",
        "vrio_klaviyo.recording",
        "vrio_klaviyo.rush",
        "vrio_klaviyo.deciding",
        "vrio_klaviyo.sending",
        "vrio_klaviyo.klaviyo",
        "vrio_klaviyo.store",
        "vrio_klaviyo.errors",
        "vrio_klaviyo.log",
    ],
    "vrio_klaviyo.claiming": [
        "vrio_klaviyo.recording",
        "vrio_klaviyo.rush",
        "vrio_klaviyo.deciding",
        "vrio_klaviyo.sending",
        "vrio_klaviyo.klaviyo",
        "vrio_klaviyo.store",
        "vrio_klaviyo.errors",
        "vrio_klaviyo.log",
    ],
    "vrio_klaviyo.recording": [
        "vrio_klaviyo.rush",
        "vrio_klaviyo.deciding",
        "vrio_klaviyo.sending",
        "vrio_klaviyo.klaviyo",
        "vrio_klaviyo.store",
        "vrio_klaviyo.log",
    ],
    "vrio_klaviyo.rush": [
        "vrio_klaviyo.deciding",
        "vrio_klaviyo.sending",
        "vrio_klaviyo.klaviyo",
        "vrio_klaviyo.store",
        "vrio_klaviyo.errors",
    ],
    "vrio_klaviyo.deciding": [
        "vrio_klaviyo.sending",
        "vrio_klaviyo.klaviyo",
        "vrio_klaviyo.store",
        "vrio_klaviyo.errors",
    ],
    "vrio_klaviyo.sending": ["vrio_klaviyo.klaviyo", "vrio_klaviyo.store", "vrio_klaviyo.errors"],
    # What a person sends again is built by the intake's rooms and goes out by the lane.
    "vrio_klaviyo.replaying": [
        "vrio_klaviyo.sending_again",
        "vrio_klaviyo.gate",
        "vrio_klaviyo.store",
        "vrio_klaviyo.errors",
        "vrio_klaviyo.log",
    ],
    "vrio_klaviyo.sending_again": [
        "vrio_klaviyo.assembling",
        "vrio_klaviyo.wanted",
        "vrio_klaviyo.gate",
        "vrio_klaviyo.vrio",
        "vrio_klaviyo.klaviyo.requests",
        "vrio_klaviyo.store",
        "vrio_klaviyo.errors",
        "vrio_klaviyo.log",
    ],
    "vrio_klaviyo.forgetting": ["vrio_klaviyo.store", "vrio_klaviyo.errors", "vrio_klaviyo.log"],
    "vrio_klaviyo.connecting": [
        "vrio_klaviyo.klaviyo",
        "vrio_klaviyo.store",
        "vrio_klaviyo.errors",
        "vrio_klaviyo.log",
    ],
    # What people are told: read from what is kept, and, where they ask for it, from Klaviyo.
    "vrio_klaviyo.diagnosing": [
        "vrio_klaviyo.clues",
        "vrio_klaviyo.connecting",
        "vrio_klaviyo.findings",
        "vrio_klaviyo.gate",
        "vrio_klaviyo.recollection",
        "vrio_klaviyo.store",
    ],
    "vrio_klaviyo.clues": [
        "vrio_klaviyo.wanted",
        "vrio_klaviyo.gate",
        "vrio_klaviyo.klaviyo.known_errors",
        "vrio_klaviyo.store",
    ],
    "vrio_klaviyo.health": [
        "vrio_klaviyo.deciding",
        "vrio_klaviyo.findings",
        "vrio_klaviyo.traffic",
        "vrio_klaviyo.klaviyo.client",
        "vrio_klaviyo.store",
        "vrio_klaviyo.errors",
    ],
    "vrio_klaviyo.traffic": ["vrio_klaviyo.findings", "vrio_klaviyo.store"],
    "vrio_klaviyo.findings": [],
    "vrio_klaviyo.measuring": ["vrio_klaviyo.store"],
    "vrio_klaviyo.previewing": [
        "vrio_klaviyo.assembling",
        "vrio_klaviyo.consequences",
        "vrio_klaviyo.wanted",
        "vrio_klaviyo.gate",
        "vrio_klaviyo.klaviyo.requests",
        "vrio_klaviyo.vrio",
        "vrio_klaviyo.store",
        "vrio_klaviyo.errors",
    ],
    "vrio_klaviyo.profile_ids": [
        "vrio_klaviyo.gate",
        "vrio_klaviyo.klaviyo.client",
        "vrio_klaviyo.store",
        "vrio_klaviyo.errors",
        "vrio_klaviyo.log",
    ],
    "vrio_klaviyo.trying_out": [
        "vrio_klaviyo.gate",
        "vrio_klaviyo.klaviyo.requests",
        "vrio_klaviyo.vrio.routes",
        "vrio_klaviyo.store",
        "vrio_klaviyo.errors",
    ],
    "vrio_klaviyo.vrio_key": [
        "vrio_klaviyo.connecting",
        "vrio_klaviyo.vrio.client",
        "vrio_klaviyo.errors",
    ],
    "vrio_klaviyo.gate": [
        "vrio_klaviyo.vrio.records",
        "vrio_klaviyo.klaviyo.requests",
        "vrio_klaviyo.store.connections",
    ],
    "vrio_klaviyo.vrio": [
        "vrio_klaviyo.klaviyo.requests",
        "vrio_klaviyo.klaviyo.phone",
        "vrio_klaviyo.calling",
        "vrio_klaviyo.errors",
    ],
    "vrio_klaviyo.klaviyo": ["vrio_klaviyo.calling", "vrio_klaviyo.errors"],
    # What both of them call through.
    "vrio_klaviyo.calling": ["vrio_klaviyo.deadlines", "vrio_klaviyo.errors"],
    "vrio_klaviyo.deadlines": [],
    "vrio_klaviyo.store": ["vrio_klaviyo.klaviyo.requests", "vrio_klaviyo.errors"],
    "vrio_klaviyo.errors": [],
    "vrio_klaviyo.config": [],
    "vrio_klaviyo.log": [],
    "vrio_klaviyo.__init__": [],
    "sandbox": [],
    "migrations": ["vrio_klaviyo.store"],
}

# These are imported here and nowhere else, whatever the table above says.
ONLY_IN = {
    "vrio_klaviyo.vrio.client": ["vrio_klaviyo.intake", "vrio_klaviyo.lookups", "vrio_klaviyo.vrio_key"],
    "sqlalchemy": ["vrio_klaviyo.store", "migrations"],
    "alembic": ["vrio_klaviyo.store", "migrations"],
}

# And the first is never imported in the second.
NEVER_IN = [("flask", "vrio_klaviyo"), ("rq", "vrio_klaviyo")]

# They look at the product from outside: they may import all of it, and it may import none of them.
OUTSIDE = {"tests", "benchmarks"}


def test_nobody_imports_what_is_not_theirs() -> None:
    assert complaints(ROOT) == []


def test_every_row_is_about_something_that_exists() -> None:
    """A module that is renamed takes its rule along."""
    names = {name for module in modules_of(ROOT) for name in (module, *packages_of(module))}

    assert MAY_IMPORT.keys() - names == set()


@pytest.mark.parametrize(
    ("path", "source", "complaint"),
    [
        ("sandbox/klaviyo.py", "from vrio_klaviyo import errors", "line 1: sandbox may not import vrio_klaviyo.errors"),
        ("sandbox/klaviyo.py", "import vrio_klaviyo", "line 1: sandbox may not import vrio_klaviyo"),
        ("sandbox/klaviyo.py", "from vrio_klaviyo import *", "line 1: sandbox may not import vrio_klaviyo"),
        ("workers/jobs.py", "import console.pages", "line 1: workers may not import console.pages"),
        ("console/pages.py", "from workers import bells, jobs", "line 1: console may not import workers.jobs"),
        ("webhooks/vrio.py", "x = 1\nimport json, vrio_klaviyo.gate", "2: webhooks may not import vrio_klaviyo.gate"),
        ("vrio_klaviyo/lane.py", "from vrio_klaviyo import intake", "lane may not import vrio_klaviyo.intake"),
        ("vrio_klaviyo/lane.py", "from .vrio.records import Order", "lane may not import vrio_klaviyo.vrio.records"),
        ("vrio_klaviyo/gate.py", "from . import store", "gate may not import vrio_klaviyo.store"),
        ("vrio_klaviyo/vrio/events/sale.py", "from ...klaviyo import client", "vrio may not import vrio_klaviyo.klav"),
        ("vrio_klaviyo/__init__.py", "from .errors import Answer", "__init__ may not import vrio_klaviyo.errors"),
        ("vrio_klaviyo/store/__init__.py", "from ..gate import x", "store may not import vrio_klaviyo.gate"),
        ("vrio_klaviyo/errors.py", "def late():\n    import vrio_klaviyo.log", "line 2: vrio_klaviyo.errors may not"),
        ("vrio_klaviyo/config.py", "if TYPE_CHECKING:\n    from .store import db", "2: vrio_klaviyo.config may not"),
        ("workers/jobs.py", "from tests import conftest", "workers may not import tests"),
        ("workers/jobs.py", "import benchmarks.journey", "workers may not import benchmarks.journey"),
        ("workers/jobs.py", "from vrio_klaviyo.vrio import client", "only vrio_klaviyo.intake and"),
        ("vrio_klaviyo/vrio/routes.py", "from .client import Vrio", "only vrio_klaviyo.intake and"),
        ("console/pages.py", "import sqlalchemy.orm", "only vrio_klaviyo.store and migrations may import sqlal"),
        ("vrio_klaviyo/store/db.py", "def f():\n    from flask import g", "line 2: vrio_klaviyo may not import flask"),
        ("vrio_klaviyo/intake.py", "import rq.job", "vrio_klaviyo may not import rq.job"),
        ("vrio_klaviyo/money.py", "", "vrio_klaviyo.money has no row in the table"),
        ("billing/invoices.py", "", "billing.invoices has no row in the table"),
        ("setup.py", "", "setup has no row in the table"),
    ],
)  # fmt: skip
def test_a_wrong_import_is_found(tmp_path: Path, path: str, source: str, complaint: str) -> None:
    make_tree(tmp_path, path, source)

    (found,) = complaints(tmp_path)

    assert complaint in found


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("wsgi.py", "import webhooks, console\nfrom vrio_klaviyo import config"),
        ("webhooks/vrio.py", "from flask import request\nfrom vrio_klaviyo.store.db import Database"),
        ("console/pages.py", "from . import forms\nfrom vrio_klaviyo import gate\nfrom workers.bells import ring"),
        ("workers/jobs.py", "from rq import Queue\nfrom vrio_klaviyo import intake, lane"),
        ("vrio_klaviyo/intake.py", "from vrio_klaviyo.vrio.client import Vrio\nfrom .vrio import routes"),
        ("vrio_klaviyo/gate.py", "from vrio_klaviyo.store.connections import Connection"),
        ("vrio_klaviyo/store/db.py", "import sqlalchemy\nfrom .crypto import Vault"),
        ("vrio_klaviyo/vrio/events/sale.py", "from vrio_klaviyo.vrio.records import Order\nfrom .. import properties"),
        ("vrio_klaviyo/klaviyo/client.py", "import rqsomething, flasky\nfrom vrio_klaviyo.errors import Answer"),
        ("migrations/env.py", "from alembic import context\nfrom vrio_klaviyo.store.db import Base"),
        ("tests/test_x.py", "import wsgi, sqlalchemy, vrio_klaviyo.vrio.client"),
    ],
)  # fmt: skip
def test_a_right_import_is_left_alone(tmp_path: Path, path: str, source: str) -> None:
    make_tree(tmp_path, path, source)

    assert complaints(tmp_path) == []


SMALL_PRODUCT = [
    "console/forms",
    "console/pages",
    "vrio_klaviyo/__init__",
    "vrio_klaviyo/config",
    "vrio_klaviyo/errors",
    "vrio_klaviyo/gate",
    "vrio_klaviyo/intake",
    "vrio_klaviyo/klaviyo/client",
    "vrio_klaviyo/log",
    "vrio_klaviyo/store/__init__",
    "vrio_klaviyo/store/db",
    "vrio_klaviyo/vrio/client",
    "vrio_klaviyo/vrio/records",
    "workers/bells",
    "workers/jobs",
]


def make_tree(root: Path, path: str, source: str) -> None:
    """A small product in which one module says something."""
    for name, text in [*((f"{module}.py", "") for module in SMALL_PRODUCT), (path, source)]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def complaints(root: Path) -> list[str]:
    """One sentence for every import that may not be, and for every module that no row is about."""
    modules = modules_of(root)
    names = {name for module in modules for name in (module, *packages_of(module))}
    ours = {name.partition(".")[0] for name in names} | OUTSIDE
    found = []
    for module, path in modules.items():
        row = max((row for row in MAY_IMPORT if inside(module, row)), key=len, default=None)
        if row is None:
            found.append(f"{module} has no row in the table")
            continue
        for line, target in imports_of(module, path.read_text(), names):
            where = f"{path.relative_to(root)}, line {line}"
            if inside(target, *ours) and not inside(target, row, *MAY_IMPORT[row]):
                found.append(f"{where}: {row} may not import {target}")
            for name, places in ONLY_IN.items():
                if inside(target, name) and not inside(module, *places):
                    found.append(f"{where}: only {' and '.join(places)} may import {target}")
            for name, place in NEVER_IN:
                if inside(target, name) and inside(module, place):
                    found.append(f"{where}: {place} may not import {target}")
    return found


def modules_of(root: Path) -> dict[str, Path]:
    """Every module of the product, by its dotted name; a package's own file is called `package.__init__`."""
    files = [*root.glob("*.py"), *root.glob("[!.]*/**/*.py")]
    modules = {".".join(file.relative_to(root).with_suffix("").parts): file for file in sorted(files)}
    return {name: file for name, file in modules.items() if not inside(name, *OUTSIDE)}


def packages_of(module: str) -> Iterator[str]:
    """The packages that a module stands in, from the inside out."""
    while module := module.rpartition(".")[0]:
        yield module


def imports_of(module: str, source: str, names: Set[str]) -> Iterator[tuple[int, str]]:
    """
    The line and the full dotted name of everything that a module imports.

    Shape:  `from package import name` is about `package.name` where that is a module of `names`, else about `package`.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = list(packages_of(module))[node.level - 1] if node.level else ""
            package = ".".join(part for part in (start, node.module) if part)
            for alias in node.names:
                target = f"{package}.{alias.name}"
                yield node.lineno, target if target in names else package


def inside(name: str, *packages: str) -> bool:
    """Whether the dotted name is one of the packages or stands in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)
