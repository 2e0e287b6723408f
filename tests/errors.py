"""The page docs/errors.md: `python -m tests.errors` writes it from the tables of what goes wrong."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from console.api.problems import DOCUMENTED_AT, KINDS
from vrio_klaviyo.gate import SkipReason, explain
from vrio_klaviyo.klaviyo.known_errors import KNOWN_ERRORS

PAGE = Path(__file__).parents[1] / "docs" / "errors.md"

HEAD = """# What goes wrong

Three tables stand behind everything that the console, the commands and the API say of a failure: what
[Klaviyo refused](#what-klaviyo-answers), what [we did not send](#what-is-not-sent), and what
[the API answers](#problems-of-the-api) to a program.

This page is made from those tables: `make docs` writes it."""

KLAVIYO = """## What Klaviyo answers

A request that failed, is held or is tried again shows a cause: the status, Klaviyo's code and the field it points at,
or why there was no answer. It is looked up here; `flask stats --by error` counts by it."""

NOT_SENT = """## What is not sent

On screens: "Not sent", with the reason. Such a request is kept, and opens again when the same thing comes in once more,
or when somebody sends it again."""

PROBLEMS = f"""## Problems of the API

Every failure of `/api/v1` is `application/problem+json`. Its `type` is `{DOCUMENTED_AT}` and the name in this table;
the page `/api/docs` of your installation says the same at that place. `instance` is the number of the request, which
the log has too."""


def page() -> str:
    """The whole page."""
    parts = [HEAD, KLAVIYO, *_known(), NOT_SENT, *_skipped(), PROBLEMS, _problems()]
    return "\n\n".join(parts) + "\n"


def _known() -> Iterator[str]:
    for error in KNOWN_ERRORS:
        yield f'<a id="{error.name}"></a>\n\n### {error.title}'
        yield _told(error.meaning, error.remedy, again_helps=error.again_helps)


def _skipped() -> Iterator[str]:
    for reason in SkipReason:
        told = explain(reason)
        yield f"### {reason}"
        yield _told(told.meaning, told.remedy, again_helps=told.again_helps)


def _told(meaning: str, remedy: str, *, again_helps: bool) -> str:
    return f"{meaning} {remedy}\n\nSending again: {'helps' if again_helps else 'does not help'}."


def _problems() -> str:
    rows: Iterable[str] = (
        f'| <a id="problem-{name}"></a>`{name}` | {status} | {title} |' for name, (status, title) in KINDS.items()
    )
    return "\n".join(["| name | status | title |", "|---|---|---|", *rows])


if __name__ == "__main__":
    PAGE.write_text(page())
