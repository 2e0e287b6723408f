"""The audit log's page: filters and pages that the address holds."""

import re

import pytest

from tests.building import NOON
from tests.console.pages.conftest import words
from vrio_klaviyo.store import audit
from vrio_klaviyo.store.workspaces import find_workspace


@pytest.fixture
def filled(site):
    with site.db.write() as session:
        for number in range(120):
            action = "connection.paused" if number % 2 else "connection.activated"
            audit.note(session, find_workspace(session).id, action, now=NOON, subject=f"cn_{number:03}")


def shown(page):
    return re.findall(r"<code>cn_(\d+)</code>", page)


def link(page, word):
    return re.search(rf'<a href="([^"]+)"[^>]*>{word}</a>', page)[1].replace("&amp;", "&")


def test_pages_lead_to_older_and_back_to_newer(visit, filled):
    person = visit("manager")
    first = person.get("/audit")
    second = person.get(link(first, "Older"))
    third = person.get(link(second, "Older"))

    assert [len(shown(page)) for page in (first, second, third)] == [50, 50, 20]
    assert shown(first) + shown(second) + shown(third) == [f"{number:03}" for number in range(119, -1, -1)]
    assert shown(person.get(link(third, "Newer"))) == shown(second)
    assert shown(person.get(link(second, "Newer"))) == shown(first)


def test_a_place_stays_where_it_is_when_something_comes_in(visit, site, filled):
    person = visit("manager")
    older = link(person.get("/audit"), "Older")
    before = shown(person.get(older))
    with site.db.write() as session:
        audit.note(session, find_workspace(session).id, "user.added", now=NOON)

    assert shown(person.get(older)) == before


def test_filters_stand_in_the_address_and_survive_paging(visit, filled):
    person = visit("manager")
    first = person.get("/audit?action=connection.paused")
    second = person.get(link(first, "Older"))

    assert all(int(number) % 2 for number in shown(first) + shown(second))
    assert len(shown(second)) == 10
    assert 'value="connection.paused"' in second


def test_a_place_that_nobody_gave_is_refused(visit, filled):
    person = visit("manager")
    older = link(person.get("/audit"), "Older")

    assert "begin at the newest" in words(person.get(older[:-2] + "xx", 400))


def test_an_empty_list_says_what_it_was_asked_for_or_that_there_is_nothing_yet(visit):
    person = visit("manager")

    assert "Nothing was done here yet." in words(person.get("/audit"))
    page = words(person.get("/audit?actor=<script>&action="))
    assert "Nothing matches actor “<script>”." in page
    assert "Clear filters" in page


def test_what_was_done_is_told_in_words_and_leads_on(visit, site, house):
    connection = house.connect()
    with site.db.write() as session:
        before, after = {"Campaigns": ["12", "15"], "Push events": True}, {"Campaigns": [], "Push events": False}
        workspace_id = find_workspace(session).id
        audit.note(
            session,
            workspace_id,
            "connection.key_replaced",
            now=NOON,
            subject=connection.id,
            before=before,
            after=after,
            reason="<script>",
        )

    page = visit("manager").get("/audit")

    assert "Connection key replaced" in words(page)
    assert 'href="/audit?action=connection.key_replaced"' in page
    assert f'href="/connections/{connection.id}"' in page
    assert "before: Campaigns: 12, 15; Push events: yes" in words(page)
    assert "after: Campaigns: —; Push events: no" in words(page)
    assert "reason: <script>" in words(page)
    assert "<script>" not in page.split("<main")[1]
