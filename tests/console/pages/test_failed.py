"""Failed: grouped by cause with what to do, chosen or all put aside, and counted beside the menu."""

from typing import Any

import pytest
from sqlalchemy import update

from console.pages.failed import open_failures
from tests.bodies import SALE, event, sample
from tests.building import House
from tests.console.pages.conftest import words
from vrio_klaviyo.klaviyo.requests import Profile
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import Customer
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.journals import page_of_entries
from vrio_klaviyo.store.workspaces import add_workspace

EMAIL_REFUSED = "400 invalid /data/attributes/profile/data/attributes/email"


@pytest.fixture
def connection(house: House) -> Connection:
    return house.connect("Northwind US")


def stuck(
    house: House, connection: Connection, number: int, reason: str = "503 unavailable", status: str = "failed"
) -> str:
    """A delivery that stands still."""
    delivery = house.owe(connection, number)
    change(house, delivery.id, status=status, reason=reason, next_attempt_at=None, finished_at=house.clock())
    return delivery.id


def change(house: House, delivery_id: str, **values: Any) -> None:
    with house.db.write() as session:
        session.execute(update(Delivery).where(Delivery.id == delivery_id).values(values))


def count(house: House) -> int:
    with house.db.read() as session:
        return open_failures(session, house.source.workspace_id)


def actions(house: House) -> list[str]:
    with house.db.read() as session:
        return [entry.action for entry in page_of_entries(session, house.source.workspace_id).rows]


def test_each_cause_says_what_it_means_what_to_do_and_whether_sending_again_helps(visit, house, connection):
    stuck(house, connection, 1, EMAIL_REFUSED)
    stuck(house, connection, 2)
    stuck(house, connection, 3)
    page = words(visit("manager").get("/failed"))

    assert "Invalid e-mail address 1 request Klaviyo does not accept this e-mail address. Correct the address" in page
    assert f"sending again will not help {EMAIL_REFUSED}" in page
    assert "Klaviyo unavailable 2 requests" in page
    assert "sending again helps 503 unavailable" in page
    assert "Replay 2…" in page


@pytest.mark.parametrize(
    ("path", "status", "reason", "said"),
    [
        ("/failed/held", "held", "connection_paused", "Connection paused 1 request The connection was paused"),
        ("/failed/skipped", "skipped", "campaign_not_selected", "Campaign not selected 1 request"),
    ],
)
def test_what_is_held_and_what_was_not_sent_have_lists_of_their_own(
    visit, house, connection, path, status, reason, said
):
    stuck(house, connection, 1, reason, status)
    viewer = visit("viewer")

    assert said in words(viewer.get(path))
    assert "Nothing has failed that nobody has looked at" in words(viewer.get("/failed"))


def test_against_some_reasons_no_replay_is_offered(visit, house, connection):
    stuck(house, connection, 1, "no_email", "skipped")

    assert "Replay 1…" not in words(visit("manager").get("/failed/skipped"))


def test_the_same_can_be_seen_by_customer_and_by_time(visit, house, connection):
    stuck(house, connection, 1)
    stuck(house, connection, 2, "campaign_not_selected", "skipped")
    person = visit("viewer")

    page = person.get(f"/failed?connection={connection.id}")
    assert f'href="/customers?had=failed&amp;connection={connection.id}"' in page
    assert f'href="/failed/failed/requests?connection={connection.id}"' in page
    assert 'href="/customers?had=skipped"' in person.get("/failed/skipped/requests")
    change(house, stuck(house, connection, 3), looked_at=house.clock())
    assert "/customers?had=" not in person.get("/failed/looked-at")


def test_a_list_that_there_is_not_is_not_found(visit):
    visit("viewer").get("/failed/lost", status=404)


def test_the_rows_of_a_cause_are_those_of_it(visit, house, connection):
    stuck(house, connection, 1, EMAIL_REFUSED)
    stuck(house, connection, 2)
    page = visit("support").get("/failed/failed/requests", cause=EMAIL_REFUSED)

    assert "1001" in words(page)
    assert "1002" not in words(page)
    assert "john301@acme.test" in page


def test_a_row_leads_to_its_request(visit, house, connection):
    delivery_id = stuck(house, connection, 1)

    assert f'href="/requests/{delivery_id}"' in visit("viewer").get("/failed/failed/requests")


def test_a_viewer_sees_no_address_and_no_button(visit, house, connection):
    stuck(house, connection, 1)
    viewer = visit("viewer")
    for path in ("/failed", "/failed/failed/requests"):
        page = viewer.get(path)
        assert "john301@acme.test" not in page
        assert "Mark" not in words(page)
        assert "Replay 1" not in words(page)
    viewer.post("/failed/put-aside", 403)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"event": "Declined Order"}, ["1001", "1002"]),
        ({"event": "Placed Order"}, []),
        ({"event": "profile"}, []),
        ({"connection": "cn_none"}, []),
        ({"until": "2000-01-01T00:00"}, []),
        ({"since": "2000-01-01"}, ["1001", "1002"]),
    ],
)
def test_filters(visit, house, connection, query, shown):
    for number in (1, 2):
        stuck(house, connection, number)
    page = words(visit("viewer").get("/failed/failed/requests", **query))

    assert [one for one in ("1001", "1002") if one in page] == shown
    if not shown:
        assert "Nothing matches these filters" in page


def test_a_time_that_cannot_be_read_is_a_bad_request(visit):
    assert "esterday is no time" in words(visit("viewer").get("/failed", status=400, since="yesterday"))


def test_what_was_chosen_is_put_aside_and_no_longer_counted(visit, house, connection):
    first = stuck(house, connection, 1)
    stuck(house, connection, 2)
    support = visit("support")
    assert count(house) == 2
    assert '<span class="count">2</span>' in support.get("/keyboard")
    answer = support.post("/failed/put-aside?chosen=1", show="failed", delivery=[first])

    assert answer.location == "/failed/failed/requests"
    assert count(house) == 1
    assert "1 request put aside" in words(support.get(answer.location))
    assert "1001" in words(support.get("/failed/looked-at/requests"))
    assert "1001" not in words(support.get("/failed/failed/requests"))
    assert "failures.looked_at" in actions(house)

    support.post("/failed/bring-back?chosen=1", show="looked-at", delivery=[first])
    assert count(house) == 2
    assert "failures.brought_back" in actions(house)


def test_a_whole_cause_is_put_aside_and_nothing_else(visit, house, connection):
    stuck(house, connection, 1)
    stuck(house, connection, 2)
    stuck(house, connection, 3, EMAIL_REFUSED)
    visit("support").post("/failed/put-aside", show="failed", cause="503 unavailable")

    assert count(house) == 1


def test_choosing_nothing_puts_nothing_aside(visit, house, connection):
    stuck(house, connection, 1)
    visit("support").post("/failed/put-aside?chosen=1", show="failed")

    assert count(house) == 1


def test_only_what_failed_can_be_put_aside(visit, house, connection):
    stuck(house, connection, 1, "no_email", "skipped")

    visit("support").post("/failed/put-aside", 400, show="skipped")


def test_what_was_put_aside_and_sent_again_counts_when_it_fails_again(visit, house, connection):
    delivery_id = stuck(house, connection, 1)
    support = visit("support")
    support.post("/failed/put-aside", show="failed")
    assert count(house) == 0
    support.post(f"/requests/{delivery_id}/resend", body="same")
    change(house, delivery_id, status="failed", reason="503 unavailable")

    assert count(house) == 1


def test_nothing_of_another_workspace_is_put_aside_or_seen(visit, house, connection, site):
    stuck(house, connection, 1)
    with house.db.write() as session:
        add_workspace(session, "Other")
    stranger = visit("support", workspace="Other")
    assert "Klaviyo unavailable" not in words(stranger.get("/failed"))
    stranger.post("/failed/put-aside", show="failed")

    assert count(house) == 1


HOSTILE = "<script>alert(1)</script>\"'\u202e\x07" + "x" * 10_000


@pytest.mark.parametrize("path", ["/failed", "/failed/failed/requests"])
def test_hostile_text_is_shown_as_text(visit, house, connection, path):
    owed = house.owe(
        connection, 1, request=event(HOSTILE[:200], metric=HOSTILE[:100], profile=Profile(email="j@acme.test"))
    )
    change(house, owed.id, status="failed", reason=HOSTILE)
    with house.db.write() as session:
        session.execute(update(Customer).values(email=HOSTILE))
    page = visit("manager").get(path)

    assert "<script>alert" not in page
    assert "alert(1)" in page


def test_bodies_of_deliveries_are_not_loaded_in_lists(visit, house, connection):
    house.post(sample(SALE))
    house.take_in()
    for delivery in house.deliveries():
        change(house, delivery.id, status="failed", reason="503", request=b"not loaded")

    assert "Placed Order" in words(visit("viewer").get("/failed/failed/requests"))
