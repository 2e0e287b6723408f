"""What stands around every page: headers, theme, ribbon, banners, menu, and files that a browser keeps for good."""

import re
from dataclasses import replace

import pytest

from console.pages import frame
from tests.console.pages.conftest import Person, app_of, words
from vrio_klaviyo.store.connections import KeyStatus
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus
from vrio_klaviyo.store.key_checks import record_key


def test_nothing_on_a_page_can_run_or_draw_that_is_not_a_file_of_ours(visit, app):
    for answer in (
        visit(None).client.get("/sign-in"),
        visit("operator").client.get("/users"),
        visit("operator").client.get("/nothing"),
    ):
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "Strict-Transport-Security" not in answer.headers
        assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=|javascript:", answer.text)
        assert '"allowEval": false' in answer.text
        assert '"includeIndicatorStyles": false' in answer.text


def test_files_are_kept_by_browsers_until_they_change(visit):
    person = visit(None)
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', person.get("/sign-in"))

    assert len(files) == 5
    for file in files:
        answer = person.client.get(file)
        assert answer.status_code == 200, file
        assert "immutable" in answer.headers["Cache-Control"]
        assert re.search(r"\?v=[0-9a-f]{12}$", file)
        answer.close()


def test_every_answer_has_its_number_and_the_page_shows_it(visit):
    person = visit("viewer")
    answers = [person.client.get("/profile") for _ in range(2)]

    assert answers[0].headers["X-Request-Id"] != answers[1].headers["X-Request-Id"]
    assert f"request {answers[0].headers['X-Request-Id']}" in words(answers[0].text)


@pytest.mark.parametrize(
    ("chosen", "html"), [("dark", '<html lang="en" data-theme="dark">'), ("auto", '<html lang="en">')]
)
def test_a_theme_that_was_chosen_is_there_from_the_first_byte(visit, chosen, html):
    person = visit("viewer")
    person.post("/theme", theme="light")
    person.post("/theme", theme=chosen)

    assert html in person.get("/profile")


def test_a_theme_that_somebody_else_wrote_into_the_cookie_is_none(visit):
    person = visit("viewer")
    person.client.set_cookie("theme", '"><script>')

    assert '<html lang="en">' in person.get("/profile")


@pytest.mark.parametrize(
    ("came_from", "back"),
    [
        ("http://localhost/audit?action=x", "/audit?action=x"),
        ("http://evil.example/audit", "/"),
        ("http://localhost//evil.example", "/"),
        ("", "/"),
    ],
)
def test_a_switch_leads_back_to_its_page(visit, came_from, back):
    person = visit("manager")
    data = {"csrf_token": person.token(), "theme": "dark"}

    answer = person.client.post("/theme", data=data, headers={"Referer": came_from} if came_from else {})

    assert (answer.status_code, answer.location) == (303, back)


def test_a_clock_that_there_is_not_is_refused(visit):
    visit("viewer").post("/clock", 400, clock="sundial")


@pytest.mark.parametrize(("url", "demo"), [("http://127.0.0.1:8081", True), ("https://a.klaviyo.com", False)])
def test_a_ribbon_says_when_nothing_leaves_this_computer(site, url, demo):
    person = Person(app_of(replace(site, settings=replace(site.settings, klaviyo_api_url=url))).test_client())

    assert ("DEMO — sandbox, nothing leaves this computer" in words(person.get("/sign-in"))) is demo


def test_a_broken_connection_has_a_line_on_every_page(visit, site, house):
    connection = house.connect("Northwind EU")
    delivery = house.owe(connection)
    person = visit("viewer")
    assert "key rejected" not in words(person.get("/profile"))
    with site.db.write() as session:
        record_key(session, connection.id, KeyStatus.REJECTED, "Klaviyo does not know this key.", site.now())
        session.get_one(Delivery, delivery.id).status = DeliveryStatus.HELD
    house.clock.advance(minutes=12)

    page = words(person.get("/profile"))
    assert "Northwind EU: key rejected by Klaviyo 12 min ago. 1 delivery held." in page
    assert "key rejected" not in words(visit(None).get("/sign-in"))


def test_the_menu_leads_only_to_what_there_is(visit, app):
    page = visit("operator").get("/profile")
    menu = re.findall(r'<a href="([^"]+)" data-goto="(\w)"', page)

    there = [entry for entry in frame.MENU if entry.endpoint in app.view_functions]
    assert [key for _, key in menu] == [entry.key for entry in there]


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/failed", "Failed"),
        ("/replays", "Failed"),
        ("/why", "Customers"),
        ("/sources", "Settings"),
        ("/audit", "Settings"),
    ],
)
def test_the_menu_shows_where_a_page_stands(visit, path, word):
    menu = re.search(r'<ul class="menu">.*?</ul>', visit("operator").get(path), re.DOTALL)[0]

    assert re.findall(r'aria-current="page">(\w+)', menu) == [word]


def test_no_link_of_a_page_of_ours_is_dead(visit):
    person = visit("operator")
    for path in ("/profile", "/users", "/sessions", "/audit", "/keyboard"):
        for link in set(re.findall(r'href="(/[^"#]*)"', person.get(path))):
            answer = person.client.get(link)
            assert answer.status_code in (200, 303), f"{path}: {link}"
            answer.close()


def test_who_is_signed_in_needs_no_door(visit):
    assert visit("viewer").client.get("/sign-in").location == "/"
