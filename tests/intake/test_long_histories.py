"""A customer who has bought very often: read once, while nobody waits, and summed up as exactly as any other."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, insert

from tests.bodies import SALE, declined, sample
from tests.building import NOON, House
from tests.intake.taken import request_of
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.memory import LONG, MOST_AT_ONCE, RecordRow
from vrio_klaviyo.vrio import keeping
from vrio_klaviyo.vrio.records import Customer, Order, OrderOffer, Transaction


def bought(house: House, sales: int) -> None:
    """As if the customer had bought this often, for 10.00 each, before anybody looks."""
    whose = {"source_id": house.source.id, "vrio_customer_id": "68441", "as_of": NOON.replace(year=2025)}
    rows = []
    for number in range(sales):
        order_id, line_id, paid_id = f"5{number:06}", f"6{number:06}", f"7{number:06}"
        line = OrderOffer(order_offer_id=line_id, order_id=order_id, customer_id="68441", is_test=False)
        paid = Transaction(
            transaction_id=paid_id,
            kind="sale",
            approved=True,
            order=Order(order_id=order_id, is_test=False),
            customer=Customer(customer_id="68441"),
            total=Decimal("10.00"),
            completed_at=NOON.replace(year=2025),
            offers=(line,),
        )
        order = Order(order_id=order_id, customer_id="68441", is_test=False)
        things = {("transaction", paid_id): paid, ("order", order_id): order, ("order_offer", line_id): line}
        for (kind, vrio_id), thing in things.items():
            rows.append(whose | {"kind": kind, "vrio_id": vrio_id, "body": keeping.dumps(thing)})
    with house.db.write() as session:
        session.execute(insert(RecordRow), rows)


def paid(number: int, total: str = "5.00", **changes: Any) -> dict[str, Any]:
    """One more payment of the same customer, on an order of its own."""
    at = f"2026-08-30 10:{number:02}:00"
    body = sample(SALE) | {"webhook_event_id": f"paid {number}", "webhook_event_date": at}
    transaction = body["webhook_data"]["transaction"]
    transaction |= {"id": str(9000 + number), "date_complete": at, "date_modified": at, "transaction_total": total}
    transaction |= changes
    transaction["order"] |= {"id": str(8000 + number)}
    transaction["customer"] |= {"id": "68441", "date_modified": at}
    transaction["order"]["customer_id"] = "68441"
    return body


def one_after_the_other(house: House, *bodies: dict[str, Any]) -> list[str]:
    """Work these off in one run, each in a batch of its own."""
    ids = [house.post(body) for body in bodies]
    house.take_in(longest_batch_s=0)
    return ids


def values(house: House) -> list[Any]:
    """The customer's lifetime value as each payment told it."""
    placed = [one for one in house.deliveries() if one.metric == "Placed Order"]
    return [request_of(one).profile.properties["CLV"] for one in placed]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every text of JSON that is read from now on."""
    texts: list[bytes] = []
    noting(monkeypatch, texts.append)
    return texts


def noting(monkeypatch: pytest.MonkeyPatch, note: Callable[[Any], None]) -> None:
    loads = json.loads

    def noted(text: Any, **options: Any) -> Any:
        note(text)
        return loads(text, **options)

    monkeypatch.setattr(json, "loads", noted)


def test_of_a_long_history_only_the_payments_are_read_and_these_once(
    house: House, connection: Connection, parsed: list[bytes]
) -> None:
    bought(house, LONG)
    one_after_the_other(house, *map(paid, range(8)))

    theirs = [text for text in parsed if isinstance(text, bytes) and b'"2025-08-30T' in text]
    assert len(theirs) == LONG
    orders_and_lines = [text for text in parsed if isinstance(text, bytes) and text.startswith(b'{"order_')]
    assert len(orders_and_lines) < LONG
    assert values(house) == [10 * LONG + 5 * number for number in range(1, 9)]


def test_while_a_long_history_is_read_others_may_post(
    house: House, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought(house, MOST_AT_ONCE // 2)
    other = house.add_source("Other")
    house.post(paid(1))
    posted: list[str] = []

    def post(text: Any) -> None:
        if isinstance(text, bytes) and b'"7000100"' in text and not posted:
            posted.append("")
            posted.append(house.post(declined(), other))

    noting(monkeypatch, post)
    house.take_in()

    assert house.inbound(posted[1]).status == "received"
    assert values(house) == [10 * (MOST_AT_ONCE // 2) + 5]


def test_what_there_is_no_time_for_is_given_back(house: House, connection: Connection) -> None:
    ids = [house.post(declined(number)) for number in range(5)]
    looked: list[bool] = []

    def after_one_batch() -> bool:
        looked.append(True)
        return len(looked) > 1

    house.take_in(longest_batch_s=0, stopping=after_one_batch)
    events = [house.inbound(one) for one in ids]
    assert [(one.status, one.starts) for one in events] == [("processed", 1)] + [("received", 0)] * 4
    assert house.bells[-1] == ("intake", house.source.id)

    house.take_in(longest_batch_s=0)
    assert {(house.inbound(one).status, house.inbound(one).starts) for one in ids} == {("processed", 1)}
    assert [one.unique_id for one in house.deliveries()] == [str(1000 + number) for number in range(5)]


def test_what_was_forgotten_between_two_batches_is_not_known_any_more(house: House, connection: Connection) -> None:
    bought(house, LONG)
    looked: list[bool] = []

    def forget_before_the_second_batch() -> bool:
        looked.append(True)
        if len(looked) == 2:
            with house.db.write() as session:
                session.execute(delete(RecordRow).where(RecordRow.vrio_customer_id == "68441"))
        return False

    ids = [house.post(paid(number)) for number in (1, 2)]
    house.take_in(longest_batch_s=0, stopping=forget_before_the_second_batch)

    assert {house.inbound(one).status for one in ids} == {"processed"}
    assert values(house) == [10 * LONG + 5, 5]


def test_a_long_history_is_summed_up_like_any_other(house: House, connection: Connection) -> None:
    """A refund, a repeat, an order that turns out to be a test, and what is somebody else's after all, each at once."""
    bought(house, LONG)
    refund = sample("transaction_completed_refund_full") | {"webhook_event_id": "refund"}
    credit = refund["webhook_data"]["transaction"]
    credit |= {"id": "9900", "transaction_parent_id": "9001", "transaction_total": "5.00"}
    credit["order"] |= {"id": "8001", "customer_id": "68441"}
    credit["customer"] |= {"id": "68441"}
    test = paid(4)
    test["webhook_data"]["transaction"]["order"] |= {"id": "8003", "is_test": True}
    moved = paid(5, "1.00", id="9002")
    moved["webhook_data"]["transaction"]["customer"]["id"] = "301"
    moved["webhook_data"]["transaction"]["order"] |= {"id": "8002", "customer_id": "301"}
    again = paid(2, "7.00") | {"webhook_event_id": "again"}
    bodies = (paid(1), paid(2), refund, again, paid(3), test, moved, paid(6))
    ids = one_after_the_other(house, *bodies)

    assert {house.inbound(one).status for one in ids} == {"processed"}
    told = {one.inbound_event_id: request_of(one).profile.properties["CLV"] for one in house.deliveries() if one.metric}
    paid_before = 10 * LONG
    assert [told.get(one, 0) for one in ids] == [
        paid_before + 5,
        paid_before + 10,
        paid_before + 5,
        0,
        paid_before + 12,
        paid_before + 7,
        0,
        paid_before + 5,
    ]
