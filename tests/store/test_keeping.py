"""Keeping: each webhook once, as it came."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.building import NOON, House
from vrio_klaviyo.store import inbound
from vrio_klaviyo.store.db import DatabaseError
from vrio_klaviyo.store.inbound import InboundStatus
from vrio_klaviyo.store.keeping import Kept


def claimed(house: House, limit: int = 16) -> list[str]:
    with house.db.write() as session:
        return [event.id for event in inbound.claim_received(session, house.source.id, limit)]


def test_a_webhook_is_kept_as_received(house: House) -> None:
    kept = house.keep()

    event = house.inbound(kept.id)
    assert not kept.duplicate
    assert (event.type, event.event, event.event_id) == ("transaction", "transaction_completed", "6001")
    assert (event.status, event.reason, event.starts, event.notes) == (InboundStatus.RECEIVED, "", 0, [])
    assert (event.body, event.received_at, event.finished_at) == (b"{}", NOON, None)


def test_the_same_webhook_is_kept_once_and_the_first_one_named(house: House) -> None:
    first = house.keep()

    assert house.keep() == Kept(first.id, duplicate=True)


def test_the_same_webhook_of_another_source_is_another_one(house: House) -> None:
    house.keep()

    assert not house.keep(source_id=house.add_source("Other").id).duplicate


def test_an_unreadable_webhook_is_at_its_end(house: House) -> None:
    event = house.inbound(house.keep(unreadable="The body is not JSON.").id)

    assert (event.status, event.reason, event.finished_at) == (InboundStatus.UNREADABLE, "The body is not JSON.", NOON)
    assert claimed(house) == []


def test_of_many_who_keep_the_same_at_once_one_is_the_first(house: House) -> None:
    with ThreadPoolExecutor(8) as threads:
        kept = list(threads.map(lambda _: house.keep(), range(16)))

    assert len({one.id for one in kept}) == 1
    assert [one.duplicate for one in kept].count(False) == 1


def test_a_webhook_of_no_source_is_not_kept(house: House) -> None:
    with pytest.raises(DatabaseError):
        house.keep(source_id="so_nowhere")
