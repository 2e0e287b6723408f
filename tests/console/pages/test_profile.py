"""The visitor's own page."""

import pytest

from console import passwords
from tests.console.pages.conftest import words
from vrio_klaviyo.store import people

PASSWORD = "correct horse battery"
HASH = passwords.hashed(PASSWORD)


def test_name_zone_and_keys_are_the_visitors(visit):
    person = visit("viewer")
    assert "data-shortcuts" in person.get("/profile")

    person.post("/profile", name=" Mia  Li ", time_zone="Europe/Berlin", clock="mine")

    page = person.get("/profile")
    assert "Mia Li" in words(page)
    assert "Saved." in words(page)
    # The house's clock stands at noon in UTC.
    assert "14:00 CEST" in words(page)
    assert "data-shortcuts" not in page


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("time_zone", "Mars/Olympus", "Choose a zone from the list."),
        ("time_zone", "../../etc/passwd", "Choose a zone from the list."),
        ("clock", "sundial", "Choose one."),
        ("name", "x" * 81, "Use at most 80 characters."),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(visit, field, value, sentence):
    typed = {"name": "Mia", "time_zone": "UTC", "clock": "utc"} | {field: value}

    assert sentence in words(visit("viewer").post("/profile", 422, **typed).text)


def test_who_has_no_password_chooses_one_without_repeating_any(visit, site):
    person = visit("viewer")
    assert "You have no password yet" in words(person.get("/profile"))

    person.post("/profile/password", new_password=PASSWORD)

    with site.db.read() as session:
        assert passwords.matches(people.find_user(session, person.user.id).password_hash, PASSWORD)
    assert "You have no password yet" not in words(person.get("/profile"))


def test_who_has_one_must_know_it_and_is_signed_out_elsewhere(visit, site):
    person, elsewhere = visit("viewer"), visit("viewer")
    with site.db.write() as session:
        people.find_user(session, person.user.id).password_hash = HASH

    wrong = {"current_password": "wrong horse battery", "new_password": "another horse battery"}
    assert "This is not your password." in words(person.post("/profile/password", 422, **wrong).text)
    person.post("/profile/password", **wrong | {"current_password": PASSWORD})

    person.get("/profile")
    assert elsewhere.client.get("/profile").status_code == 303


def test_trying_passwords_there_has_a_bound_too(visit, site):
    person = visit("viewer")
    with site.db.write() as session:
        people.find_user(session, person.user.id).password_hash = HASH
    tried = {"current_password": "wrong horse battery", "new_password": "another horse battery"}
    for _ in range(5):
        person.post("/profile/password", 422, **tried)

    person.post("/profile/password", 429, **tried | {"current_password": PASSWORD})


def test_no_password_is_ever_written_back(visit):
    page = visit("viewer").post("/profile/password", 422, new_password="short pass").text

    assert "Use at least 12 characters." in words(page)
    assert "short pass" not in page
