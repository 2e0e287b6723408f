"""A catalogue that comes or changes between a sale and its repeat makes nothing count twice."""

import pytest

from tests.bodies import SALE, sample
from tests.building import House
from tests.intake.taken import request_of, taken_in
from vrio_klaviyo.store.catalog import keep_catalog
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.vrio import keeping
from vrio_klaviyo.vrio.catalog import Catalog, CatalogItem, CatalogOffer


def import_catalogue(house: House, *items: tuple[str, str]) -> None:
    """What the offer of the sale consists of, as the merchant imports it."""
    offer = CatalogOffer(offer_id="1", items=tuple(CatalogItem(item_id=item_id, name=name) for item_id, name in items))
    with house.db.write() as session:
        keep_catalog(session, house.source.id, keeping.dumps(Catalog(offers=(offer,))), house.clock())


@pytest.mark.requirement("003-51", "003-53")
def test_a_catalogue_that_comes_between_a_sale_and_its_repeat_makes_no_further_products(
    house: House, connection: Connection
) -> None:
    taken_in(house, sample(SALE))
    import_catalogue(house, ("2", "Vitamin D3"), ("3", "Vitamin K2"))
    taken_in(house, sample(SALE) | {"webhook_event_id": "again"})

    assert [one.unique_id for one in house.deliveries() if one.metric == "Ordered Product"] == ["1668_1"]
    assert [one.unique_id for one in house.deliveries() if one.metric == "Started Subscription"] == ["1668_1_sub"]


@pytest.mark.requirement("003-49", "003-51")
def test_a_connection_that_comes_after_the_catalogue_is_told_of_the_whole_offer_too(
    house: House, connection: Connection
) -> None:
    taken_in(house, sample(SALE))
    import_catalogue(house, ("2", "Vitamin D3"), ("3", "Vitamin K2"))
    later = house.connect("Later")
    taken_in(house, sample(SALE) | {"webhook_event_id": "again"})

    first, second = (
        [request_of(one) for one in house.deliveries(told) if one.metric == "Ordered Product"]
        for told in (connection, later)
    )
    assert [(one.unique_id, one.value, one.properties["ItemName"]) for one in second] == [
        (one.unique_id, one.value, one.properties["ItemName"]) for one in first
    ]


@pytest.mark.requirement("003-51", "003-53")
def test_an_item_that_the_catalogue_replaces_keeps_its_id(house: House, connection: Connection) -> None:
    import_catalogue(house, ("2", "Vitamin D3"), ("3", "Vitamin K2"))
    taken_in(house, sample(SALE))
    import_catalogue(house, ("2", "Vitamin D3"), ("9", "Vitamin K2 drops"))
    taken_in(house, sample(SALE) | {"webhook_event_id": "again"})

    assert [one.unique_id for one in house.deliveries() if one.metric == "Ordered Product"] == ["1668_1", "1668_1-3"]
