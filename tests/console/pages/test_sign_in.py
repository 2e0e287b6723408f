"""Signing in: one answer for every mistake, a bound on tries, and no way out to another site."""

from dataclasses import replace
from datetime import timedelta

import pytest

from console import passwords
from console.pages.sign_in import own_path
from tests.console.pages.conftest import Person, app_of, words
from vrio_klaviyo.store import people, sessions
from vrio_klaviyo.store.journals import page_of_entries
from vrio_klaviyo.store.people import Role
from vrio_klaviyo.store.workspaces import find_workspace

PASSWORD = "correct horse battery"
HASH = passwords.hashed(PASSWORD)


@pytest.fixture
def mia(site):
    with site.db.write() as session:
        user = people.add_user(session, "mia@northwind.example")
        people.set_role(session, user, find_workspace(session).id, Role.OPERATOR)
        user.password_hash = HASH
    return user


def try_to(person, email="mia@northwind.example", password=PASSWORD, status=303, path="/sign-in", **fields):
    return person.post(path, status, email=email, password=password, **fields)


def audited(site):
    with site.db.read() as session:
        return [entry.action for entry in page_of_entries(session, find_workspace(session).id).rows]


def test_who_is_not_signed_in_is_led_to_the_door_and_back(visit, mia):
    person = visit(None)

    asked = person.client.get("/audit?action=user.added")
    assert (asked.status_code, asked.location) == (303, "/sign-in?next=/audit?action%3Duser.added")
    answer = try_to(person, path=asked.location)

    assert answer.location == "/audit?action=user.added"
    assert "mia@northwind.example" in person.get(answer.location)


def test_the_email_is_taken_however_it_is_written(visit, mia):
    assert try_to(visit(None), email=" Mia@Northwind.EXAMPLE ").location == "/"


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("mia@northwind.example", "wrong horse battery"),
        ("nobody@northwind.example", PASSWORD),
        ("mia@northwind.example", PASSWORD + " "),
        ("nonsense", PASSWORD),
        ("new@northwind.example", ""),
        ("new@northwind.example", "None"),
    ],
)
def test_every_wrong_pair_has_the_same_answer(visit, site, mia, email, password):
    with site.db.write() as session:
        people.add_user(session, "new@northwind.example")

    answer = try_to(visit(None), email=email, password=password, status=422)

    assert "Email or password is wrong." in words(answer.text)
    assert PASSWORD not in answer.text
    assert "console=" not in answer.headers.get("Set-Cookie", "")


def test_who_is_disabled_or_of_no_workspace_stays_outside(visit, site, mia):
    with site.db.write() as session:
        user = people.add_user(session, "li@northwind.example")
        user.password_hash = HASH
    answer = try_to(visit(None), email="li@northwind.example", status=422)
    assert "belongs to no workspace" in words(answer.text)

    with site.db.write() as session:
        people.find_user(session, user.id).disabled_at = site.now()
    answer = try_to(visit(None), email="li@northwind.example", status=422)
    assert "Email or password is wrong." in words(answer.text)


@pytest.mark.parametrize(("keep", "age"), [({}, None), ({"keep": "on"}, "2592000")])
def test_the_cookie_lasts_as_long_as_was_asked_for(visit, mia, keep, age):
    answer = try_to(visit(None), **keep)

    (cookie,) = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith("console=")]
    parts = dict(part.strip().partition("=")[::2] for part in cookie.split(";"))
    assert "HttpOnly" in parts
    assert (parts["SameSite"], parts["Path"], parts.get("Max-Age")) == ("Lax", "/", age)


def test_signing_out_ends_the_session_and_not_only_the_cookie(visit, site, mia):
    person = visit(None)
    try_to(person)
    token = person.client.get_cookie("console").value
    assert person.client.get("/sign-out").status_code == 405
    person.post("/sign-out")

    person.client.set_cookie("console", token)
    assert person.client.get("/profile").status_code == 303
    assert audited(site) == ["user.signed_out", "user.signed_in"]


def test_a_wrong_password_is_written_down(visit, site, mia):
    try_to(visit(None), password="wrong horse battery", status=422)

    assert audited(site) == ["user.sign_in_failed"]


def test_the_sixth_try_in_a_minute_for_one_account_waits(visit, mia):
    for _ in range(5):
        try_to(visit(None), password="wrong horse battery", status=422)

    answer = try_to(visit(None), status=429)

    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    assert f"Try again in {answer.headers['Retry-After']} seconds." in words(answer.text)
    try_to(visit(None), email="li@northwind.example", status=422)


def test_the_twenty_first_try_from_one_address_waits(visit, mia):
    person = visit(None)
    token = person.token()
    for number in range(20):
        form = {"email": f"nobody{number}@x.example", "password": "", "csrf_token": token}
        assert person.client.post("/sign-in", data=form).status_code == 422

    try_to(person, status=429)


def test_with_redis_away_people_get_in_and_tries_are_still_counted(visit, mia, redis_server):
    redis_server.stop()

    try_to(visit(None))
    for _ in range(4):
        try_to(visit(None), password="wrong horse battery", status=422)
    try_to(visit(None), status=429)


def test_a_link_shows_who_it_is_for_and_is_used_up_only_by_the_button(visit, site, mia):
    with site.db.write() as session:
        link = "/link/" + sessions.new_link(session, people.find_user(session, mia.id), site.now())
    person = visit(None)
    for _ in range(2):
        assert "mia@northwind.example" in person.get(link)

    assert person.post(f"{link}?next=/users").location == "/users"
    assert "over" in words(visit(None).post(link, 404).text)
    person.get("/users")


def test_a_link_can_set_the_password_and_then_ends_other_sessions(visit, site, mia):
    other = visit("operator", email="mia@northwind.example")
    with site.db.write() as session:
        link = "/link/" + sessions.new_link(session, people.find_user(session, mia.id), site.now())

    again = visit(None).post(link, 422, new_password="too short")
    assert "at least 12" in words(again.text)
    assert "too short" not in again.text
    visit(None).post(link, new_password="another horse battery")

    assert other.client.get("/profile").status_code == 303
    try_to(visit(None), status=422)
    try_to(visit(None), password="another horse battery")


def test_a_link_is_over_after_a_day(visit, site, house, mia):
    with site.db.write() as session:
        link = "/link/" + sessions.new_link(session, people.find_user(session, mia.id), site.now())
    house.clock.advance(hours=24)

    assert "over" in words(visit(None).get(link, 404))


def test_a_session_ends_when_the_time_has_come(visit, site, house):
    person = visit("viewer")
    house.clock.advance(hours=11)
    person.get("/profile")
    house.clock.advance(hours=11)
    person.get("/profile")
    house.clock.advance(hours=12)

    assert person.client.get("/profile").status_code == 303


@pytest.mark.parametrize(
    "asked",
    [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "/%5Cevil.example\\",
        "\\/evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "",
    ],
)
def test_only_paths_of_ours_are_gone_back_to(visit, mia, asked):
    answer = visit(None).client.get("/sign-in", query_string={"next": asked})
    assert answer.status_code == 200
    assert not own_path(asked)

    person = visit("operator", email="mia@northwind.example")
    assert person.client.get("/sign-in", query_string={"next": asked}).location == "/"


def test_a_form_without_its_token_does_nothing(visit, mia):
    person = visit("operator")

    for path in ("/sign-in", "/theme", "/users", "/profile", "/sign-out"):
        assert person.client.post(path, data={"email": "x@y.example", "role": "viewer"}).status_code == 400
    assert "x@y.example" not in person.get("/users")


def test_the_token_of_before_signing_in_is_not_the_one_of_after(visit, mia):
    person = visit(None)
    before = person.token()
    try_to(person)

    assert person.client.post("/theme", data={"csrf_token": before}).status_code == 400


def test_over_tls_cookies_go_to_this_very_host_only(site, mia):
    over_tls = replace(site, settings=replace(site.settings, base_url="https://console.example"))
    person = Person(app_of(over_tls).test_client())
    person.client.environ_base |= {"wsgi.url_scheme": "https", "HTTP_REFERER": "https://localhost/sign-in"}

    answer = try_to(person)

    cookies = answer.headers.getlist("Set-Cookie")
    assert [cookie.partition("=")[0] for cookie in cookies] == ["__Host-console", "__Host-form"]
    assert all("; Secure" in cookie and "; Path=/" in cookie and "Domain" not in cookie for cookie in cookies)
    assert "HttpOnly" in cookies[0]
    assert person.client.get("/profile").headers["Strict-Transport-Security"].startswith("max-age=")


def test_where_somebody_is_signed_in_is_listed_and_can_be_ended(visit, site, house):
    here, there = visit("support"), visit("support")
    house.clock.now += timedelta(seconds=1)
    page = here.get("/sessions")
    assert page.count("30 days after") + page.count("12 hours without") == 2

    here.post("/sessions/end-all")

    assert there.client.get("/profile").status_code == 303
    here.get("/profile")
