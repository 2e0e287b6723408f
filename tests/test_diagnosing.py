"""Why didn't it arrive: each of the page's checks fails alone when its condition is broken, and the rest is told."""

from typing import Any

import pytest

from sandbox.klaviyo import REVOKED_KEY
from tests.bodies import declined, sample
from tests.building import House
from tests.steered import Klaviyo
from vrio_klaviyo.connecting import check_connection
from vrio_klaviyo.diagnosing import ACTIVE, CAMPAIGNS, EMAIL, KEY, PUSH_EVENTS, Diagnoses, diagnose
from vrio_klaviyo.findings import State
from vrio_klaviyo.store.connections import Connection, KeyStatus

JOHN = "john@acme.test"


@pytest.fixture
def connection(house: House) -> Connection:
    """A connection whose key Klaviyo takes."""
    made = house.connect()
    check_connection(house.db, house.vault, house.http, house.klaviyo_url, made.id, house.clock())
    return made


def told(house: House, who: str = JOHN) -> Diagnoses:
    with house.db.read() as session:
        return diagnose(session, house.source.workspace_id, who)


def states(found: Diagnoses) -> dict[str, State]:
    (one,) = found.by_connection
    return {check.name: check.state for check in one.checks}


def said(found: Diagnoses) -> str:
    """All clues together."""
    return "\n".join(clue.sentence for clue in [*found.clues, *(c for each in found.by_connection for c in each.clues)])


def arrived(house: House, body: dict[str, Any]) -> None:
    house.post(body)
    house.take_in()


def test_a_customer_whose_events_arrive_passes_all_five_checks(house: House, connection: Connection) -> None:
    arrived(house, declined())
    house.settle(connection)

    found = told(house, " John@Acme.test ")

    assert states(found) == dict.fromkeys((PUSH_EVENTS, KEY, ACTIVE, CAMPAIGNS, EMAIL), State.OK)
    assert [delivery.status for delivery in found.by_connection[0].last] == ["accepted"]
    assert (found.faults, said(found)) == ([], "")


@pytest.mark.requirement("003-63", "003-65", "003-66", "003-69")
@pytest.mark.parametrize(
    ("broken", "name"),
    [
        ({"push_events": False}, PUSH_EVENTS),
        ({"active": False}, ACTIVE),
        ({"campaigns": ["12"]}, CAMPAIGNS),
        ({"key_status": KeyStatus.REJECTED, "key_reason": "401"}, KEY),
        ({"scopes": {"profiles:read": "no"}}, KEY),
    ],
)
def test_a_broken_condition_fails_exactly_its_check_and_says_where_to_put_it_right(
    house: House, connection: Connection, broken: dict[str, Any], name: str
) -> None:
    arrived(house, declined())
    house.change(connection, **broken)

    found = told(house)

    assert {check for check, state in states(found).items() if state != State.OK} == {name}
    (fault,) = found.faults
    assert fault.remedy
    assert fault.target.startswith(f"connection:{connection.id}:")


@pytest.mark.requirement("003-67")
def test_a_bad_address_and_none_at_all_fail_the_check_of_the_address(house: House, connection: Connection) -> None:
    arrived(house, declined(email="john@acme"))
    arrived(house, declined(2, customer=302, email=""))
    bad, without = house.customers()

    for customer, sentence in ((bad, "The address cannot be one."), (without, "The customer has no e-mail address.")):
        found = told(house, customer.id)
        (fault,) = found.faults
        assert (fault.name, fault.sentence, fault.target) == (EMAIL, sentence, f"customer:{customer.id}")
        assert "Not sent, once of late" in said(found)


@pytest.mark.requirement("003-64")
def test_what_klaviyo_says_of_the_key_is_told(house: House) -> None:
    connection = house.connect(key=REVOKED_KEY)
    assert states(told(house))[KEY] == State.UNKNOWN
    check_connection(house.db, house.vault, house.http, house.klaviyo_url, connection.id, house.clock())

    (fault,) = told(house).faults
    assert fault.name == KEY
    assert "Klaviyo does not know this key" in fault.sentence


def test_a_filter_cannot_be_judged_for_a_customer_whose_campaign_nobody_told(
    house: House, connection: Connection
) -> None:
    house.change(connection, campaigns=["12"])

    assert states(told(house))[CAMPAIGNS] == State.UNKNOWN


def test_each_connection_is_judged_by_itself(house: House, connection: Connection) -> None:
    other = house.connect("Other", active=False)

    found = told(house)

    assert [one.connection.id for one in found.by_connection] == [connection.id, other.id]
    assert [fault.target for fault in found.faults] == [f"connection:{other.id}:settings"]


def test_where_nothing_ever_came_the_first_thing_to_do_is_named(house: House) -> None:
    found = told(house)

    assert [clue.sentence for clue in found.clues][:2] == [
        "No webhook from Vrio has ever come.",
        "There is no connection to Klaviyo.",
    ]
    assert found.clues[0].target == f"source:{house.source.id}"


def test_an_address_that_klaviyo_drops_is_named(house: House, connection: Connection) -> None:
    assert "drops them without a word" in said(told(house, "john@example.com"))


@pytest.mark.parametrize(
    ("broken", "clue"),
    [
        ({"metrics_off": ["Declined Order"]}, "The connection does not send Declined Order."),
        ({"metrics_off": ["Declined Order"]}, "Not sent, once of late: This connection does not send this event."),
        ({"activated_at": None}, "The connection was never activated."),
    ],
)
def test_what_a_connection_leaves_out_is_named(
    house: House, connection: Connection, broken: dict[str, Any], clue: str
) -> None:
    house.change(connection, **broken)
    arrived(house, declined())

    assert clue in said(told(house))


def test_a_test_order_is_named(house: House, connection: Connection) -> None:
    body = declined()
    body["webhook_data"]["transaction"]["order"]["is_test"] = True
    arrived(house, body)

    assert "This is a test order." in said(told(house))


def test_a_failure_is_told_with_its_cause(house: House, connection: Connection, served: Klaviyo) -> None:
    served.fault("status", status=400)
    arrived(house, declined())
    house.settle(connection)

    assert "Failed, once of late: Klaviyo did not accept a value of this request" in said(told(house))


def test_what_is_queued_held_or_unread_is_told(house: House, connection: Connection) -> None:
    arrived(house, declined())
    assert "It is in the queue" in said(told(house))
    house.change(connection, key_status=KeyStatus.REJECTED)
    house.send(connection)
    assert "Klaviyo does not take the connection's key." in said(told(house))
    house.post(declined(2))
    assert "Webhooks that came in are not read yet: 1." in said(told(house))


def test_a_webhook_that_makes_nothing_is_told_with_its_reason(house: House, connection: Connection) -> None:
    body = sample("order_updated")
    arrived(house, declined(customer=int(body["webhook_data"]["order"]["customer_id"])))
    for number in (1, 2):
        arrived(house, body | {"webhook_event_id": f"990{number}"})

    assert "Nothing was made of Vrio's order_updated: Vrio sends it for any change" in said(told(house))


def test_another_workspace_s_customer_is_nobody(house: House, connection: Connection) -> None:
    arrived(house, declined())
    with house.db.read() as session:
        found = diagnose(session, "ws_other", JOHN)

    assert (found.customers, found.by_connection) == ([], [])
