"""What the demo prints."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sandbox.demo.lines import Subject, Teller, request_outcome, request_subject, webhook_outcome, webhook_subject
from sandbox.demo.scenes import SAMPLES

ROOT = Path(__file__).parents[3]


def entry(status: int, phone: str = "", at: str = "10:00:00", **more: str) -> dict[str, Any]:
    """A request in the sandbox's journal."""
    profile = {"email": "jane@example.com"} | ({"phone_number": phone} if phone else {})
    attributes = {
        "unique_id": "1697",
        "metric": {"data": {"type": "metric", "attributes": {"name": "Placed Order"}}},
        "profile": {"data": {"type": "profile", "attributes": profile}},
    }
    body = json.dumps({"data": {"type": "event", "attributes": attributes}})
    received_at = f"2025-08-15T{at}+00:00"
    journal = {"method": "POST", "path": "/api/events", "body": body, "status": status, "received_at": received_at}
    return journal | more


@pytest.mark.parametrize(
    ("request_made", "earlier", "outcome"),
    [
        (entry(202), [], "202 accepted"),
        (entry(400, "+15550000101"), [], "400 refused, with phone number +15550000101"),
        (entry(202), [entry(202)], "202 accepted"),
        (entry(202), [entry(400, "+15550000101")], "202 accepted, without the number"),
        (entry(400), [], "400 refused"),
        (entry(429), [], "429 too much at once: wait"),
        (entry(202, at="10:00:02"), [entry(429)], "202 accepted, 2.0 s later"),
        (entry(503), [], "503 Klaviyo is in trouble"),
    ],
)
def test_an_answer_of_klaviyo_in_words(request_made: Any, earlier: Any, outcome: str) -> None:
    assert request_outcome(request_made, earlier)[0] == outcome


@pytest.mark.parametrize(
    ("status", "answer", "outcome"),
    [
        (202, {"received": True, "id": "in_1"}, "202 kept"),
        (200, {"received": True, "duplicate": True, "id": "in_1"}, "200 we have it already"),
        (400, {"received": False, "id": "in_1", "error": "The body is not JSON."}, "400 kept all the same"),
        (404, {"error": "No source has this address."}, "404"),
    ],
)
def test_our_answer_to_a_webhook_in_words(status: int, answer: dict[str, Any], outcome: str) -> None:
    assert webhook_outcome(status, answer)[0] == outcome


def test_a_request_is_about_its_event() -> None:
    assert request_subject(entry(202, "+15550000101")) == ("Placed Order 1697", "jane@example.com", "+15550000101")


def test_a_request_without_a_metric_is_about_a_profile() -> None:
    attributes = {"email": "john@example.com", "phone_number": "+15551234567"}
    body = json.dumps({"data": {"type": "profile", "attributes": attributes}})

    assert request_subject(entry(201, body=body)) == ("the profile", "john@example.com", "+15551234567")


@pytest.mark.parametrize(
    ("sample", "subject"),
    [
        ("transaction_completed_sale_onetime", ("transaction_completed 1690", "grace@example.com")),
        ("customer_created", ("customer_created 301", "john@example.com")),
        ("shipment_shipped", ("shipment_shipped 4501", "")),
        ("v2_shipment_shipped", ("shipment_shipped 4503", "")),
    ],
)
def test_a_webhook_is_about_its_thing(sample: str, subject: tuple[str, str]) -> None:
    assert webhook_subject((SAMPLES / f"{sample}.json").read_bytes())[:2] == subject


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"data": {"attributes": {"metric": null}}}'])
def test_a_request_that_is_no_event_is_told_by_its_path(body: str) -> None:
    assert request_subject(entry(200, body=body, method="GET")) == ("GET /api/events", "", "")


@pytest.mark.parametrize("body", [b"hello?", b"{}", b"[1]", b'{"webhook_type": "order", "webhook_data": []}', b"\xff"])
def test_what_is_no_webhook_is_told_as_it_is(body: bytes) -> None:
    assert webhook_subject(body) == (body.decode(errors="replace"), "", "")


def test_what_comes_from_outside_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Teller().row("Vrio → us", Subject("\x1b[2J1668\n", "\rjohn"), "\x07kept")
    Teller().sentences("a\x1bb")

    assert not re.search(r"[\x00-\x09\x0b-\x1f]", capsys.readouterr().out)


@contextmanager
def terminal() -> Iterator[tuple[int, Callable[[], str]]]:
    ours, theirs = pty.openpty()
    try:
        yield theirs, lambda: os.read(ours, 1000).decode()
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize(
    ("environment", "colourful"), [({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False)]
)
def test_colours_are_for_a_terminal_whose_owner_wants_them(environment: dict[str, str], colourful: bool) -> None:
    tell = [sys.executable, "-c", "from sandbox.demo.lines import Teller; Teller().tell('→ kept', fg='green')"]
    with terminal() as (theirs, read):
        subprocess.run(tell, cwd=ROOT, env={"PATH": os.environ["PATH"]} | environment, stdout=theirs, check=True)
        assert ("\x1b[32m" in read()) is colourful
    plain = subprocess.run(tell, cwd=ROOT, capture_output=True, check=True)
    assert plain.stdout.decode() == "→ kept\n"


def test_an_arrow_that_the_terminal_does_not_know_stops_nothing() -> None:
    tell = [sys.executable, "-c", "from sandbox.demo.lines import Teller; Teller().tell('→ kept')"]

    told = subprocess.run(tell, cwd=ROOT, env={"PYTHONIOENCODING": "latin-1"}, capture_output=True, check=True)

    assert told.stdout == b"? kept\n"
