"""One request: its timeline, its bodies for who may see them, what changed, and sending it again."""

import html
import re

import pytest

from sandbox.klaviyo import GOOD_KEY
from tests.bodies import SALE, declined, sample
from tests.building import House
from tests.console.pages.conftest import words
from tests.steered import Klaviyo
from vrio_klaviyo.store import retention
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.journals import page_of_entries


@pytest.fixture
def klaviyo(klaviyo, house):
    house.klaviyo_url = klaviyo.url
    return klaviyo


@pytest.fixture
def connection(house: House, klaviyo: Klaviyo):
    return house.connect("Shop")


def arrived(house: House, body: dict | None = None) -> str:
    inbound_id = house.post(body or declined())
    house.take_in()
    return inbound_id


@pytest.fixture
def without_phone(house: House, klaviyo: Klaviyo, connection) -> Delivery:
    """An event whose phone number Klaviyo refused, sent again without it."""
    klaviyo.settings(refused_phones=["+1555"])
    arrived(house)
    house.settle(connection)
    klaviyo.settings(refused_phones=[])
    delivery = house.delivery()
    assert [attempt.trigger for attempt in house.attempts(delivery)] == ["first", "phone_removed"]
    return delivery


@pytest.fixture
def failed(house: House, klaviyo: Klaviyo, connection) -> Delivery:
    arrived(house)
    klaviyo.fault("status", status=400)
    house.settle(connection)
    assert house.delivery().status == "failed"
    return house.delivery()


def written_down(house: House, action: str) -> list[tuple[str, dict]]:
    with house.db.read() as session:
        found = page_of_entries(session, house.source.workspace_id, action=action).rows
    return [(entry.actor, entry.details) for entry in found]


@pytest.mark.requirement("003-62", "003-71")
def test_the_timeline_tells_each_attempt_and_why_it_was_made(visit, without_phone):
    page = words(visit("viewer").get(f"/requests/{without_phone.id}"))

    steps = ["Vrio’s webhook received", "Queued", "Attempt 1 400", "Attempt 2: sent again without the phone number 202"]
    places = [page.index(step) for step in steps]
    assert places == sorted(places)
    assert "Declined Order ✓ Accepted 202 phone removed" in page


@pytest.mark.requirement("003-62")
def test_bodies_are_shown_to_who_asks_and_that_is_written_down(visit, house, without_phone):
    person, path = visit("support"), f"/requests/{without_phone.id}"
    assert "unique_id" not in person.get(path)

    assert person.post(f"{path}/reveal", attempt="1").location == f"{path}?attempt=1#bodies"

    page = words(person.get(path, attempt="1"))
    assert "1 From Vrio" in page
    assert '"phone_number" : "+15551234567"' in page
    assert '"pointer" : "/data/attributes/profile/data/attributes/phone_number"' in page
    assert written_down(house, "delivery.revealed") == [("support@northwind.example", {})]


def test_bodies_are_not_for_viewers(visit, house, without_phone):
    viewer, path = visit("viewer"), f"/requests/{without_phone.id}"
    attempt = house.attempts(without_phone)[0]

    assert "People with the role support may see them" in words(viewer.get(path))
    assert "Resend" not in viewer.get(path)
    assert "+15551234567" not in viewer.get(path)
    viewer.post(f"{path}/reveal", 403)
    viewer.get(f"{path}/resend", 403)
    viewer.post(f"{path}/resend", 403, body="same")
    for file in ("webhook", f"attempts/{attempt.id}/sent", f"attempts/{attempt.id}/answered"):
        viewer.get(f"{path}/{file}", 403)
    viewer.get(f"/received/{without_phone.inbound_event_id}/body", 403)


def test_what_was_shown_is_shown_to_nobody_else(visit, without_phone):
    path = f"/requests/{without_phone.id}"
    visit("support").post(f"{path}/reveal")

    assert "Show the bodies" in words(visit("manager").get(path))


def test_the_removed_field_is_struck_through(visit, without_phone):
    person, path = visit("support"), f"/requests/{without_phone.id}"
    person.post(f"{path}/reveal")

    page = person.get(path)

    gone = [html.unescape(re.sub("<[^>]+>", "", line)) for line in re.findall("<del>(.*?)</del>", page)]
    assert [line.split() for line in gone] == [
        ['"phone_number":', '"+15551234567"'],
        ['"$phone_number":', '"+15551234567"'],
    ]
    assert "2 fields removed: phone_number, $phone_number." in words(page)
    assert "<del>" not in person.get(path, changes="no")
    assert "<del>" not in person.get(path, attempt="1")


def test_bodies_can_be_had_byte_for_byte(visit, house, without_phone):
    person, path = visit("support"), f"/requests/{without_phone.id}"
    attempt = house.attempts(without_phone)[0]
    files = {
        f"{path}/webhook": house.inbound(without_phone.inbound_event_id).body,
        f"{path}/attempts/{attempt.id}/sent": attempt.request_body,
        f"{path}/attempts/{attempt.id}/answered": attempt.response_body,
    }
    for file in files:
        # Not before somebody asked to see them.
        assert person.client.get(file).location == path
    person.post(f"{path}/reveal")

    for file, body in files.items():
        answer = person.client.get(file)
        assert answer.data == body
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    raw = person.get(path, view="raw", attempt="1")
    assert html.escape(attempt.request_body.decode(), quote=False).replace('"', "&#34;") in raw


@pytest.mark.requirement("003-62")
def test_the_curl_line_has_the_key_as_a_variable(visit, without_phone):
    person, path = visit("support"), f"/requests/{without_phone.id}"
    person.post(f"{path}/reveal")

    page = person.get(path)

    assert "Klaviyo-API-Key $KLAVIYO_API_KEY" in html.unescape(page)
    assert GOOD_KEY not in page
    assert "Same unique id: Klaviyo will ignore the copy." in words(page)


def test_an_attempt_that_there_is_not_is_not_found(visit, without_phone):
    person = visit("support")
    person.get(f"/requests/{without_phone.id}", 404, attempt="9")
    person.get(f"/requests/{without_phone.id}", 404, attempt="x")


def test_an_attempt_belongs_to_its_request(visit, house, without_phone, connection):
    other = house.owe(connection, 7)
    attempt = house.attempts(without_phone)[0]

    visit("support").get(f"/requests/{other.id}/attempts/{attempt.id}/sent", 404)


@pytest.mark.requirement("003-63")
def test_a_failed_request_says_why_and_is_sent_again_with_the_same_body(visit, house, failed, connection, site):
    person, path = visit("support"), f"/requests/{failed.id}"
    assert "Failed: it is not tried again by itself" in words(person.get(path))
    dialog = words(person.get(f"{path}/resend"))
    assert "The same body, byte for byte" in dialog
    assert "The difference of the two: Nothing changed." in dialog
    assert "Klaviyo ignores it if it has processed unique id 1001 already." in dialog

    assert person.post(f"{path}/resend", body="same").location == path

    assert "Waiting for its turn" in words(person.get(path))
    house.settle(connection)
    first, second = house.attempts(failed)
    assert second.request_body == first.request_body
    page = words(person.get(path))
    assert "Attempt 2: sent again by support@northwind.example" in page
    assert "✓ Accepted 202" in page
    assert written_down(house, "delivery.resent") == [
        ("support@northwind.example", {"rebuild": False, "despite_pause": False})
    ]


def test_what_klaviyo_had_taken_stays_accepted_when_it_is_resent_in_vain(visit, house, klaviyo, connection):
    arrived(house, declined(phone=""))
    house.settle(connection)
    person, path = visit("support"), f"/requests/{house.delivery().id}"
    klaviyo.fault("status", status=503)
    person.post(f"{path}/resend", body="same")
    house.settle(connection)

    page = words(person.get(path))
    assert "Declined Order ✓ Accepted 202 sent again in vain" in page
    assert "Klaviyo had taken this before." in page
    assert "Attempt 2: sent again by support@northwind.example 503" in page
    assert "Declined Order" not in words(person.get("/failed"))


def test_the_dialog_tells_how_the_two_bodies_differ(visit, house, failed, connection):
    house.change(connection, typed=True)
    person, path = visit("support"), f"/requests/{failed.id}"

    assert re.search(r"fields? changed: .*OrderSubtotal|fields? changed: ", words(person.get(f"{path}/resend")))
    assert "Show it line by line" not in person.get(f"{path}/resend")
    person.post(f"{path}/reveal")
    assert "<del>" in person.get(f"{path}/resend")
    person.post(f"{path}/resend", body="built")
    house.settle(connection)
    first, second = house.attempts(failed)
    assert second.request_body != first.request_body


def test_looking_at_the_dialog_changes_nothing(visit, house, failed):
    before = house.delivery().status, house.delivery().request
    visit("support").get(f"/requests/{failed.id}/resend")

    assert (house.delivery().status, house.delivery().request) == before


def test_what_is_queued_cannot_be_sent_again(visit, house, connection):
    arrived(house)
    person, path = visit("support"), f"/requests/{house.delivery().id}"

    assert "is in the queue and goes out by itself" in words(person.get(f"{path}/resend"))
    assert "is in the queue" in words(person.post(f"{path}/resend", 409, body="same").text)
    assert written_down(house, "delivery.resent") == []


def test_through_a_paused_connection_only_when_that_is_asked_for(visit, house, failed, connection):
    house.change(connection, active=False)
    person, path = visit("support"), f"/requests/{failed.id}"
    assert "Send it although Shop is paused" in words(person.get(f"{path}/resend"))

    assert "The connection is paused" in words(person.post(f"{path}/resend", 409, body="same").text)
    person.post(f"{path}/resend", body="same", despite_pause="on")


def test_a_body_that_nobody_offers_is_refused(visit, failed):
    visit("support").post(f"/requests/{failed.id}/resend", 422, body="other")


@pytest.mark.requirement("003-10")
def test_what_was_not_sent_says_why_and_what_to_do(visit, house):
    house.connect("Shop", push_events=False)
    arrived(house)
    person, path = visit("support"), f"/requests/{house.delivery().id}"

    page = words(person.get(path))
    assert "Not sent: push events off" in page
    assert "Push events off. " in page
    assert "It cannot be sent again: Push Events is off for this connection." in words(person.get(f"{path}/resend"))
    person.post(f"{path}/reveal")
    assert "Nothing was sent yet." in words(person.get(path))


def test_after_retention_times_and_codes_are_kept(visit, house, without_phone):
    house.clock.advance(days=40)
    with house.db.write() as session:
        retention.remove_bodies(session, house.clock(), house.clock(), 100)
    person, path = visit("support"), f"/requests/{without_phone.id}"

    page = words(person.get(path))

    assert "Bodies were removed on" in page
    assert "Attempt 1 400" in page
    assert "Its bodies were removed, so it cannot be sent again." in page
    assert "Show the bodies" not in page


def test_a_retry_that_waits_is_the_next_step_with_its_time(visit, house, klaviyo, connection):
    arrived(house)
    klaviyo.fault("status", status=503)
    house.send(connection)

    page = words(visit("support").get(f"/requests/{house.delivery().id}"))

    assert re.search(r"12:00:\d\d open: Next attempt Send now…", page)


def test_what_happens_while_somebody_reads_is_told_and_can_be_shown(visit, house, failed, connection):
    person, path = visit("support"), f"/requests/{failed.id}"
    page = person.get(path)
    news = "Something has happened since you opened this page."
    assert news not in words(page)
    address = html.unescape(re.search(r'id="progress"[^>]* hx-get="([^"]+)"', page)[1])
    assert news not in words(person.get(address))

    person.post(f"{path}/resend", body="same")
    house.settle(connection)
    refreshed = person.get(address)

    assert news in words(refreshed)
    assert html.unescape(re.search(r'id="progress"[^>]* hx-get="([^"]+)"', refreshed)[1]) == address
    shown = person.get(re.search(r'href="([^"]+)">Show the last attempt', refreshed)[1])
    assert "Attempt 2 of 2" in words(shown)
    assert news not in words(shown)


def test_a_request_has_a_link_to_give_to_others(visit, failed, site):
    page = visit("viewer").get(f"/requests/{failed.id}?view=raw")

    assert f'id="own-link">{site.settings.base_url}/requests/{failed.id}<' in page
    assert 'data-copy="own-link"' in page


def test_made_from_one_webhook_lead_to_each_other(visit, house, connection):
    arrived(house, sample(SALE))
    first, *others = house.deliveries()

    page = visit("viewer").get(f"/requests/{first.id}")

    assert f"{1 + len(others)} requests made from the webhook" in words(page)
    for other in others:
        assert f'href="/requests/{other.id}"' in page


def test_a_webhook_of_which_nothing_was_made_has_a_page(visit, house):
    inbound_id = house.post(b"[1, 2]")
    person = visit("support")

    page = words(person.get(f"/received/{inbound_id}"))
    assert "✕ Unreadable" in page
    assert "None." in page
    person.post(f"/received/{inbound_id}/reveal")
    assert "[" in words(person.get(f"/received/{inbound_id}"))
    assert person.client.get(f"/received/{inbound_id}/body").data == b"[1, 2]"
    assert "Unreadable" in words(person.get("/received"))
    assert [actor for actor, _ in written_down(house, "webhook.revealed")] == ["support@northwind.example"]


def test_webhooks_can_be_listed_by_how_they_stand(visit, house):
    house.post(b"[1, 2]")
    person = visit("viewer")

    assert person.get("/received?status=unreadable").count("data-row") == 1
    assert "No webhook matches" in words(person.get("/received?status=waiting"))
    person.get("/received?status=nonsense", 400)
