"""A visit to the console as a browser makes it: the link of the demo, the page it leads to, and the menu there."""

from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import requests

from sandbox.processes import Failure


class Visit(NamedTuple):
    """Where the link led, what stood there, how each entry of the menu answered, and how the link did a second time."""

    path: str
    text: str
    menu: dict[str, int]
    again: int


def visit(link: str, timeout_s: float) -> Visit:
    """Follow a link that signs in once. Raises: Failure, when something on the way cannot be had."""
    try:
        with requests.Session() as browser:
            # Proxies are for other computers.
            browser.trust_env = False
            welcome = _Page(browser.get(link, timeout=timeout_s))
            landed = _Page(browser.post(welcome.action, data=welcome.fields, timeout=timeout_s))
            menu = {word: browser.get(url, timeout=timeout_s).status_code for word, url in landed.menu}
            again = browser.get(link, timeout=timeout_s).status_code
    except requests.RequestException as error:
        raise Failure(f"The console does not let the visitor in: {type(error).__name__}.") from error
    return Visit(urlsplit(landed.url).path, landed.text, menu, again)


class _Page(HTMLParser):
    """What a visitor does with a page: read it, send its main form as it stands, and choose from its menu."""

    def __init__(self, answer: requests.Response) -> None:
        super().__init__()
        self.url = answer.url
        self.action = answer.url
        self.fields: dict[str, str] = {}
        self._inside: list[str] = []
        self._words: list[str] = []
        self.menu: list[tuple[str, str]] = []
        self.feed(answer.text)

    @property
    def text(self) -> str:
        """All words."""
        return " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note forms' fields and menu entries."""
        told = {name: value or "" for name, value in attrs}
        match tag:
            case "main" | "ul":
                self._inside.append(f"ul.{told.get('class', '')}" if tag == "ul" else tag)
            case "form" if "main" in self._inside:
                self.action = urljoin(self.url, told.get("action", ""))
            case "input" if "main" in self._inside and told.get("type") != "checkbox":
                self.fields[told.get("name", "")] = told.get("value", "")
            case "a" if "ul.menu" in self._inside:
                self.menu.append((told["href"], urljoin(self.url, told["href"])))

    def handle_endtag(self, tag: str) -> None:
        """Leave what was entered."""
        if tag in ("main", "ul"):
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        """Read on."""
        self._words.append(data)
