"""Preview: what a webhook would send today, request by request, and nothing is written by it."""

import json

import pytest
from sqlalchemy import func, select

from tests.bodies import DECLINED, SALE, declined, sample
from tests.building import House
from tests.steered import klaviyo_served
from vrio_klaviyo.consequences import NO_CONNECTION
from vrio_klaviyo.errors import NotFound, Refused
from vrio_klaviyo.gate import SkipReason
from vrio_klaviyo.klaviyo.requests import dumps
from vrio_klaviyo.previewing import PROFILE_ONLY, UNKNOWN, Preview, preview
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.tables import metadata


def previewed(house: House, inbound_id: str) -> Preview:
    return preview(house.db, inbound_id, house.clock())


def rows(house: House) -> dict[str, int]:
    """How many rows each table has."""
    with house.db.read() as session:
        counts = {name: select(func.count()).select_from(table) for name, table in metadata.tables.items()}
        return {name: session.execute(count).scalar_one() for name, count in counts.items()}


def test_a_preview_shows_the_very_bytes_that_were_sent(house: House) -> None:
    with klaviyo_served() as served:
        house.klaviyo_url = served.url
        connection = house.connect()
        inbound_id = house.post(sample(SALE))
        house.take_in()
        house.settle(connection)
        sent = {house.attempts(delivery)[0].request_body for delivery in house.deliveries()}

        found = previewed(house, inbound_id)

    ((through, requests),) = found.by_connection
    assert (through.id, found.note) == (connection.id, "")
    assert {one.rendered.body for one in requests} == sent
    assert {one.skip_reason for one in requests} == {None}


@pytest.mark.parametrize("name", [SALE, DECLINED, "shipment_shipped", "order_offer_updated_paused"])
def test_a_preview_writes_nothing(house: House, connection: Connection, name: str) -> None:
    inbound_id = house.post(sample(name))
    before = rows(house)

    assert previewed(house, inbound_id).by_connection

    assert rows(house) == before
    assert house.inbound(inbound_id).status == "received"


@pytest.mark.parametrize("name", [SALE, DECLINED])
def test_what_the_intake_has_not_worked_off_yet_is_told_as_it_will_be(
    house: House, connection: Connection, name: str
) -> None:
    inbound_id = house.post(sample(name))

    ((_, before),) = previewed(house, inbound_id).by_connection
    house.take_in()
    ((_, after),) = previewed(house, inbound_id).by_connection

    assert {one.skip_reason for one in before} == {None}
    assert [one.rendered.body for one in before] == [one.rendered.body for one in after]


def test_a_change_that_the_intake_has_not_worked_off_yet_is_judged_by_what_it_changes(
    house: House, connection: Connection
) -> None:
    for body in (sample(SALE), sample("order_offer_updated_paused")):
        inbound_id = house.post(body)
        found = previewed(house, inbound_id)
        house.take_in()

    told = [one.request for one in found.by_connection[0][1]]
    opened = [one for one in house.deliveries() if one.inbound_event_id == inbound_id]
    assert [dumps(one) for one in told] == [one.request for one in opened]


def test_what_will_have_to_wait_says_for_what(house: House, connection: Connection) -> None:
    inbound_id = house.post(sample("shipment_shipped"))
    assert previewed(house, inbound_id).note.startswith("It waits for transaction")

    house.take_in()
    assert house.inbound(inbound_id).status == "waiting"
    assert previewed(house, inbound_id).note == house.inbound(inbound_id).reason


def test_each_connection_shows_its_own_settings_and_reasons(house: House, connection: Connection) -> None:
    paused = house.connect("Paused", active=False)
    house.change(connection, typed=True)
    inbound_id = house.post(sample(SALE))

    ours, theirs = previewed(house, inbound_id).by_connection

    assert (ours[0].id, theirs[0].id) == (connection.id, paused.id)
    values = [json.loads(one.rendered.body)["data"]["attributes"]["properties"] for one in ours[1]]
    assert any(isinstance(value, float) for properties in values for value in properties.values())
    assert {one.skip_reason for one in theirs[1]} == {SkipReason.CONNECTION_PAUSED}


def test_a_preview_follows_the_settings_of_today(house: House, connection: Connection) -> None:
    inbound_id = house.post(declined())
    house.take_in()
    house.change(connection, metrics_off=["Declined Order"])

    ((_, (one,)),) = previewed(house, inbound_id).by_connection

    assert one.skip_reason == SkipReason.METRIC_OFF
    assert house.delivery().status == "queued"


def test_what_makes_no_event_says_so_and_shows_the_profile(house: House, connection: Connection) -> None:
    house.post(sample(SALE))
    house.take_in()

    found = previewed(house, house.post(sample("order_updated")))

    assert found.note.startswith("Vrio sends it for any change") or found.note == PROFILE_ONLY
    assert [type(one.request).__name__ for one in found.by_connection[0][1]] == ["ProfileRequest"]


def test_an_unknown_event_shows_nothing(house: House, connection: Connection) -> None:
    found = previewed(house, house.post(declined() | {"webhook_event": "never_heard_of"}))

    assert (found.note, found.by_connection[0][1]) == (UNKNOWN, [])


def test_without_a_connection_the_note_says_so(house: House) -> None:
    assert previewed(house, house.post(declined())).note == NO_CONNECTION


def test_what_cannot_be_read_any_more_is_refused(house: House, connection: Connection) -> None:
    unreadable, removed = house.post(b"[]"), house.post(declined())
    with house.db.write() as session:
        session.get_one(InboundEvent, removed).body_removed_at = house.clock()

    for inbound_id, words in ((unreadable, "cannot be read"), (removed, "was removed on 30 Aug 2026")):
        with pytest.raises(Refused, match=words):
            previewed(house, inbound_id)
    with pytest.raises(NotFound):
        previewed(house, "in_0")
