"""Webhook in, complete request bodies out, compared whole with what was typed from the published page."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from vrio_klaviyo.klaviyo.requests import Known, Rendered, Style, render
from vrio_klaviyo.vrio import events, routes
from vrio_klaviyo.vrio.completing import SourceDefaults, with_defaults
from vrio_klaviyo.vrio.schemas import load

ALL_CASES = sorted((Path(__file__).parents[1] / "fixtures" / "vrio").iterdir())
# The others are about what is remembered of earlier webhooks: tests/test_journey_goldens.py.
CASES = [case for case in ALL_CASES if not (case / "before").exists()]
EVENTS = sorted(path.stem for path in Path(*events.__path__).glob("*.py") if path.stem != "__init__")
BUILDERS = [*routes.ROUTES.values(), routes.BEYOND.values()]
RECEIVED_AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def rendered(webhook_file: Path) -> list[Rendered]:
    webhook = load(webhook_file.read_bytes())
    assert webhook.notes == ()
    assert webhook.record is not None
    record, _ = with_defaults(webhook.record, SourceDefaults(zone=UTC), webhook.event_at or RECEIVED_AT)
    return [render(request, Style(), Known()) for request in routes.requests_for(webhook.event, record)]


def expected(case: Path) -> list[dict[str, Any]]:
    golden: list[dict[str, Any]] = json.loads((case / "klaviyo.json").read_bytes(), parse_float=Decimal)
    return golden


@pytest.mark.requirement("003-15", "003-19", "003-20", "003-30", "003-31", "003-33", "003-34", "003-35", "003-36")
@pytest.mark.requirement("003-23", "003-24", "003-25", "003-44", "003-49", "003-50", "003-51", "003-52", "003-57")
@pytest.mark.requirement("003-17", "003-28", "003-29", "003-38", "003-39", "003-40", "003-41", "003-42", "003-43")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_webhook_becomes_the_bodies_of_the_published_page(case: Path) -> None:
    requests = [
        {"path": request.path, "body": json.loads(request.body, parse_float=Decimal)}
        for request in rendered(case / "webhook.json")
    ]
    assert requests == expected(case)


@pytest.mark.requirement("003-B")
@pytest.mark.parametrize("way", ["v2", "rest"])
def test_all_of_vrios_ways_of_writing_give_the_same_bytes(way: str) -> None:
    case = next(case for case in CASES if case.name == "placed_order")
    assert rendered(case / f"webhook__{way}.json") == rendered(case / "webhook.json")


@pytest.mark.requirement("003-33")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_single_property_of_an_event_is_a_string(case: Path) -> None:
    def leaves(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [leaf for part in value.values() for leaf in leaves(part)]
        if isinstance(value, list):
            return [leaf for part in value for leaf in leaves(part)]
        return [value]

    for request in rendered(case / "webhook.json"):
        attributes = json.loads(request.body)["data"]["attributes"]
        if request.path == "/api/events":
            assert {type(leaf) for leaf in leaves(attributes["properties"])} == {str}
            assert type(attributes.get("value", 0)) in (int, float)


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_has_a_file_a_route_and_a_golden_case(event: str) -> None:
    routed = {builder.__name__ for builders in BUILDERS for builder in builders}
    metric = {"placed_non_recurring_order": "Placed Non-Recurring Order"}.get(event, event.replace("_", " ").title())
    case = next(case for case in ALL_CASES if case.name == event)
    metrics = [metric_of(request["body"]["data"]["attributes"]) for request in expected(case)]
    assert event in routed
    # The page's one way to tell Klaviyo something without an event.
    assert (metric in metrics) if event != "customer_created" else (metrics == [None])


def metric_of(attributes: dict[str, Any]) -> Any:
    return attributes["metric"]["data"]["attributes"]["name"] if "metric" in attributes else None


def test_every_route_and_every_golden_case_belongs_to_an_event() -> None:
    routed = {builder.__name__ for builders in BUILDERS for builder in builders}
    assert routed == set(EVENTS)
    assert {case.name.partition("__")[0] for case in ALL_CASES} == set(EVENTS)
