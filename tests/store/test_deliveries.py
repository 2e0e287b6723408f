"""Deliveries: found and listed by what is asked for."""

import pytest

from tests.building import House
from vrio_klaviyo.errors import NotFound
from vrio_klaviyo.store import deliveries
from vrio_klaviyo.store.connections import Connection


def test_deliveries_are_listed_by_what_is_asked_for(house: House, connection: Connection) -> None:
    first, second = house.owe(connection, 1), house.owe(connection, 2, customer=302)
    house.change(second, status="failed")
    with house.db.read() as session:

        def listed(**wanted: object) -> list[str]:
            return [one.id for one in deliveries.list_deliveries(session, **wanted)]  # type: ignore[arg-type]

        assert listed() == [second.id, first.id]
        assert listed(status="failed") == [second.id]
        assert listed(metric="Placed Order") == []
        assert listed(customer_ids=[first.customer_id]) == [first.id]
        assert listed(customer_ids=[]) == []
        assert listed(inbound_event_id=first.inbound_event_id, connection_id=connection.id) == [first.id]
        assert listed(limit=1) == [second.id]
        assert deliveries.counts_of_inbound(session, [first.inbound_event_id, "in_none"]) == {first.inbound_event_id: 1}
        assert deliveries.find_delivery(session, first.id).unique_id == "1001"
        with pytest.raises(NotFound, match="dl_none"):
            deliveries.find_delivery(session, "dl_none")
