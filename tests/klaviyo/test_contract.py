"""Klaviyo takes every body that we make or that was typed from its page, as far as three judges can tell."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.bodies import SALE, sample
from tests.building import House, StandingClock, emptied, standing_database
from tests.klaviyo.judges import SENT_AT, Sandbox, verdicts
from tests.klaviyo.made import renderings, requests_of
from vrio_klaviyo.klaviyo.requests import (
    Known,
    Profile,
    ProfileRequest,
    Rendered,
    Request,
    Style,
    loads,
    render,
)
from vrio_klaviyo.store.db import Database

ROOT = Path(__file__).parents[2]
CASES = sorted((ROOT / "tests" / "fixtures" / "vrio").iterdir())
SAMPLES = sorted((ROOT / "sandbox" / "samples").glob("*.json"))


@pytest.fixture
def klaviyo() -> Sandbox:
    return Sandbox()


def refused(requests: Sequence[Request]) -> list[tuple[str, dict[str, list[str]]]]:
    """The renderings that a judge refuses; each body is looked at once."""
    # A number that is another person's already is a conflict and no fault of the body.
    sandboxes: defaultdict[str, Sandbox] = defaultdict(Sandbox)
    bodies = {sent.body: (name, request, sent) for request in requests for name, sent in renderings(request)}
    found = [(name, verdicts(sent, sandboxes[request.profile.email])) for name, request, sent in bodies.values()]
    return [(name, told) for name, told in found if told]


@pytest.fixture(scope="module", params=["sqlite"])
def standing(request: pytest.FixtureRequest) -> Iterator[Database]:
    yield from standing_database(request)


@pytest.fixture
def house(standing: Database) -> Iterator[House]:
    house = House(emptied(standing))
    house.clock = StandingClock(datetime(2025, 1, 1, tzinfo=UTC))
    house.change(house.connect(), test_orders=True)
    house.clock.now = SENT_AT
    yield house
    house.close()


def owed_after(house: House, *webhooks: bytes) -> list[Request]:
    """All that the intake owes Klaviyo after these webhooks, one after the other."""
    for webhook in webhooks:
        house.post(webhook)
        house.take_in()
    return [loads(one.request) for one in house.deliveries() if one.status == "queued"]


@pytest.mark.requirement("003-19", "003-20", "003-22", "003-33", "003-56", "003-57")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_klaviyo_takes_every_case_in_every_way_of_writing_it(case: Path, house: House) -> None:
    told = [*sorted(case.glob("before/*.json")), *sorted(case.glob("webhook*.json"), key=lambda file: len(file.name))]
    requests = owed_after(house, *(file.read_bytes() for file in told))

    assert len(requests) >= len(json.loads((case / "klaviyo.json").read_bytes()))
    assert refused(requests) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_klaviyo_takes_what_was_typed_from_the_published_page(case: Path, klaviyo: Sandbox) -> None:
    headers = render(ProfileRequest(profile=Profile(email="john@acme.test")), Style(), Known()).headers
    for golden in json.loads((case / "klaviyo.json").read_bytes()):
        body = json.dumps(golden["body"]).encode()
        sent = Rendered(method="POST", path=golden["path"], headers=headers, body=body, phone=None)
        assert verdicts(sent, klaviyo) == {}


@pytest.mark.requirement("003-19", "003-20", "003-22", "003-33", "003-56", "003-57")
@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_klaviyo_takes_every_sample_in_every_way_of_writing_it(file: Path, house: House) -> None:
    by_itself = [request for request in requests_of(file.read_bytes()) if request.profile.email]
    of_the_sale = owed_after(house, json.dumps(sample(SALE)).encode())
    after_a_sale = owed_after(house, file.read_bytes())[len(of_the_sale) :]

    assert refused([*by_itself, *after_a_sale]) == []
