"""One delivery once more: with which body, when it is refused, and that it never undoes what came later."""

import json
from datetime import timedelta
from typing import Any

import pytest

from sandbox.klaviyo import REVOKED_KEY
from tests.building import NOON, SALE, House, Klaviyo, declined, sample
from vrio_klaviyo.errors import NotFound, Refused
from vrio_klaviyo.sending_again import send_again
from vrio_klaviyo.store import resending, retention
from vrio_klaviyo.store.connections import Connection, KeyStatus
from vrio_klaviyo.store.deliveries import LIVE, Delivery

JOHN = "john@acme.test"


def owe(house: House, *bodies: dict[str, Any]) -> None:
    for body in bodies or [declined()]:
        house.post(body)
    house.take_in()


def again(house: House, delivery: Delivery | None = None, **how: bool) -> None:
    with house.db.write() as session:
        send_again(session, (delivery or house.delivery()).id, house.clock(), **how)


def failed(house: House, connection: Connection, klaviyo: Klaviyo) -> Delivery:
    """One delivery that Klaviyo has refused once, for good."""
    klaviyo.fault("status", status=400)
    owe(house, declined(phone=""))
    house.send(connection)
    delivery = house.delivery()
    assert delivery.status == "failed"
    return delivery


def test_the_same_body_goes_out_byte_for_byte(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    before = failed(house, connection, klaviyo)
    # Settings that a body made today would follow.
    house.change(connection, typed=True)
    again(house)
    house.send(connection)

    after = house.delivery()
    first, second = house.attempts()
    assert (after.id, after.status, after.unique_id) == (before.id, "accepted", before.unique_id)
    assert second.request_body == first.request_body
    assert [request["body"] for request in klaviyo.requests()] == [first.request_body.decode()] * 2
    assert (first.trigger, second.trigger, second.number) == ("first", "manual", 2)
    assert after.asked == ""


def test_built_again_the_body_follows_todays_settings(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    before = failed(house, connection, klaviyo)
    house.change(connection, typed=True)
    again(house, rebuild=True)
    house.send(connection)

    first, second = house.attempts()
    assert second.request_body != first.request_body
    was, now = (json.loads(attempt.request_body)["data"]["attributes"] for attempt in (first, second))
    assert (was["unique_id"], was["time"]) == (now["unique_id"], now["time"])
    assert (house.delivery().status, house.delivery().dedup_key) == ("accepted", before.dedup_key)


def test_built_again_it_keeps_the_address_that_was_promised(house: House, connection: Connection) -> None:
    owe(house, declined(1, email="old@acme.test"), declined(2, email="new@acme.test", at="2026-08-30 11:30:00"))
    house.send(connection)
    first, _ = house.deliveries()
    again(house, first, rebuild=True)
    house.send(connection)

    body = json.loads(house.attempts(first)[-1].request_body)
    assert body["data"]["attributes"]["profile"]["data"]["attributes"]["email"] == "old@acme.test"


def test_the_same_id_is_counted_once(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house)
    house.send(connection)
    again(house)
    house.send(connection)

    assert [event["unique_id"] for event in klaviyo.events()] == ["1001"]
    assert house.delivery().status == "accepted"
    assert len(house.attempts()) == 2


@pytest.mark.parametrize("rebuild", [False, True])
def test_late_never_overwrites_new(house: House, connection: Connection, klaviyo: Klaviyo, rebuild: bool) -> None:
    klaviyo.fault("status", status=400)
    owe(house, declined(1, phone="", at="2026-08-30 11:00:00"))
    house.send(connection)
    newer = declined(2, phone="", at="2026-08-30 11:30:00")
    newer["webhook_data"]["transaction"]["customer"]["fname"] = "Jonathan"
    newer["webhook_data"]["transaction"]["customer"]["first_name"] = "Jonathan"
    owe(house, newer)
    house.send(connection)
    before = klaviyo.profile(JOHN)
    again(house, house.deliveries()[0], rebuild=rebuild)
    house.send(connection)

    assert [delivery.status for delivery in house.deliveries()] == ["accepted", "accepted"]
    assert klaviyo.profile(JOHN) | {"updated": ""} == before | {"updated": ""}
    body = json.loads(house.attempts(house.deliveries()[0])[-1].request_body)
    profile = body["data"]["attributes"]["profile"]["data"]["attributes"]
    assert profile == {"email": JOHN, "properties": {}}


def test_one_attempt_and_no_automatic_retry(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    failed(house, connection, klaviyo)
    klaviyo.fault("status", status=503)
    again(house)
    house.send(connection)

    delivery = house.delivery()
    assert (delivery.status, delivery.next_attempt_at, delivery.asked) == ("failed", None, "")
    assert delivery.reason.startswith("503")
    house.clock.advance(days=1)
    house.send(connection)
    assert len(house.attempts()) == 2


def test_a_retry_that_was_waiting_is_given_up_for_it(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    klaviyo.fault("status", status=503, times=2)
    owe(house)
    house.send(connection)
    assert house.delivery().status == "retrying"
    again(house)
    house.send(connection)

    assert house.delivery().status == "failed"
    house.clock.advance(days=1)
    house.send(connection)
    assert [attempt.trigger for attempt in house.attempts()] == ["first", "manual"]


def test_a_rate_limit_is_waited_for_and_is_not_the_attempt(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    failed(house, connection, klaviyo)
    klaviyo.fault("throttle", retry_after=7)
    again(house)
    house.send(connection)
    assert (house.delivery().status, house.delivery().asked) == ("queued", "manual")
    house.clock.advance(seconds=8)
    house.send(connection)

    assert house.delivery().status == "accepted"


def test_what_klaviyo_had_taken_stays_accepted_although_sending_again_is_in_vain(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    owe(house)
    house.send(connection)
    klaviyo.fault("status", status=503)
    again(house)
    house.send(connection)

    assert (house.delivery().status, house.delivery().reason) == ("accepted", "")
    assert [attempt.response_status for attempt in house.attempts()] == [202, 503]


def test_a_refused_phone_is_taken_out_of_the_same_body_too(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    klaviyo.fault("status", status=422)
    owe(house, declined(phone="(555) 000-0101"))
    house.send(connection)
    assert house.delivery().status == "failed"
    again(house)
    house.send(connection)

    assert house.delivery().status == "accepted"
    assert [attempt.trigger for attempt in house.attempts()] == ["first", "manual", "phone_removed"]


def test_nothing_is_sent_again_while_it_is_being_sent(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house)
    told: list[str] = []

    def ask() -> None:
        try:
            again(house)
        except Refused as error:
            told.append(str(error))

    klaviyo.while_asked(ask)
    house.send(connection)

    assert told == [f"{house.delivery().id} is being sent right now. Look again in a moment."]
    assert [attempt.response_status for attempt in house.attempts()] == [202]


def refusal(house: House, delivery: Delivery | None = None, **how: bool) -> str:
    with pytest.raises(Refused) as refused:
        again(house, delivery, **how)
    return str(refused.value)


def test_what_is_queued_goes_by_itself(house: House, connection: Connection) -> None:
    owe(house)

    assert "goes out by itself" in refusal(house)


def test_a_paused_connection_sends_only_when_that_is_asked_for(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    failed(house, connection, klaviyo)
    owe(house, declined(2))
    house.change(connection, active=False)
    house.send(connection)
    first, second = house.deliveries()
    assert (second.status, second.reason) == ("held", "connection_paused")

    assert "The connection is paused." in refusal(house, first)
    again(house, first, despite_pause=True)
    house.send(connection)

    assert [delivery.status for delivery in house.deliveries()] == ["accepted", "held"]
    assert not house.connection(connection).active


def test_what_was_asked_for_is_held_by_a_pause_that_comes_after_it(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    from vrio_klaviyo.store.holding import CONNECTION_PAUSED, hold_owed

    failed(house, connection, klaviyo)
    again(house)
    house.change(connection, active=False)
    with house.db.write() as session:
        hold_owed(session, [connection.id], CONNECTION_PAUSED)
    house.send(connection)

    assert (house.delivery().status, len(house.attempts())) == ("held", 1)


@pytest.mark.parametrize(
    ("change_", "sentence"),
    [
        ({"push_events": False}, "Push Events is off"),
        ({"key_status": KeyStatus.REJECTED}, "does not take the connection's key"),
    ],
)
def test_what_would_be_stopped_again_is_refused(
    house: House, connection: Connection, klaviyo: Klaviyo, change_: dict[str, Any], sentence: str
) -> None:
    failed(house, connection, klaviyo)
    house.change(connection, **change_)

    assert sentence in refusal(house)


def test_what_was_held_may_be_tried(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    owe(house)
    house.change(house.delivery(), status="held", reason="endpoint_refused", next_attempt_at=None)
    again(house)
    house.send(connection)

    assert house.delivery().status == "accepted"


def test_a_body_that_was_removed_is_not_sent(house: House, connection: Connection, klaviyo: Klaviyo) -> None:
    delivery = failed(house, connection, klaviyo)
    with house.db.write() as session:
        retention.empty_deliveries(session, [delivery.id], NOON)

    assert refusal(house) == "Its bodies were removed on 30 Aug 2026; nothing is left to send."


def test_an_unknown_delivery_is_not_found(house: House) -> None:
    with pytest.raises(NotFound, match="dl_none"), house.db.write() as session:
        send_again(session, "dl_none", NOON)


@pytest.mark.requirement("003-67")
def test_what_came_while_paused_goes_when_a_person_sends_it(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    house.change(connection, active=False)
    owe(house)
    assert house.delivery().reason == "connection_paused"
    house.change(connection, active=True)
    again(house)
    house.send(connection)

    assert (house.delivery().status, house.delivery().reason) == ("accepted", "")
    assert [event["unique_id"] for event in klaviyo.events()] == ["1001"]


def test_what_came_before_the_activation_goes_when_a_person_sends_it(house: House, connection: Connection) -> None:
    house.change(connection, activated_at=NOON + timedelta(hours=1))
    owe(house)
    assert house.delivery().reason == "before_activation"
    again(house)
    house.send(connection)

    assert house.delivery().status == "accepted"


def test_what_the_gate_still_keeps_back_is_refused_with_what_to_do(house: House, connection: Connection) -> None:
    house.change(connection, campaigns=["99"])
    owe(house)
    assert house.delivery().reason == "campaign_not_selected"

    assert "Add the campaign to the connection" in refusal(house)
    house.change(connection, campaigns=["1", "99"])
    again(house)
    house.send(connection)
    assert house.delivery().status == "accepted"


def test_what_had_a_second_reason_is_not_let_through_by_the_first(house: House, connection: Connection) -> None:
    house.change(connection, active=False, campaigns=["99"])
    owe(house)
    assert house.delivery().reason == "connection_paused"
    house.change(connection, active=True)

    assert "Add the campaign to the connection" in refusal(house)


def test_a_reason_against_which_nothing_helps_is_told(house: House, connection: Connection) -> None:
    owe(house, declined(email=""))

    assert "has no e-mail address" in refusal(house)


def test_what_was_promised_anew_is_not_promised_twice(house: House, connection: Connection) -> None:
    house.change(connection, active=False)
    owe(house)
    house.change(connection, active=True)
    owe(house, declined() | {"webhook_event_id": 9999})
    skipped, queued = house.deliveries()

    assert refusal(house, skipped) == f"The same was promised anew since: see {queued.id}."


def test_a_subscription_that_was_paused_can_be_sent_again_too(house: House, connection: Connection) -> None:
    """Its webhook tells a change, and what it changed from is not remembered any more."""
    owe(house, sample(SALE))
    offer = sample("order_offer_updated_paused")
    house.change(connection, active=False)
    owe(house, offer)
    house.change(connection, active=True)
    skipped = [delivery for delivery in house.deliveries() if delivery.status == "skipped"]
    assert skipped
    for delivery in skipped:
        again(house, delivery)
    house.settle(connection)

    assert {delivery.status for delivery in house.deliveries()} == {"accepted"}


def test_it_goes_out_with_what_comes_in_and_starts_to_count_anew(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    delivery = failed(house, connection, klaviyo)
    house.change(delivery, tries=12, deaths=3, lane_order=2)
    again(house)

    asked = house.delivery()
    assert (asked.status, asked.lane_order, asked.tries, asked.deaths) == ("queued", LIVE, 0, 0)
    assert (asked.next_trigger, asked.queued_at, asked.finished_at) == ("manual", house.clock(), None)


def test_a_failure_that_was_looked_at_comes_back_when_it_fails_again(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    delivery = failed(house, connection, klaviyo)
    with house.db.write() as session:
        assert resending.look_at(session, [delivery.id, "dl_none"], house.clock()) == 1
    assert house.delivery().looked_at == house.clock()
    klaviyo.fault("status", status=400)
    again(house)
    house.send(connection)

    assert (house.delivery().status, house.delivery().looked_at) == ("failed", None)


def test_a_failure_that_was_looked_at_can_be_counted_again(
    house: House, connection: Connection, klaviyo: Klaviyo
) -> None:
    delivery = failed(house, connection, klaviyo)
    with house.db.write() as session:
        resending.look_at(session, [delivery.id], house.clock())
        assert resending.look_at(session, [delivery.id], None) == 1

    assert house.delivery().looked_at is None


def test_a_revoked_key_holds_it_like_any_other(house: House, klaviyo: Klaviyo) -> None:
    connection = house.connect("Revoked", REVOKED_KEY)
    owe(house)
    house.change(house.delivery(), status="failed", next_attempt_at=None)
    again(house)
    house.send(connection)

    assert (house.delivery().status, house.delivery().reason) == ("held", "key_rejected")
