"""One test per row of the table: what happened is told by the event's name, its type and its result."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from vrio_klaviyo.vrio import events, routes
from vrio_klaviyo.vrio.records import (
    ChangeKind,
    Customer,
    LineItem,
    Order,
    OrderOffer,
    Record,
    Shipment,
    SubscriptionChange,
    Transaction,
    TransactionKind,
)

SUBSCRIPTION = LineItem(order_offer_id="4001", offer_id="1", is_recurring=True, total=Decimal("29.99"))
SHAKER = LineItem(order_offer_id="4012", offer_id="7", total=Decimal("12.00"))


def transaction(kind: TransactionKind | None, approved: bool | None, *lines: LineItem, cycle: int = 1) -> Transaction:
    return Transaction(transaction_id="1668", kind=kind, approved=approved, lines=lines, cycle=cycle)


ROWS = [
    ("sale", True, (SUBSCRIPTION,), 1, "subscription_sale"),
    ("sale", True, (SUBSCRIPTION, SHAKER), 1, "subscription_sale"),
    ("sale", True, (SUBSCRIPTION,), 2, "subscription_sale"),
    ("sale", True, (SHAKER,), 1, "one_time_sale"),
    ("sale", True, (SHAKER,), 2, "subscription_sale"),
    ("sale", True, (), 1, "one_time_sale"),
    ("capture", True, (SUBSCRIPTION,), 1, "subscription_sale"),
    ("capture", True, (SHAKER,), 1, "one_time_sale"),
    ("sale", False, (SUBSCRIPTION,), 1, "declined"),
    ("capture", False, (SUBSCRIPTION,), 2, "declined"),
    ("auth", False, (SUBSCRIPTION,), 1, "declined"),
    ("auth", True, (SUBSCRIPTION,), 1, "auth"),
    ("refund", True, (), 1, "refund"),
    ("void", True, (), 1, "void"),
    ("chargeback", True, (), 1, "chargeback"),
    ("alert", True, (), 1, "alert"),
    ("alert", None, (), 1, "alert"),
    ("cod", True, (), 1, "cod"),
    ("chargeback reversal", True, (), 1, "chargeback_reversal"),
    ("returned check", True, (), 1, "returned_check"),
    ("refund", False, (), 1, "declined_credit"),
    ("void", False, (), 1, "declined_credit"),
    ("chargeback", False, (), 1, "declined_credit"),
    ("cod", False, (), 1, "declined_credit"),
    ("sale", None, (SUBSCRIPTION,), 1, "payment_of_unknown_result"),
    ("auth", None, (), 1, "payment_of_unknown_result"),
    (None, True, (SUBSCRIPTION,), 1, "transaction_of_unknown_type"),
    (None, None, (), 1, "transaction_of_unknown_type"),
]


@pytest.mark.requirement("003-28b", "003-30", "003-31", "003-36")
@pytest.mark.parametrize(("kind", "approved", "lines", "cycle", "happened"), ROWS)
def test_a_completed_transaction_is_told_by_type_and_result(
    kind: TransactionKind | None, approved: bool | None, lines: tuple[LineItem, ...], cycle: int, happened: str
) -> None:
    record = transaction(kind, approved, *lines, cycle=cycle)
    assert routes.trigger("transaction_completed", record) == happened
    assert routes.is_known("transaction_completed", record)


def test_what_is_left_shipped_or_new_is_told_by_the_event_and_the_thing() -> None:
    assert routes.trigger("order_abandonned", Order()) == "cart_abandoned"
    assert routes.trigger("order_abandoned", Order()) == "cart_abandoned"
    assert routes.trigger("shipment_shipped", Shipment()) == "parcel_shipped"
    assert routes.trigger("customer_created", Customer()) == "customer_created"


@pytest.mark.requirement("003-45", "003-46", "003-47", "003-48")
@pytest.mark.parametrize("kind", ["cancelled", "paused", "unpaused", "reactivated"])
def test_a_changed_subscription_is_told_by_its_change(kind: ChangeKind) -> None:
    change = SubscriptionChange(kind=kind, offer=OrderOffer(), at=datetime(2025, 9, 1, tzinfo=UTC))
    assert routes.trigger("order_offer_updated", change) == f"subscription_{kind}"
    (request,) = routes.requests_for("order_offer_updated", change)
    assert request.metric == f"{kind.capitalize()} Subscription"
    assert routes.ignored_because("order_offer_updated", change) is None


@pytest.mark.parametrize("event", ["order_offer_updated", "order_offer_cancelled"])
def test_an_order_offer_of_which_no_change_was_made_is_ignored(event: str) -> None:
    assert routes.requests_for(event, OrderOffer()) == []
    assert "Nothing changed" in (routes.ignored_because(event, OrderOffer()) or "")


@pytest.mark.parametrize("event", sorted({*routes.ROUTES, "transaction_completed", "shipment_shipped"}))
@pytest.mark.parametrize("record", [None, Order(order_id="1253"), OrderOffer(), Transaction(transaction_id="1668")])
def test_an_event_that_only_has_the_name_of_a_row_is_unknown(event: str, record: Record | None) -> None:
    if event != "transaction_completed" or not isinstance(record, Transaction):
        assert not routes.is_known(event, record)
        assert routes.requests_for(event, record) == []


@pytest.mark.parametrize("event", sorted(set(routes.IGNORED) - {row[-1] for row in ROWS}))
def test_an_event_that_says_nothing_is_known_and_ignored_with_a_reason(event: str) -> None:
    assert routes.trigger(event, Order(order_id="1253")) == event
    assert routes.is_known(event, None)
    assert routes.requests_for(event, None) == []
    assert re.fullmatch(r"[A-Z][^.]+\.", routes.ignored_because(event, None) or "")


@pytest.mark.parametrize("event", ["order_gift_wrapped", "", "Sale", "transaction_complete"])
def test_a_name_in_neither_table_is_unknown(event: str) -> None:
    assert not routes.is_known(event, None)
    assert routes.ignored_because(event, None) is None
    assert routes.requests_for(event, None) == []


def test_a_completed_transaction_without_a_transaction_is_unknown() -> None:
    assert not routes.is_known("transaction_completed", Order(order_id="1253"))


def test_no_row_is_in_both_tables() -> None:
    assert not set(routes.ROUTES) & set(routes.IGNORED)


def test_what_makes_requests_is_not_ignored() -> None:
    assert routes.ignored_because("transaction_completed", transaction("sale", True, SHAKER)) is None


def test_every_metric_that_an_event_has_can_be_switched_off() -> None:
    (folder,) = events.__path__
    made = {metric for file in Path(folder).glob("*.py") for metric in re.findall(r'metric="(.+?)"', file.read_text())}

    assert len(set(routes.METRICS)) == len(routes.METRICS)
    assert {*routes.METRICS, *routes.BEYOND} == made
    assert not routes.BEYOND.keys() & set(routes.METRICS)


@pytest.mark.parametrize("metric", routes.BEYOND)
def test_what_is_beyond_the_page_is_made_when_somebody_wants_it_and_not_before(metric: str) -> None:
    rows = [happened for happened, metrics in routes.ROUTES_BEYOND.items() if metric in metrics]

    assert rows
    assert routes.BEYOND[metric].__name__ == metric.lower().replace(" ", "_")
