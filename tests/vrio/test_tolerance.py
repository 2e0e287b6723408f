"""Whatever stands where Vrio writes its values: a webhook is read, or refused in our words; nothing else happens."""

import json
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrio_klaviyo.errors import UnreadableWebhook
from vrio_klaviyo.klaviyo.requests import Known, Style, dumps, loads, render
from vrio_klaviyo.vrio import routes
from vrio_klaviyo.vrio.completing import SourceDefaults, with_defaults
from vrio_klaviyo.vrio.schemas import load

SAMPLES = sorted((Path(__file__).parents[2] / "sandbox" / "samples").glob("*.json"))
RECEIVED_AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def all_bodies(body: bytes) -> list[bytes]:
    """Everything that a webhook comes to, on the way that it goes."""
    webhook = load(body)
    assert all(isinstance(note, str) for note in webhook.notes)
    if webhook.record is None:
        return []
    record, _ = with_defaults(webhook.record, SourceDefaults(zone=UTC), RECEIVED_AT)
    requests = routes.requests_for(webhook.event, record)
    assert [loads(dumps(request)) for request in requests] == requests
    return [render(request, style, Known()).body for request in requests for style in (Style(), Style(typed=True))]


def nodes(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON tree, as the thing that holds it and its name there."""
    for name in tree if isinstance(tree, dict) else range(len(tree)):
        yield tree, name
        if isinstance(tree[name], dict | list):
            yield from nodes(tree[name])


odd_texts = st.sampled_from(
    ["", "---", "0", "-1", "N/A", "\x00", "\ud800", "1E1000000", "NaN", "0000-00-00 00:00:00", "9" * 5000, "true", "١"]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | odd_texts | st.just(10**60)
junk = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["id", "email", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.requirement("003-B", "003-60")
@given(st.sampled_from(SAMPLES), st.lists(st.tuples(st.floats(0, 1), junk), min_size=1, max_size=12))
def test_junk_in_place_of_any_values_never_breaks_anything(sample: Path, changes: list[tuple[float, Any]]) -> None:
    webhook = json.loads(sample.read_bytes())
    for where, value in changes:
        places = list(nodes(webhook))
        if places:
            holder, name = places[min(int(where * len(places)), len(places) - 1)]
            holder[name] = deepcopy(value)
    with suppress(UnreadableWebhook):
        bodies = all_bodies(json.dumps(webhook).encode())
        assert all(json.loads(body)["data"]["type"] in ("event", "profile") for body in bodies)


@given(st.binary(max_size=200) | junk.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    with pytest.raises(UnreadableWebhook):
        load(body)


@pytest.mark.requirement("003-B")
@given(st.sampled_from(SAMPLES), st.randoms(use_true_random=False))
def test_the_order_of_keys_says_nothing(sample: Path, random: Any) -> None:
    def shuffled(tree: Any) -> Any:
        if isinstance(tree, dict):
            names = list(tree)
            random.shuffle(names)
            return {name: shuffled(tree[name]) for name in names}
        return [shuffled(part) for part in tree] if isinstance(tree, list) else tree

    body = sample.read_bytes()
    assert all_bodies(json.dumps(shuffled(json.loads(body))).encode()) == all_bodies(body)
