"""Signing in, by link and by password, and what the frame offers."""

import pytest


def test_a_link_signs_in_and_the_chosen_password_does_the_next_time(person, product):
    (user,) = product.flask("user", "add", "mia@northwind.example", "--role", "operator")
    mia = person(None)
    page = mia.open("/link/" + user["link"].rpartition("/")[2])
    mia.fine("welcome")
    page.get_by_label("Choose a password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/link/" not in url)

    page.get_by_text("mia", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    mia.fine("sign-in")
    page.get_by_label("Email").fill("Mia@Northwind.example")
    page.get_by_label("Password", exact=True).fill("wrong horse battery")
    page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("alert").inner_text().endswith("Email or password is wrong.")
    mia.errors.clear()  # The browser itself says that the answer was 422.
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    assert mia.errors == []


@pytest.mark.parametrize("path", ["/profile", "/users", "/sessions", "/audit", "/keyboard"])
def test_the_small_pages_are_fine(person, path):
    mia = person("operator")
    mia.open(path)

    mia.fine(path.strip("/"))
