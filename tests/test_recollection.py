"""What we know of a customer's things, of which as few as possible are read."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.building import NOON, House
from vrio_klaviyo.recollection import Recollection, pictures_of
from vrio_klaviyo.store.memory import Memory
from vrio_klaviyo.vrio.records import Customer, Order, OrderOffer, Record, Transaction

A = OrderOffer(order_offer_id="4001", order_id="1253", customer_id="301", is_recurring=True, status="active")
B = OrderOffer(order_offer_id="4002", order_id="1254", customer_id="301", is_recurring=True, is_gift=True)


def paid(number: int, *lines: OrderOffer, total: str = "10.00", **said: Any) -> Transaction:
    told: dict[str, Any] = {"kind": "sale", "approved": True, "order": Order(order_id=f"125{number}")}
    told |= {"offers": lines, "total": Decimal(total), "customer": Customer(customer_id="301")}
    return Transaction(transaction_id=f"{number}", **told | said)


def order(number: int, *, is_test: bool = False) -> Order:
    return Order(order_id=f"125{number}", customer_id="301", status="complete", is_test=is_test)


def recalled(house: House, *records: Record) -> Recollection:
    """What is known after these were told, one after the other, and each was looked at."""
    with house.db.write() as session:
        known = Recollection(Memory(session, house.source.id))
        for number, record in enumerate(records):
            known.lifetime_value_of("301", "USD"), known.subscriptions_of("301"), known.latest_order_of("301")
            known.memory.remember(pictures_of(record, NOON + timedelta(seconds=number), NOON + timedelta(days=1)))
        # While its session is open; all of it has been read by then.
        known.transactions_of("301"), known.offers_of("301"), known.orders_of("301")
    return known


def test_what_was_paid_follows_the_news(house: House) -> None:
    known = recalled(house, paid(3), paid(4), paid(4, total="7.00"), paid(5, kind="refund", total="2.00"))

    assert known.lifetime_value_of("301", "USD") == Decimal("15.00")


def test_an_order_that_turns_out_to_be_a_test_does_not_count(house: House) -> None:
    known = recalled(house, A, paid(3), paid(4), order(3, is_test=True))

    assert known.lifetime_value_of("301", "USD") == Decimal("10.00")
    assert known.subscriptions_of("301") == []


def test_an_order_that_turns_out_to_be_no_test_counts_again(house: House) -> None:
    known = recalled(house, A, paid(3), order(3, is_test=True), order(3))

    assert [offer.order_offer_id for offer in known.subscriptions_of("301")] == ["4001"]
    assert known.lifetime_value_of("301", "USD") == Decimal("10.00")


def test_gifts_and_what_is_bought_once_are_no_subscriptions(house: House) -> None:
    once = OrderOffer(order_offer_id="4003", order_id="1253", customer_id="301", is_recurring=False)
    known = recalled(house, A, B, once)

    assert [offer.order_offer_id for offer in known.subscriptions_of("301")] == ["4001"]
    assert len(known.offers_of("301")) == 3


def test_the_latest_order_is_none_that_calls_itself_a_test(house: House) -> None:
    earlier = Order(order_id="999", customer_id="301", status="complete")
    latest = recalled(house, earlier, order(3), order(4, is_test=True)).latest_order_of("301")

    assert latest is not None
    assert latest.order_id == "1253"


def test_the_transactions_that_name_an_id_are_among_all_of_them(house: House) -> None:
    odd = OrderOffer(order_offer_id='ü"\\1', customer_id="301")
    known = recalled(house, paid(3, A), paid(4, B), paid(5, A, odd), paid(6, kind="refund", parent_id="3"))

    def naming(*ids: str) -> list[str]:
        return sorted(one.transaction_id for one in known.transactions_naming("301", ids))

    assert naming("4001") == ["3", "5"]
    assert naming("4001", "4002") == ["3", "4", "5"]
    assert naming('ü"\\1') == ["5"]
    assert naming("3") == ["3", "6"]
    assert naming("1254") == ["4"]
    assert naming("", "9") == []
