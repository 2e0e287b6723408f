"""The page for merchants says what the product does: it is not stale, and every property on it has one source."""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.catalogue import (
    GOLDENS,
    ONLY_A_PROFILE,
    PAGE,
    ROOT,
    WORDS,
    builders,
    declared,
    goldens,
    metric_of,
    metrics,
    page,
    paths,
    profiles,
    properties_of,
    requests_of,
    told_in,
)
from vrio_klaviyo.gate import SkipReason, explain
from vrio_klaviyo.vrio import routes
from vrio_klaviyo.vrio.additional import additional_properties
from vrio_klaviyo.vrio.records import Shipment, Transaction
from vrio_klaviyo.vrio.schemas import load


def mismatches(patterns: list[str], seen: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Names without exactly one pattern, and patterns without any name; each with what it has instead."""
    names = {name for where in seen for name, _ in paths(where)}
    of_names = {name: [pattern for pattern in patterns if fnmatchcase(name, pattern)] for name in names}
    used = {pattern for found in of_names.values() for pattern in found}
    return {name: found for name, found in of_names.items() if len(found) != 1} | {
        pattern: [] for pattern in patterns if pattern not in used
    }


def test_the_page_is_what_would_be_written_now() -> None:
    assert PAGE.read_text() == page(), "It is stale: make docs"


@pytest.mark.parametrize("metric", metrics())
def test_every_property_of_an_event_has_one_source_and_every_source_a_property(metric: str) -> None:
    assert mismatches(declared(metric), properties_of(metric)) == {}


def test_every_field_of_a_profile_has_one_source() -> None:
    assert mismatches(list(WORDS["profile"]), profiles()) == {}


def test_every_field_of_a_request_is_explained() -> None:
    attributes = [request["body"]["data"]["attributes"] for metric in metrics() for request in requests_of(metric)]

    assert {name for each in attributes for name in each} == set(WORDS["request"])


def test_a_property_too_many_and_one_too_few_are_found() -> None:
    seen = [{"OrderId": "1", "Items": [{"SKU": "A"}], "SaleId": "2"}]

    assert mismatches(["OrderId", "Order*", "Items", "Items.SKU", "Attempt"], seen) == {
        "OrderId": ["OrderId", "Order*"],
        "SaleId": [],
        "Attempt": [],
    }


def test_the_words_are_about_what_there_is_and_about_all_of_it() -> None:
    assert list(WORDS["happened"]) == list(routes.ROUTES)
    assert set(WORDS["ignored"]) <= set(routes.IGNORED)
    assert set(WORDS["events"]) == set(metrics())
    assert list(WORDS["beyond"]) == list(routes.BEYOND)
    assert {name for event in WORDS["events"].values() for name in event.get("blocks", ())} == set(WORDS["blocks"])


def test_every_event_is_called_as_its_goldens_call_it() -> None:
    assert set(builders()) == {told_in(request) for requests in goldens().values() for request in requests}


@pytest.mark.parametrize("case", sorted(GOLDENS.iterdir()), ids=lambda case: case.name)
def test_a_golden_case_is_what_the_overview_says(case: Path) -> None:
    event = load((case / "webhook.json").read_bytes()).event
    told = {told_in(request) for request in goldens()[case.name]}
    beyond = told & set(routes.BEYOND)
    assert all(event in WORDS["beyond"][metric]["webhooks"] for metric in beyond)
    if told == beyond:
        return
    said = [happened for happened, words in WORDS["happened"].items() if event in words["webhooks"]]

    assert any(told - beyond <= {metric_of(builder) for builder in routes.ROUTES[happened]} for happened in said)


def test_what_is_ignored_is_a_webhooks_name_or_explained() -> None:
    for what in routes.IGNORED.keys() - WORDS["ignored"].keys():
        assert re.fullmatch(r"(transaction|order|order_offer|shipment)_[a-z_]+", what)
        assert routes.trigger(what, None) == what


def test_every_additional_property_is_explained() -> None:
    refusal, parcel = Transaction(transaction_id="1670", approved=False), Shipment()
    made = additional_properties(refusal).keys() | additional_properties(parcel).keys()

    assert set(WORDS["additional"]) == made


def test_every_name_of_a_field_is_one_that_is_read() -> None:
    source = "".join(file.read_text() for file in (ROOT / "vrio_klaviyo" / "vrio").glob("*.py"))
    tables = [WORDS["profile"], *(part["properties"] for part in WORDS["blocks"].values())]
    tables += [event.get("properties", {}) for event in WORDS["events"].values()]
    said = [*(text for table in tables for text in table.values()), *WORDS["request"].values()]
    said += [event[name] for event in WORDS["events"].values() for name in ("value", "time")]
    fields = {part for text in said for name in re.findall(r"`([a-z_.]+)`", text) for part in name.split(".")}

    assert {name for name in fields if not re.search(rf"\b{name}\b", source)} == set()


def test_the_page_has_all_that_it_should_have() -> None:
    text = page()
    for metric in (*metrics(), ONLY_A_PROFILE):
        assert f"\n### {metric}\n" in text
    for sentence in (*routes.IGNORED.values(), *(explain(reason).meaning for reason in SkipReason)):
        assert f"| {sentence} |" in text


def test_every_link_on_the_page_leads_somewhere() -> None:
    text = page()
    headings = {re.sub(r"[^\w -]", "", line).lower().replace(" ", "-") for line in re.findall(r"^#+ (.+)$", text, re.M)}

    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


def test_every_example_is_json_as_sent() -> None:
    examples = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", page(), re.DOTALL)]

    assert len(examples) == len(builders())
    assert all(
        any(example == request["body"] for all_ in goldens().values() for request in all_) for example in examples
    )
