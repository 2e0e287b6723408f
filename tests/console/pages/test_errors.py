"""Errors are pages, too: they say what to do, have a number, and tell nothing of anybody."""

from types import SimpleNamespace

import pytest
from flask import Blueprint, Flask, abort, request

from console import pages
from console.pages.guard import open_to_all
from tests.console.pages.conftest import words
from vrio_klaviyo.errors import InvalidInput, NotFound
from vrio_klaviyo.store.db import Database

SECRET = "pk_MARKED0000000000000000000000000000"


@pytest.fixture
def app(site):
    """The pages, and one on which everything goes wrong."""

    def blueprint(_site):
        routes = Blueprint("trouble", __name__)

        @routes.route("/trouble/<kind>", methods=["GET", "POST"])
        @open_to_all
        def trouble(kind):
            match kind:
                case "missing":
                    raise NotFound(f"no customer is called {SECRET}")
                case "wrong":
                    raise InvalidInput("the name must have 1 to 80 characters")
                case "broken":
                    raise RuntimeError(SECRET)
                case "body":
                    return request.get_data()
            abort(int(kind))

        return routes

    app = Flask("vrio_klaviyo", static_folder=None)
    app.secret_key = site.settings.secret_key
    app.config["MAX_CONTENT_LENGTH"] = 2000
    pages.register(app, site, [*pages.PAGES, SimpleNamespace(blueprint=blueprint)])
    return app


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/trouble/400", 400, "This request cannot be read"),
        ("/trouble/403", 403, "You may not see this"),
        ("/trouble/404", 404, "There is nothing here"),
        ("/trouble/409", 409, "Somebody else was faster"),
        ("/trouble/413", 413, "This is too large"),
        ("/trouble/429", 429, "Too many tries"),
        ("/trouble/500", 500, "Something went wrong here"),
        ("/trouble/418", 418, "Something went wrong here"),
        ("/trouble/missing", 404, "There is nothing here"),
        ("/trouble/wrong", 400, "The name must have 1 to 80 characters."),
        ("/trouble/broken", 500, "Something went wrong here"),
        ("/nothing/at/all", 404, "There is nothing here"),
        ("/sign-out", 405, "This address does not do that"),
    ],
)
@pytest.mark.parametrize("role", [None, "viewer"])
def test_an_error_is_a_page_with_a_number_and_a_way_back(visit, path, status, sentence, role):
    answer = visit(role).client.get(path)

    assert answer.status_code == status
    assert sentence in words(answer.text)
    assert f"Code {status} · request {answer.headers['X-Request-Id']}" in words(answer.text)
    assert "Go to the start" in answer.text
    assert "Content-Security-Policy" in answer.headers
    assert SECRET not in answer.text


def test_what_is_too_large_is_not_read(visit):
    person = visit("viewer")

    answer = person.client.post("/trouble/body", data={"csrf_token": person.token(), "x": "y" * 3000})

    assert answer.status_code == 413


def test_an_address_that_is_known_says_what_it_takes(visit):
    assert set(visit("viewer").client.get("/theme").headers["Allow"].split(", ")) == {"POST", "OPTIONS"}


def test_an_error_leaves_its_place_in_the_log_and_nothing_of_anybody(visit, capfd):
    answer = visit("viewer").client.get("/trouble/broken")

    told = "".join(capfd.readouterr())
    assert answer.headers["X-Request-Id"] in told
    assert "RuntimeError" in told
    assert "test_errors" in told
    assert SECRET not in told


def test_without_a_database_a_page_says_so_and_the_door_still_opens(visit, site, tmp_path):
    person = visit("viewer")
    gone = Database(f"sqlite:///{tmp_path}/never_migrated.db")
    object.__setattr__(site, "db", gone)

    answer = person.client.get("/profile")

    gone.close()
    assert answer.status_code == 503
    assert "The database does not answer" in words(answer.text)
