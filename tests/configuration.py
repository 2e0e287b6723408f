"""The page docs/configuration.md: `python -m tests.configuration` writes it from what config.py asks for."""

import ast
from collections.abc import Iterator
from inspect import getsource
from pathlib import Path
from typing import NamedTuple

from vrio_klaviyo import config

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"

HEAD = """# Configuration

The environment says everything; there is no other file of settings. Each variable may also be given as `NAME_FILE`,
the path of a file that holds the value, as containers keep their secrets. A process that finds a value wrong or
missing says so at its start, all of them at once, one sentence each and without the values, and ends with 5. `flask
doctor settings` does the same without starting anything.

What differs between merchants (keys, campaigns, which events are sent) is no setting of the installation: it belongs to
a [connection](cli.md#flask-connection-set) or a [source](cli.md#flask-source-set).

This page is made from `vrio_klaviyo/config.py`: `make docs` writes it."""

TAIL = """## How long things are kept

`BODY_RETENTION_DAYS` counts from when a body came in or went out: after it the webhook as received, the requests and
Klaviyo's answers lose their bodies. Times, codes, ids and reasons stay until `ROW_RETENTION_DAYS`; then they go, and so
does a customer of whom nothing else is left. What is still owed keeps all that it needs. A worker removes once a day;
`flask retention run --dry-run` counts what would go.

## Changing a setting

Settings are read once, at the start of each process: change the environment, then restart web, worker and clock.
SIGTERM ends each of them within ten seconds and loses nothing."""

MEANINGS = {
    "DATABASE_URL": "`sqlite:///path` or `postgresql://user:password@host/name`; PostgreSQL in production",
    "REDIS_URL": "`redis://`, `rediss://` or `unix://`; set `maxmemory-policy noeviction` there",
    "SECRET_KEY": "signs what browsers keep and the cursors of lists; any long random text. Another one signs nobody "
    "out, but a page that is open in a browser has to be loaded again",
    "ENCRYPTION_KEYS": "Fernet keys, comma between them: the first one encrypts, each one opens; "
    "`flask key generate` makes one",
    "KLAVIYO_API_URL": "the sandbox in a trial, else as it is",
    "VRIO_API_URL": "Vrio's REST API, which is asked for what a webhook leaves out",
    "HOST": "the address that `flask web` listens on",
    "PORT": "the port that `flask web` listens on",
    "WEB_CONCURRENCY": "processes of `flask web`; more than one needs PostgreSQL to be of use",
    "LOG_LEVEL": "`debug`, `info`, `warning` or `error`",
    "BODY_RETENTION_DAYS": "days that bodies are kept: webhooks, requests, answers",
    "ROW_RETENTION_DAYS": "days that rows without bodies are kept",
    "BASE_URL": "where people reach the console: links begin with it, and with `https://` its cookies go over TLS only",
    "TRUSTED_PROXIES": "how many proxies of yours stand before `flask web`, whose `X-Forwarded-…` headers count",
}


class Variable(NamedTuple):
    """A variable of the environment; default None when it has to be given."""

    name: str
    kind: str
    default: str | None


def page() -> str:
    """The whole page."""
    rows = ["| variable | kind | default | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{each.name}` | {each.kind} | {_default(each)} | {MEANINGS[each.name]} |"
        for each in sorted(variables(), key=lambda variable: variable.default is not None)
    ]
    return "\n\n".join([HEAD, "\n".join(rows), TAIL]) + "\n"


def variables() -> Iterator[Variable]:
    """What config.py asks for, in its order; what two functions ask for, once."""
    seen = set()
    for call in _calls():
        name, *default = (ast.literal_eval(argument) for argument in call.args)
        if name not in seen:
            seen.add(name)
            kind = {"str": "text", "int": "number", "list": "list"}[call.func.attr]  # type: ignore[attr-defined]
            yield Variable(name, kind, str(default[0]) if default else None)


def _calls() -> list[ast.Call]:
    """Each `env.kind("NAME", …)`: first what `load` asks for itself, then what its functions do."""
    calls = [node for node in ast.walk(ast.parse(getsource(config))) if isinstance(node, ast.Call)]
    ours = (call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in ("str", "int", "list"))
    return sorted((call for call in ours if call.args), key=lambda call: call.lineno)


def _default(variable: Variable) -> str:
    if variable.name == "BASE_URL":
        return "`http://localhost:PORT`"
    return "required" if variable.default is None else f"`{variable.default}`"


if __name__ == "__main__":
    PAGE.write_text(page())
