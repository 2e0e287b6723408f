"""An installation with marked secrets, and its operator, of whom all is seen."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import requests
from flask import Flask

from console import commands
from tests.cli import commands_of_ours
from tests.no_key_anywhere.marked import Searched
from tests.product import Product
from tests.steered import Klaviyo


class House:
    """An installation with marked secrets, its operator at a browser, and all that is seen of it."""

    def __init__(self, product: Product, klaviyo: Klaviyo, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.product = product
        self.klaviyo = klaviyo
        self.place = place
        self.seen = Searched()
        self.made: dict[str, str] = {}
        self.browser = requests.Session()
        self.ids: dict[str, list[str]] = {}
        app = Flask("vrio_klaviyo")
        commands.register(app)
        self._runner = app.test_cli_runner()
        # Of a terminal's width, so that no table cuts what it shows.
        monkeypatch.setenv("COLUMNS", "4000")

    def flask(self, line: str, stdin: str = "") -> Any:
        """What a command prints, on both its outputs."""
        arguments = shlex.split(line)
        verbs = [word for word in arguments[:2] if re.fullmatch(r"[a-z-]+", word)]
        name = next(name for name in (" ".join(verbs), verbs[0]) if f"flask {name}" in all_commands())
        result = self._runner.invoke(args=arguments, input=stdin)
        self.seen.add(f"flask {name}", result.output + result.stderr + repr(result.exception))
        return result.stdout

    def json(self, line: str) -> Any:
        """The one thing that a command tells of."""
        return json.loads(self.flask(f"{line} --json"))

    def ask(self, method: str, rule: str, path: str, **more: Any) -> requests.Response:
        """The answer to the operator's browser."""
        more = {"allow_redirects": False, "timeout": 60} | more
        answer = self.browser.request(method, self.product.url + path, **more)
        self.seen.add(f"{method} {rule}", answer.content + str(dict(answer.headers)).encode())
        return answer

    def token_of_forms(self) -> str:
        """What a form must have to be taken."""
        page = self.browser.get(f"{self.product.url}/profile", timeout=60).text
        return re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]


def all_commands() -> dict[str, click.Command]:
    """Every command that does something, by its name."""

    def below(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        if isinstance(command, click.Group):
            for name, verb in command.commands.items():
                yield from below(f"{path} {name}", verb)
        else:
            yield path, command

    return dict(below("flask", commands_of_ours()))
