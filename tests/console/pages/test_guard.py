"""The guard: each role gets as far as it may, and a page that says nothing of it does not exist."""

from types import SimpleNamespace

import pytest
from flask import Blueprint, Flask

from console import pages
from console.pages.guard import needs
from tests.console.pages.conftest import words
from vrio_klaviyo.store.people import Role

PAGES = {
    "/profile": "viewer",
    "/sessions": "viewer",
    "/keyboard": "viewer",
    "/audit": "manager",
    "/users": "operator",
}


@pytest.mark.parametrize("role", Role)
def test_each_role_gets_as_far_as_it_may(visit, role):
    person = visit(role.value)

    for path, needed in PAGES.items():
        page = person.get(path, 200 if role.may(Role(needed)) else 403)
        assert (f"This needs the role {needed}, and yours is {role}." in words(page)) is not role.may(Role(needed))


def test_what_a_role_may_not_do_is_not_done(visit):
    visit("manager").post("/users", 403, email="li@northwind.example", role="operator")

    assert "li@northwind.example" not in visit("operator").get("/users")


def test_the_menu_offers_what_the_role_may_see(visit):
    assert "Users" not in words(visit("manager").get("/profile"))
    assert "Audit log" not in words(visit("support").get("/profile"))
    assert "Audit log" in words(visit("manager").get("/profile"))


def test_a_view_that_does_not_say_who_may_see_it_keeps_the_product_from_starting(site):
    def blueprint(_site):
        routes = Blueprint("careless", __name__)
        routes.get("/careless")(lambda: "")
        return routes

    app = Flask("vrio_klaviyo", static_folder=None)

    with pytest.raises(TypeError, match="careless"):
        pages.register(app, site, [*pages.PAGES, SimpleNamespace(blueprint=blueprint)])


def test_htmx_is_sent_to_the_door_and_brought_back(visit):
    answer = visit(None).client.get(
        "/audit", headers={"HX-Request": "true", "HX-Current-URL": "http://localhost/audit?action=x"}
    )

    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in?next=/audit?action%3Dx")


def test_a_post_of_nobody_is_led_to_the_door_without_a_way_back(visit):
    answer = visit(None).post("/clock", clock="utc")

    assert answer.location == "/sign-in"


def test_being_seen_is_written_down_once_a_minute(visit, site, house):
    person = visit("viewer")
    for seconds in (30, 40):
        house.clock.advance(seconds=seconds)
        person.get("/keyboard")

    assert "1 min ago" not in words(person.get("/sessions"))
    with site.db.read() as session:
        user = session.get_one(type(person.user), person.user.id)
    assert user.seen_at == house.clock()


def test_a_page_that_refreshes_itself_keeps_nobody_signed_in(visit, house):
    person = visit("viewer")
    for _ in range(3):
        house.clock.advance(hours=5)
        answer = person.client.get("/profile", headers={"HX-Request": "true"})

    assert answer.status_code == 401


def test_a_mark_goes_on_the_view_itself():
    def view():
        return "as it was"

    assert needs(Role.VIEWER)(view) is view
