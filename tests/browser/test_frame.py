"""The parts of pages, all on one page: good to look at, by keyboard, kept up to date, and without a script."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Blueprint, Flask, render_template, render_template_string
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from console import pages
from console.pages.forms import blank
from console.pages.guard import needs
from console.site import Site, limiter
from sandbox.redis_server import PrivateRedis
from tests.browser.conftest import Person
from tests.databases import SqliteFiles
from vrio_klaviyo import config
from vrio_klaviyo.calling import new_session
from vrio_klaviyo.store import people, sessions
from vrio_klaviyo.store.connections import KeyStatus, add_connection
from vrio_klaviyo.store.crypto import Vault, new_key
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.key_checks import record_key
from vrio_klaviyo.store.paging import Page as PageOfRows
from vrio_klaviyo.store.paging import Place
from vrio_klaviyo.store.people import Role
from vrio_klaviyo.store.workspaces import find_workspace
from workers.bells import Bells

GALLERY = (Path(__file__).parent / "gallery.html").read_text()
BODY = json.dumps(
    {"data": {"type": "event", "value": 29.99, "items": [{"sku": "D3"}, {}], "long": "x" * 400, "no": None}}
)


class Gallery:
    """A page with every part on it; `asked` counts how often, `broken` makes it fail, `foreign` another's page."""

    def __init__(self) -> None:
        self.asked = 0
        self.broken = False
        self.foreign = False
        # While it is cleared, nobody gets an answer.
        self.answers = threading.Event()
        self.answers.set()

    def blueprint(self, _site: Site) -> Blueprint:
        routes = Blueprint("customers", __name__)

        @routes.get("/gallery")
        @needs(Role.VIEWER)
        def index() -> str:
            assert not self.broken
            self.answers.wait()
            if self.foreign:
                return "<h1>Welcome to the network of this hotel</h1>"
            self.asked += 1
            form = blank(name="Klaviyo", start="paused", push="on", speed="50")
            form.refuse("Another connection is called so.", "name")
            form.refuse("This is not right.")
            page = PageOfRows([], Place("a", backwards=True), Place("b"))
            return render_template_string(GALLERY, form=form, body=BODY, page=page, asked=self.asked)

        @routes.get("/confirm")
        @needs(Role.VIEWER)
        def confirm() -> str:
            return render_template(
                "confirm.html",
                title="Replay 137 deliveries?",
                sentences=["137 match now: 112 Placed Order, 25 Profile."],
                action="/theme",
                word="Start replay",
                back="/gallery",
                count=137,
                form=blank(),
            )

        return routes


@pytest.fixture
def gallery() -> Iterator[Gallery]:
    gallery = Gallery()
    yield gallery
    gallery.answers.set()


@pytest.fixture
def site(sqlite_files: SqliteFiles, redis_server: PrivateRedis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    redis_server.start()
    monkeypatch.setenv("SECRET_KEY", "a secret of this test")
    monkeypatch.setenv("ENCRYPTION_KEYS", new_key())
    with sqlite_files.fresh(migrated=True) as url, new_session() as http:
        settings = replace(
            config.load(), database_url=url, redis_url=redis_server.url, klaviyo_api_url="http://127.0.0.1:9"
        )
        db = Database(url)
        yield Site(
            settings=settings,
            db=db,
            vault=Vault(settings.encryption_keys),
            http=http,
            bells=Bells(redis_server.url),
            now=lambda: datetime.now(UTC),
            limiter=limiter(redis_server.url),
        )
        db.close()


@pytest.fixture
def mia(browser: Browser, site: Site, gallery: Gallery) -> Iterator[Callable[..., Person]]:
    """Mia, with or without JavaScript."""
    app = Flask("vrio_klaviyo", static_folder=None)
    app.secret_key = site.settings.secret_key
    pages.register(app, site, [*(page for page in pages.PAGES if "customers" not in page.__name__), gallery])
    server = make_server("127.0.0.1", 0, app, threaded=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    url = f"http://127.0.0.1:{server.port}"
    contexts = []

    def mia(**options: bool) -> Person:
        context = browser.new_context(reduced_motion="reduce", **options)
        contexts.append(context)
        with site.db.write() as session:
            user = people.add_user(session, "mia@northwind.example")
            people.set_role(session, user, find_workspace(session).id, Role.OPERATOR)
            token = sessions.sign_in(session, user, site.now())
        context.add_cookies([{"name": "console", "value": token, "url": url}])
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url)
        return Person(context, url)

    yield mia
    for context in contexts:
        context.close()
    server.shutdown()
    serving.join()
    server.server_close()


def goes_on(page: Page) -> None:
    """The part is kept up to date."""
    asked = page.get_by_text("Asked").inner_text()
    expect(page.get_by_text("Asked")).not_to_have_text(asked, timeout=10_000)


def test_every_part_is_fine(mia, site):
    with site.db.write() as session:
        connection = add_connection(session, site.vault, find_workspace(session), "Northwind EU", "pk_0123456789")
        session.flush()
        record_key(session, connection.id, KeyStatus.REJECTED, "", site.now())
    person = mia()
    page = person.open("/gallery?q=ada&status=held")

    expect(page.locator(".summary")).to_be_focused()
    person.fine("gallery")
    person.open("/keyboard").get_by_text("mia", exact=True).click()
    person.fine("menu")
    person.open("/confirm")
    person.fine("confirm")


def test_a_part_is_kept_up_to_date_unless_somebody_reads_in_it(mia):
    page = mia().open("/gallery")
    expect(page.get_by_text("Live · updated")).to_be_visible()
    expect(page.locator("#rows")).to_contain_text("Asked 3 times", timeout=10_000)

    page.get_by_text("Row 1").focus()
    expect(page.locator("[data-live-age]")).to_have_text("4 s", timeout=15_000)
    expect(page.get_by_text("paused while you read")).to_be_visible()

    # What has an id is found again in what comes.
    page.locator("#stop").focus()
    expect(page.get_by_text("paused while you read")).to_be_hidden()
    goes_on(page)
    expect(page.locator("#stop")).to_be_focused()


def test_a_click_into_a_part_is_no_reading(mia):
    page = mia().open("/gallery")
    page.get_by_text("Asked").click()
    goes_on(page)
    page.get_by_role("cell").last.click()
    goes_on(page)


def test_selected_text_is_left_alone(mia):
    page = mia().open("/gallery")
    page.get_by_text("Asked").dblclick()
    expect(page.get_by_text("paused while you read")).to_be_visible()
    asked = page.get_by_text("Asked").inner_text()
    expect(page.locator("[data-live-age]")).to_have_text("4 s", timeout=15_000)
    assert page.get_by_text("Asked").inner_text() == asked

    # What is selected elsewhere is not in danger.
    page.get_by_role("heading", name="Charts").dblclick()
    goes_on(page)


def test_a_question_that_nobody_answers_is_asked_again(mia, gallery):
    page = mia().open("/gallery")
    goes_on(page)
    gallery.answers.clear()
    expect(page.locator("#offline")).to_be_visible(timeout=20_000)
    gallery.answers.set()
    goes_on(page)
    expect(page.locator("#offline")).to_be_hidden()


def test_a_page_of_somebody_else_does_not_take_the_place_of_a_part(mia, gallery):
    page = mia().open("/gallery")
    goes_on(page)
    gallery.foreign = True
    expect(page.locator("#offline")).to_be_visible(timeout=10_000)
    expect(page.get_by_text("Asked")).to_be_visible()
    gallery.foreign = False
    goes_on(page)
    expect(page.locator("#offline")).to_be_hidden()


def test_a_server_that_is_away_is_told_and_told_off_when_it_is_back(mia, gallery):
    person = mia()
    page = person.open("/gallery")
    expect(page.locator("#offline")).to_be_hidden()
    gallery.broken = True
    expect(page.locator("#offline")).to_be_visible(timeout=10_000)
    gallery.broken = False
    expect(page.locator("#offline")).to_be_hidden(timeout=10_000)


def test_keys_do_what_the_sheet_says(mia):
    person = mia()
    page = person.open("/gallery")
    page.locator("h1").click()

    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("t")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("#filter-q")).to_be_focused()
    page.keyboard.type("jt?")
    expect(page.locator("#filter-q")).to_have_value("jt?")
    page.locator("h1").click()
    for key, row in (("j", 0), ("j", 1), ("k", 0)):
        page.keyboard.press(key)
        expect(page.get_by_text(f"Row {row}")).to_be_focused()
    page.keyboard.press("c")
    expect(page.locator("#told")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == "to be copied"
    page.keyboard.press("t")
    page.wait_for_selector("html[data-theme=dark]")
    page.keyboard.press("t")
    page.wait_for_selector("html[data-theme=light]")
    assert person.errors == []


def test_single_keys_can_be_switched_off(mia, site):
    person = mia()
    with site.db.write() as session:
        people.find_user(session, "mia@northwind.example").shortcuts = False
    page = person.open("/gallery")

    page.keyboard.press("?")

    expect(page.get_by_role("dialog")).to_be_hidden()


def test_without_a_script_everything_is_there(mia):
    page = mia(java_script_enabled=False).open("/gallery")

    expect(page.get_by_text("Copy", exact=True)).to_be_hidden()
    expect(page.get_by_text("Live · updated")).to_be_hidden()
    page.get_by_text("29.99").is_visible()
    page.get_by_role("button", name="Switch to the dark theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("link", name="Keyboard (?)").click()
    expect(page.get_by_role("heading", name="Keyboard")).to_be_visible()
    page.get_by_text("mia", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
