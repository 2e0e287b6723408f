"""What belongs to which workspace: directly, through its connection or through its source."""

import pytest
from sqlalchemy import update

from tests.bodies import declined
from tests.building import House
from vrio_klaviyo.errors import NotFound
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.customers import Customer
from vrio_klaviyo.store.db import Base, Database
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.leases import LeaseRow
from vrio_klaviyo.store.sources import Source
from vrio_klaviyo.store.tenancy import belongs_to, find_in
from vrio_klaviyo.store.workspaces import add_workspace, find_workspace


@pytest.fixture
def things(database: Database) -> list[tuple[type[Base], str]]:
    """One of each, in the workspace `default`."""
    house = House(database)
    connection = house.connect()
    delivery = house.owe(connection)
    inbound = house.post(declined(2))
    (customer,) = house.customers()
    house.close()
    return [
        (Source, house.source.id),
        (Connection, connection.id),
        (Customer, customer.id),
        (InboundEvent, inbound),
        (Delivery, delivery.id),
    ]


def test_what_is_of_this_workspace_is_found(database: Database, things: list[tuple[type[Base], str]]) -> None:
    with database.read() as session:
        workspace = find_workspace(session).id
        for model, thing_id in things:
            assert find_in(session, workspace, model, thing_id).id == thing_id  # type: ignore[attr-defined]
            with pytest.raises(NotFound):
                find_in(session, workspace, model, thing_id[:-1])


def test_what_is_of_another_workspace_is_not_found(database: Database, things: list[tuple[type[Base], str]]) -> None:
    with database.write() as session:
        other = add_workspace(session, "Other").id
        for model, thing_id in things:
            with pytest.raises(NotFound):
                find_in(session, other, model, thing_id)
        # The houses move, and all that is in them moves along.
        here = find_workspace(session).id
        for model in (Source, Connection, Customer):
            session.execute(update(model).values(workspace_id=other))
        for model, thing_id in things:
            assert find_in(session, other, model, thing_id)
            with pytest.raises(NotFound):
                find_in(session, here, model, thing_id)


def test_what_belongs_to_nobody_cannot_be_asked_for() -> None:
    with pytest.raises(TypeError, match="LeaseRow belongs to no workspace"):
        belongs_to(LeaseRow, "ws_1")
