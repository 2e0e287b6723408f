"""The documents agree with the code, and with each other."""

import re
from collections.abc import Iterator

import pytest

from tests import configuration, errors
from tests.product import ROOT
from tests.test_readme import documents
from vrio_klaviyo.gate import SkipReason
from vrio_klaviyo.klaviyo.known_errors import KNOWN_ERRORS
from vrio_klaviyo.store.deliveries import DeliveryStatus
from vrio_klaviyo.store.inbound import InboundStatus

DOCS = ROOT / "docs"
# What an attempt's row says of why it was made.
TRIGGERS = {
    *("first", "backoff", "retry_after", "phone_removed", "interrupted"),
    *("manual", "replay", "bulk", "singly"),
}


def text_of(page: str) -> str:
    """A document without its blocks of code."""
    return re.sub(r"^```.*?^```", "", (ROOT / page).read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors_of(page: str) -> set[str]:
    """Where a link into a document may point."""
    text = text_of(page)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    named = set(re.findall(r'<a id="([^"]+)"', text))
    return named | {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links() -> Iterator[tuple[str, str]]:
    """Every link within the repository, with the document that it stands in."""
    for page in documents():
        for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
            if "://" not in target:
                yield page, target


@pytest.mark.parametrize("made", [configuration, errors], ids=["configuration", "errors"])
def test_a_page_that_is_made_is_what_would_be_written_now(made: object) -> None:
    assert made.PAGE.read_text() == made.page(), "It is stale: make docs"  # type: ignore[attr-defined]


def test_every_link_leads_somewhere() -> None:
    lost = []
    for page, target in links():
        path, _, anchor = target.partition("#")
        there = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        if not there.exists() or (anchor and anchor not in anchors_of(str(there.relative_to(ROOT)))):
            lost.append((page, target))

    assert lost == []


def test_the_readme_leads_to_every_document() -> None:
    shown = {target for page, target in links() if page == "README.md"}

    assert {str(path.relative_to(ROOT)) for path in DOCS.glob("*.md")} <= shown


def test_every_variable_has_its_meaning() -> None:
    assert {variable.name for variable in configuration.variables()} == set(configuration.MEANINGS)


def test_the_page_of_errors_has_every_reason_and_every_known_error() -> None:
    page = errors.PAGE.read_text()

    assert [reason for reason in SkipReason if f"### {reason}\n" not in page] == []
    assert [error.name for error in KNOWN_ERRORS if f'<a id="{error.name}">' not in page] == []


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("How a webhook ended", {str(status) for status in InboundStatus}),
        ("How a request stands", {str(status) for status in DeliveryStatus}),
        ("Why an attempt was made", TRIGGERS),
    ],
)
def test_the_guide_for_support_explains_every_word(section: str, words: set[str]) -> None:
    (part,) = re.findall(
        rf"^## {section}\n(.*?)^## ", (DOCS / "support-guide.md").read_text(), re.MULTILINE | re.DOTALL
    )
    rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("|")]
    told = {word for row in rows for word in re.findall(r"[a-z_]+", row)}

    assert words <= told


def test_no_trigger_is_written_that_the_guide_does_not_know() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "vrio_klaviyo").rglob("*.py"))
    word = r'(?:next_trigger(?:=|": |: str = )|TRIGGER = |MANUAL = |REPLAY = |next_trigger = |"trigger": )"(\w+)"'
    written = re.findall(word, code)

    assert set(written) == TRIGGERS
