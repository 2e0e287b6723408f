"""
The page docs/event-catalogue.md: `python -m tests.catalogue` writes it.

It is put together from the routes, the events' modules, the golden cases and the gate's reasons; what none of them says
in a merchant's words stands in docs/event-catalogue.toml.
"""

import json
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from inspect import getdoc
from pathlib import Path
from sys import modules
from typing import Any

from vrio_klaviyo.gate import SkipReason, explain
from vrio_klaviyo.vrio.routes import BEYOND, IGNORED, ROUTES

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "event-catalogue.md"
WORDS: dict[str, Any] = tomllib.loads((ROOT / "docs" / "event-catalogue.toml").read_text())
GOLDENS = ROOT / "tests" / "fixtures" / "vrio"

ONLY_A_PROFILE = "Customer Created"


def page() -> str:
    """The whole page."""
    events = (part for metric in metrics() for part in _event(metric))
    parts = [
        WORDS["texts"]["head"],
        *_overview(),
        *_requests(),
        *_blocks(),
        "## The events",
        *events,
        *_created(),
        *_not_sent(),
    ]
    return "\n\n".join(parts) + "\n"


def _overview() -> Iterator[str]:
    yield "## What follows from which webhook"
    rows = []
    for happened, routed in ROUTES.items():
        words = WORDS["happened"][happened]
        told = [_told(metric_of(builder), alone=len(routed) == 1) for builder in routed]
        rows.append((_codes(words["webhooks"]), _sentence(words["when"]), "; ".join(told)))
    yield _table(("Vrio's webhook", "when", "Klaviyo gets"), rows)
    yield WORDS["texts"]["changes"]
    yield "## Beyond the published page"
    yield WORDS["texts"]["beyond"]
    yield _table(
        ("Klaviyo gets", "when", "what it is for", "Vrio's webhook"),
        (
            (_link(metric), _sentence(words["when"]), _sentence(words["why"]), _codes(words["webhooks"]))
            for metric, words in WORDS["beyond"].items()
        ),
    )
    yield "## What is known and makes no event"
    yield _table(
        ("what came", "why nothing follows"),
        ((_sentence(WORDS["ignored"].get(what, f"`{what}`")), why) for what, why in IGNORED.items()),
    )
    yield "A webhook that stands in neither table is kept and shown to staff as unknown."


def _told(metric: str, *, alone: bool) -> str:
    if metric == ONLY_A_PROFILE:
        return f"the profile, and no event ({_link(metric)})"
    return _link(metric) if alone else f"{_link(metric)}: {WORDS['events'][metric]['many']}"


def _requests() -> Iterator[str]:
    yield "## What every event has"
    yield _table(("field", "what it is"), ((f"`{name}`", what) for name, what in WORDS["request"].items()))
    yield "## Additional properties"
    yield WORDS["texts"]["additional"]
    yield _table(
        ("property", "where it comes from"), ((f"`{name}`", what) for name, what in WORDS["additional"].items())
    )
    yield "## The profile"
    yield WORDS["texts"]["profile"]
    yield _properties(WORDS["profile"], [_profile(example_of("Placed Order")), *profiles()])


def _blocks() -> Iterator[str]:
    yield "## Blocks of properties"
    for name, block in WORDS["blocks"].items():
        yield f"### {block['title']}"
        yield block["text"]
        users = [event for event in metrics() if name in WORDS["events"][event].get("blocks", ())]
        yield _properties(block["properties"], [part for event in users for part in properties_of(event)])


def _event(metric: str) -> Iterator[str]:
    words = WORDS["events"][metric]
    yield f"### {metric}"
    yield _sentence(meaning_of(metric)) + "."
    example = example_of(metric)
    attributes = example["body"]["data"]["attributes"]
    yield "\n".join(
        (
            f"- **How many**: {words['many']}.",
            f"- **Id**: {words['id']}; in the example `{attributes['unique_id']}`.",
            f"- **Value**: {words['value']}.",
            f"- **Time**: {words['time']}.",
        )
    )
    blocks = [WORDS["blocks"][name]["title"] for name in words.get("blocks", ())]
    links = ", ".join(f"the {_link(title.removeprefix('The '), title)}" for title in blocks)
    own = words.get("properties")
    if blocks:
        yield f"Properties: {links}{', and:' if own else '.'}"
    if own:
        yield _properties(own, properties_of(metric))
    yield _folded(f"Example: {metric}", example)


def _created() -> Iterator[str]:
    yield f"### {ONLY_A_PROFILE}"
    yield _sentence(meaning_of(ONLY_A_PROFILE)) + ". There is no event of this name."
    yield _folded(f"Example: {ONLY_A_PROFILE}", example_of(ONLY_A_PROFILE))


def _not_sent() -> Iterator[str]:
    yield "## Why something is not sent"
    yield "Each request that stays behind says one of these, and stays visible with the customer."
    rows = []
    for reason in SkipReason:
        told = explain(reason)
        rows.append((f"`{reason}`", told.meaning, told.remedy, "yes" if told.again_helps else "no"))
    yield _table(("reason", "what it means", "what to do", "does sending again help"), rows)


@cache
def builders() -> Mapping[str, Callable[..., Any]]:
    """Each event that is routed, by its name at Klaviyo, in the order of the routes; then what is beyond the page."""
    return {metric_of(builder): builder for routed in (*ROUTES.values(), BEYOND.values()) for builder in routed}


def metrics() -> list[str]:
    """The names of all events; Customer Created is none."""
    return [name for name in builders() if name != ONLY_A_PROFILE]


def metric_of(builder: Callable[..., Any]) -> str:
    """The event's name at Klaviyo, with which its module begins."""
    return _about(builder)[0]


def meaning_of(metric: str) -> str:
    """What the event is, in the words of its module."""
    return _about(builders()[metric])[1]


def _about(builder: Callable[..., Any]) -> tuple[str, str]:
    name, _, meaning = (getdoc(modules[builder.__module__]) or "").partition("\n\n")[0].partition(": ")
    return name, " ".join(meaning.split()).removesuffix(".")


@cache
def goldens() -> Mapping[str, list[dict[str, Any]]]:
    """All requests of all golden cases, by case."""
    return {case.name: json.loads((case / "klaviyo.json").read_bytes()) for case in sorted(GOLDENS.iterdir())}


def told_in(request: Mapping[str, Any]) -> str:
    """The name of the event that a request is for."""
    attributes = request["body"]["data"]["attributes"]
    return attributes["metric"]["data"]["attributes"]["name"] if "metric" in attributes else ONLY_A_PROFILE


def requests_of(metric: str) -> list[dict[str, Any]]:
    """All requests for this event in the golden cases, the example first."""
    found = (request for requests in goldens().values() for request in requests if told_in(request) == metric)
    return sorted(found, key=lambda request: request is not example_of(metric))


def properties_of(metric: str) -> list[dict[str, Any]]:
    """The properties of all events of this name in the golden cases."""
    return [request["body"]["data"]["attributes"]["properties"] for request in requests_of(metric)]


def profiles() -> list[dict[str, Any]]:
    """The profiles of all golden cases, alone or in their event."""
    return [_profile(request) for requests in goldens().values() for request in requests]


def _profile(request: Mapping[str, Any]) -> dict[str, Any]:
    attributes: dict[str, Any] = request["body"]["data"]["attributes"]
    return attributes["profile"]["data"]["attributes"] if "profile" in attributes else attributes


def example_of(metric: str) -> dict[str, Any]:
    """The request that shows this event: of the case that bears its name, unless another is simpler."""
    case = WORDS["events"].get(metric, {}).get("example", builders()[metric].__name__)
    return next(request for request in goldens()[case] if told_in(request) == metric)


def declared(metric: str) -> list[str]:
    """The patterns of all properties that this event is said to have."""
    words = WORDS["events"][metric]
    inherited = [name for block in words.get("blocks", ()) for name in WORDS["blocks"][block]["properties"]]
    return inherited + list(words.get("properties", ()))


def paths(value: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Each name below a value with what stands there; a list's parts share the list's name."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield above + name, part
            yield from paths(part, f"{above}{name}.")
    elif isinstance(value, list):
        for part in value:
            yield from paths(part, above)


def _properties(sources: Mapping[str, str], seen: list[dict[str, Any]]) -> str:
    rows = ((f"`{name}`", source, _example(name, seen)) for name, source in sources.items())
    return _table(("property", "where it comes from", "example"), rows)


def _example(pattern: str, seen: list[dict[str, Any]]) -> str:
    """A filled value that stands under such a name; of lists only what holds texts, of objects nothing."""
    for where in seen:
        for name, value in paths(where):
            texts = isinstance(value, list) and all(isinstance(part, str) for part in value)
            if fnmatchcase(name, pattern) and value not in ("", []) and (texts or not isinstance(value, list | dict)):
                return f"`{json.dumps(value, ensure_ascii=False)}`"
    return ""


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["|".join(("", *(f" {cell} " for cell in line), "")) for line in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


def _folded(title: str, request: Mapping[str, Any]) -> str:
    body = json.dumps(request["body"], indent=2, ensure_ascii=False)
    opening = f"<details>\n<summary>{title}</summary>"
    return f"{opening}\n\n`POST {request['path']}`\n\n```json\n{body}\n```\n\n</details>"


def _link(text: str, title: str = "") -> str:
    return f"[{text}](#{(title or text).lower().replace(' ', '-')})"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


if __name__ == "__main__":
    PAGE.write_text(page())
