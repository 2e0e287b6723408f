"""The commands of the README and of all documents, run one after the other as a reader would, on one installation."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sandbox.klaviyo import GOOD_KEY, create_app, serve_in_thread
from tests.product import ROOT, Product, installed, wait_until
from vrio_klaviyo.store.inbound import MOST_STARTS, InboundStatus, list_inbound

# Those in front first: what a later one works with, an earlier one has made.
ORDER = ("README.md", "CONTRIBUTING.md", "docs/deploy.md", "docs/vrio-setup.md", "docs/support-guide.md")
# What stands between the commands of the README that need the processes and those that do not.
FIRST_WEBHOOK = "inbound send transaction_completed_sale_subscription_cycle1"


def documents() -> list[str]:
    """All of them, in the order in which they are read."""
    pages = sorted(str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")))
    return [*ORDER, *(page for page in pages if page not in ORDER)]


def commands_in(page: str) -> list[str]:
    """The lines of a page's `sh` blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def commands() -> list[str]:
    """What the documents show, each once and without make's targets."""
    lines = (line for page in documents() for line in commands_in(page))
    return list(dict.fromkeys(line for line in lines if not line.startswith("make ")))


@pytest.fixture
def product(tmp_path: Path, redis_url: str) -> Iterator[Product]:
    """An installation of which nothing exists yet but its key, which the reader keeps at home."""
    (tmp_path / "klaviyo.key").write_text(GOOD_KEY)
    with serve_in_thread(create_app()) as klaviyo:
        # So there is something to be sent again.
        fault = {"fault": "status", "status": 400, "match": {"unique_id": "1697_1_sub"}}
        requests.post(f"{klaviyo}/sandbox/faults", json=fault, timeout=10).raise_for_status()
        database_url = f"sqlite:///{tmp_path / 'product.db'}"
        with installed(database_url, redis_url, klaviyo, HOME=str(tmp_path)) as product:
            yield product


def test_the_commands_of_all_documents_work_in_their_order(product: Product) -> None:
    told = {}
    for command in commands():
        if FIRST_WEBHOOK in command:
            product.start("web", "worker", "clock")
        if command.endswith("inbound again ID"):
            command = command.replace("ID", set_aside(product))
        told[command] = product.shell(command.replace(".venv/bin/", ""))
        if " inbound send " in command:
            wait_until(lambda: is_at_rest(product), "all is accepted")
    assert "Placed Order" in next(text for command, text in told.items() if "customer show john" in command)
    assert "Started Subscription" in next(text for command, text in told.items() if "replay plan" in command)
    assert "phone_removed" in next(text for command, text in told.items() if "customer show jane" in command)


def set_aside(product: Product) -> str:
    """The id of a webhook that is as the intake leaves one of which three workers died."""
    with product.db.write() as session:
        newest = list_inbound(session, limit=1)[0]
        newest.status, newest.starts = InboundStatus.FAILED, MOST_STARTS
        return newest.id


def is_at_rest(product: Product) -> bool:
    """Whether something was sent, and nothing is left to send."""
    figures = requests.get(f"{product.url}/metrics", timeout=10).text.splitlines()
    owed = [
        line for line in figures if line.startswith(("vk_deliveries{", "vk_inbound_events{")) and line[-4:] != " 0.0"
    ]
    return bool(product.deliveries()) and not owed


def test_what_is_shown_as_a_command_is_one_of_ours() -> None:
    assert [line for line in commands() if not line.startswith(".venv/bin/")] == []
