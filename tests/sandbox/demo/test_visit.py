"""A visit to the console, as a browser makes it."""

import pytest
import responses
from responses.matchers import urlencoded_params_matcher

from sandbox.demo.visit import visit
from sandbox.processes import Failure

LINK = "http://127.0.0.1:8080/link/once?next=/customers/cu_1/webhooks"
WELCOME = """<form action="/theme"><input name="theme" value="dark"></form>
<main class="container-fluid"><form method="post" action="/link/once?next=/customers/cu_1/webhooks">
<input type="hidden" name="csrf_token" value="told"><input type="password" name="new_password">
<input type="checkbox" name="keep"></form></main>"""
LOG = """<ul class="menu"><li><a href="/customers">Customers</a></li><li><a href="/failed">Failed</a></li></ul>
<ul class="own"><li><a href="/profile">Profile</a></li></ul><main><p>Placed Order
 <b>phone removed</b></p></main>"""


@responses.activate
def test_the_link_s_form_is_sent_as_it_stands_and_the_menu_is_walked() -> None:
    responses.get(LINK, WELCOME)
    filled = {"csrf_token": "told", "new_password": ""}
    moved = {"Location": "/customers/cu_1/webhooks"}
    match = [urlencoded_params_matcher(filled, allow_blank=True)]
    responses.post(LINK, status=303, headers=moved, match=match)
    responses.get("http://127.0.0.1:8080/customers/cu_1/webhooks", LOG)
    responses.get("http://127.0.0.1:8080/customers")
    responses.get("http://127.0.0.1:8080/failed", status=500)
    responses.get(LINK, status=404)

    seen = visit(LINK, 1)

    assert seen.path == "/customers/cu_1/webhooks"
    assert "Placed Order phone removed" in seen.text
    assert seen.menu == {"/customers": 200, "/failed": 500}
    assert seen.again == 404


@responses.activate
def test_a_console_that_does_not_answer_is_a_failure_in_words() -> None:
    with pytest.raises(Failure, match="does not let the visitor in"):
        visit(LINK, 1)
