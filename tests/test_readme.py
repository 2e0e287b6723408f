"""The README's commands, run one after the other as a reader would."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.klaviyo import GOOD_KEY, create_app, serve_in_thread
from tests.product import ROOT, Product, installed, wait_until


def commands() -> list[str]:
    """What the README shows, but for make's targets, which are tested as such."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if not line.startswith("make ")]


@pytest.fixture
def product(tmp_path: Path, redis_url: str) -> Iterator[Product]:
    """An installation of which nothing exists yet but its key, which the reader keeps at home."""
    (tmp_path / "klaviyo.key").write_text(GOOD_KEY)
    with serve_in_thread(create_app()) as klaviyo:
        database_url = f"sqlite:///{tmp_path / 'product.db'}"
        with installed(database_url, redis_url, klaviyo, HOME=str(tmp_path)) as product:
            yield product


def test_the_readme_s_commands_work_in_their_order(product: Product) -> None:
    told = {}
    for command in commands():
        if "inbound send" in command:
            product.start("web", "worker", "clock")
        told[command] = product.shell(command.replace(".venv/bin/", ""))
        if "inbound send" in command:
            wait_until(lambda: [status for status, _ in product.deliveries()] == ["accepted"] * 3, "all is accepted")
    assert len(told) == 9
    assert "Placed Order" in next(text for command, text in told.items() if "customer show" in command)
