"""Customers at a glance: one line for each, bound to what is theirs."""

from tests.bodies import declined
from tests.building import House
from vrio_klaviyo.store.customers import ProfileLink
from vrio_klaviyo.store.glances import Glance, customers_in_order, glances_at
from vrio_klaviyo.store.ids import moment_of_id


def glances(house: House) -> dict[str, Glance]:
    with house.db.read() as session:
        found = glances_at(session, house.customers())
    return {customer.vrio_id: found[customer.id] for customer in house.customers()}


def test_nobody_has_heard_of_somebody_new(house: House) -> None:
    house.owe(house.connect(), customer=1)
    with house.db.write() as session:
        for delivery in house.deliveries():
            session.delete(session.merge(delivery))

    assert glances(house)["1"] == Glance(None, None, (), False)


def test_the_last_request_and_what_stands_still_are_told(house: House) -> None:
    connection = house.connect()
    house.owe(connection, 1, customer=1, skip_reason="metric_off")
    last = house.owe(connection, 2, customer=1)
    house.owe(connection, 3, customer=2)

    told = glances(house)

    assert told["1"].last is not None
    assert told["1"].last.id == last.id
    assert told["1"].amiss == ("skipped",)
    assert told["2"].amiss == ()


def test_the_last_webhook_is_told_by_its_time(house: House) -> None:
    house.connect()
    inbound_id = house.post(declined(7))
    house.take_in()

    assert glances(house)["301"].heard_at == moment_of_id(inbound_id)


def test_a_refused_number_counts_as_long_as_it_is_theirs(house: House) -> None:
    connection = house.connect()
    house.post(declined(7, phone="(555) 123-4567"))
    house.take_in()
    (customer,) = house.customers()
    for refused, theirs in (("+15551234567", True), ("+15559999999", False)):
        with house.db.write() as session:
            session.merge(ProfileLink(connection_id=connection.id, customer_id=customer.id, refused_phone=refused))

        assert glances(house)["301"].phone_refused is theirs


def test_customers_come_in_the_order_asked_for_and_from_one_workspace(house: House) -> None:
    connection = house.connect()
    for number in (1, 2, 3):
        house.owe(connection, number, customer=number)
    ids = [customer.id for customer in house.customers()]
    with house.db.read() as session:
        found = customers_in_order(session, house.source.workspace_id, [ids[2], ids[0], "cu_nobody"])
        assert [customer.id for customer in found] == [ids[2], ids[0]]
        assert customers_in_order(session, "ws_other", ids) == []
