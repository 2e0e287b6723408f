"""Arrivals: what comes at the same moment is kept together, and each sender hears of its own webhook."""

from concurrent.futures import ThreadPoolExecutor

from tests.building import NOON, House
from vrio_klaviyo.store.arrivals import Arrivals
from vrio_klaviyo.store.db import DatabaseError
from vrio_klaviyo.store.keeping import Envelope, Kept

COUNT = 24


def kept(house: House, keys: list[str], source_ids: dict[str, str] | None = None) -> list[Kept | DatabaseError]:
    """What becomes of webhooks that all wait before the first of them can be written."""
    arrivals = Arrivals(house.db)

    def keep(key: str) -> Kept | DatabaseError:
        source_id = (source_ids or {}).get(key, house.source.id)
        try:
            return arrivals.keep(source_id, Envelope("order", "order_updated", key), key.encode(), key, NOON)
        except DatabaseError as error:
            return error

    with ThreadPoolExecutor(len(keys)) as pool:
        with house.db.write() as session:
            house_row = session.get_one(type(house.source), house.source.id)
            house_row.name = "Somebody writes"
            session.flush()
            found = [pool.submit(keep, key) for key in keys]
        return [one.result() for one in found]


def test_all_that_come_at_once_are_kept_each_with_its_own_body(house: House) -> None:
    keys = [f"key {number}" for number in range(COUNT)]

    found = kept(house, keys)

    for key, one in zip(keys, found, strict=True):
        assert isinstance(one, Kept)
        assert not one.duplicate
        assert house.inbound(one.id).body == key.encode()


def test_of_the_same_webhook_at_once_one_is_the_first(house: House) -> None:
    found = [one for one in kept(house, ["the same"] * COUNT) if isinstance(one, Kept)]

    assert len(found) == COUNT
    assert len({one.id for one in found}) == 1
    assert sum(not one.duplicate for one in found) == 1


def test_one_that_cannot_be_kept_takes_no_other_with_it(house: House) -> None:
    keys = [f"key {number}" for number in range(COUNT)]

    found = kept(house, keys, {"key 7": "so_nobody"})

    assert [key for key, one in zip(keys, found, strict=True) if isinstance(one, DatabaseError)] == ["key 7"]
