"""Memory: the latest picture of each thing, whatever comes when."""

import json
from datetime import timedelta

import pytest

from tests.building import NOON, House
from vrio_klaviyo.store.memory import Memory, Picture


def remember(house: House, seconds: int = 0, *, kind: str = "order", vrio_id: str = "1253", **said: str) -> None:
    with house.db.write() as session:
        picture = Picture(kind, vrio_id, "301", NOON + timedelta(seconds=seconds), json.dumps(said).encode())
        Memory(session, house.source.id).remember([picture])


def recalled(house: House, kind: str = "order", vrio_id: str = "1253", source_id: str = "") -> dict[str, str] | None:
    with house.db.read() as session:
        picture = Memory(session, source_id or house.source.id).recall(kind, vrio_id)
    return picture and json.loads(picture.body)


def test_what_was_never_told_is_not_known(house: House) -> None:
    assert recalled(house) is None


@pytest.mark.requirement("003-D")
@pytest.mark.parametrize(("second", "kept"), [(1, "paused"), (0, "paused"), (-1, "active")])
def test_only_a_picture_that_is_not_older_replaces_what_is_known(house: House, second: int, kept: str) -> None:
    remember(house, status="active")
    remember(house, second, status="paused")

    assert recalled(house) == {"status": kept}


@pytest.mark.requirement("003-C", "003-D")
@pytest.mark.parametrize("second", [1, -1])
def test_what_one_picture_leaves_out_another_tells(house: House, second: int) -> None:
    remember(house, campaign_id="7")
    remember(house, second, status="paused")

    assert recalled(house) == {"campaign_id": "7", "status": "paused"}


def test_several_things_are_recalled_together(house: House) -> None:
    for number in ("1253", "1254"):
        remember(house, vrio_id=number, number=number)
    remember(house, kind="transaction", vrio_id="1253")

    with house.db.read() as session:
        found = Memory(session, house.source.id).recall_these([("order", "1253"), ("order", "1254"), ("order", "9")])
    assert sorted(json.loads(picture.body)["number"] for picture in found) == ["1253", "1254"]


def test_one_webhook_may_tell_of_a_thing_twice(house: House) -> None:
    with house.db.write() as session:
        said = (b'{"status": "active"}', b'{"status": "paused"}')
        Memory(session, house.source.id).remember(Picture("order", "1253", "301", NOON, body) for body in said)

    assert recalled(house) == {"status": "paused"}


def test_things_are_told_apart_by_kind_id_and_source(house: House) -> None:
    remember(house, is_a="order")
    remember(house, kind="customer", is_a="customer")
    remember(house, vrio_id="1254", is_a="another")

    assert recalled(house) == {"is_a": "order"}
    assert recalled(house, "customer") == {"is_a": "customer"}
    assert recalled(house, vrio_id="1254") == {"is_a": "another"}
    assert recalled(house, source_id=house.add_source("Other").id) is None


def test_all_things_of_a_customer_are_found(house: House) -> None:
    remember(house, vrio_id="1253", is_a="order")
    remember(house, vrio_id="1254", is_a="another")
    remember(house, kind="customer", vrio_id="301", is_a="customer")

    with house.db.read() as session:
        memory = Memory(session, house.source.id)
        found = {(picture.kind, picture.vrio_id) for picture in memory.told_of("301")}
        assert found == {("order", "1253"), ("order", "1254"), ("customer", "301")}
        assert memory.told_of("302") == []


def test_any_text_can_be_remembered(house: House) -> None:
    remember(house, is_a='\x00\ud800"')

    assert recalled(house) == {"is_a": '\x00\ud800"'}
