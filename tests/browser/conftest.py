"""
The product in a real browser. What a test asks for:

    product     the installation of this test module: a fresh database, web running; `product.start("worker", "clock")`
    klaviyo     the sandbox that it sends to, as the test steers it
    person      `person("support")`: somebody who is signed in, at a browser of their own

A person has a Playwright `page`, goes to paths (`open`), and looks at what is there: `fine()` fails for what axe finds,
for a console error and for a page wider than the window, in both themes and at both widths, and keeps a screenshot of
each.
"""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from sandbox.redis_server import PrivateRedis
from tests.browser import chromium
from tests.databases import SqliteFiles
from tests.product import Product, installed
from tests.steered import Klaviyo, klaviyo_served
from vrio_klaviyo.store import people, sessions
from vrio_klaviyo.store.people import Role
from vrio_klaviyo.store.workspaces import find_workspace

# BROWSER=0 leaves these tests out.
collect_ignore_glob = ["test_*.py"] if os.environ.get("BROWSER") == "0" else []

WIDTHS = {1280: 900, 390: 844}
THEMES = ("light", "dark")
# Where screenshots are kept; a test run may be told another place.
SHOTS = Path(os.environ.get("SCREENSHOTS", Path(__file__).parents[2] / "var" / "screenshots"))
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


class Person:
    """Somebody at a browser."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.page: Page = context.new_page()
        self.errors: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, path: str) -> Page:
        """Go to an address of the product."""
        self.page.goto(self.url + path)
        return self.page

    def fine(self, name: str) -> None:
        """The page as it stands is good to look at and to use; screenshots `name-1280-light.png` and so on are kept."""
        seen = self.page.evaluate("document.activeElement?.id || ''")
        for theme in THEMES:
            self.page.emulate_media(color_scheme=theme)
            for width, height in WIDTHS.items():
                self.page.set_viewport_size({"width": width, "height": height})
                wide = self.page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"{name} is {wide} pixels wide in a window of {width}"
                SHOTS.mkdir(parents=True, exist_ok=True)
                self.page.screenshot(path=SHOTS / f"{name}-{width}-{theme}.png", full_page=True)
                found = Axe().run(self.page, options={"runOnly": {"type": "tag", "values": RULES}})
                assert found.violations_count == 0, f"{name}, {width}, {theme}: {found.generate_report()}"
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size({"width": 1280, "height": 900})
        assert self.page.evaluate("document.activeElement?.id || ''") == seen
        assert self.errors == [], f"{name}: {self.errors}"

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium of this process."""
    path = chromium.executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def klaviyo() -> Iterator[Klaviyo]:
    """A sandbox of this test module."""
    with klaviyo_served() as served:
        yield served


@pytest.fixture(scope="module")
def product(sqlite_files: SqliteFiles, redis_server: PrivateRedis, klaviyo: Klaviyo) -> Iterator[Product]:
    """An installation of this test module, whose web process runs."""
    redis_server.start()
    with (
        sqlite_files.fresh(migrated=True) as database_url,
        installed(database_url, redis_server.url, klaviyo.url) as product,
    ):
        product.start("web")
        yield product


@pytest.fixture
def person(browser: Browser, product: Product) -> Iterator[Callable[..., Person]]:
    """Somebody with this role in the workspace `default`; with None, somebody who is not signed in."""
    contexts = []

    def person(role: str | None = "operator", *, javascript: bool = True, email: str | None = None) -> Person:
        context = browser.new_context(java_script_enabled=javascript, reduced_motion="reduce", locale="en-US")
        context.set_default_timeout(15_000)
        contexts.append(context)
        somebody = Person(context, product.url)
        if role is not None:
            # As by a link of theirs, but without a command: each takes a second.
            with product.db.write() as session:
                user = people.add_user(session, email or f"{role}@northwind.example")
                people.set_role(session, user, find_workspace(session).id, Role(role))
                token = sessions.sign_in(session, user, datetime.now(UTC), agent="Chromium", address="127.0.0.1")
            context.add_cookies([{"name": "console", "value": token, "url": product.url}])
        return somebody

    yield person
    for context in contexts:
        context.close()
